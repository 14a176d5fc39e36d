/**
 * A token bucket: it holds up to `capacity` tokens, gains `rate` a second, and each message takes one. In any span of t
 * seconds it admits at most capacity + rate · t. Mutable and without allocation, since every frame asks it. Times are
 * milliseconds of any one clock. If that clock is set back, the bucket gains nothing for it and goes on from the new time.
 */
export interface TokenBucket {
  tokens: number
  at: number
}

/** What a kind of bucket allows. `rate` in tokens a second, 0: no limit. `capacity` in tokens, at least 1 to admit anything. */
export interface Rate {
  readonly rate: number
  readonly capacity: number
}

/** `burst` is the seconds of rate that may come at once. However low both are, one message fits. */
export const makeRate = (rate: number, burst: number): Rate => ({ rate, capacity: Math.max(1, rate * burst) })

/** A full bucket. */
export const makeBucket = (now: number, { capacity }: Rate): TokenBucket => ({ tokens: capacity, at: now })

/** Brings the bucket to `now` and says whether a message would be admitted, without taking a token. */
export const canTake = (bucket: TokenBucket, now: number, { capacity, rate }: Rate): boolean => {
  if (rate === 0) return true
  const gained = ((now - bucket.at) * rate) / 1000
  if (gained > 0) bucket.tokens = Math.min(capacity, bucket.tokens + gained)
  bucket.at = now
  return bucket.tokens >= 1
}

/** Takes a token if there is one, and says whether there was. */
export const take = (bucket: TokenBucket, now: number, rate: Rate): boolean => {
  if (!canTake(bucket, now, rate)) return false
  if (rate.rate !== 0) bucket.tokens -= 1
  return true
}

/** Milliseconds after which a bucket is full again, however empty it was. */
export const timeToFill = ({ capacity, rate }: Rate): number => (rate === 0 ? 0 : (capacity / rate) * 1000)
