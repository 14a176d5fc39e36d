/** Bounds of the wait before another attempt, in milliseconds. */
export interface BackoffOptions {
  /** Upper bound of the first wait; it doubles with every failure in a row. */
  readonly base: number
  /** Upper bound of every wait. */
  readonly cap: number
}

export const defaultBackoff: BackoffOptions = { base: 500, cap: 30_000 }

/** Enough for every bound of practice, and far from where doubling stops being exact. */
const maxDoublings = 40

/** The longest wait that timers can hold: 2^31 - 1 ms. They fire at once for more. */
export const maxTimer = 2_147_483_647

/** How long the wait after `failures` failures in a row can be at most: `base * 2^failures`, capped. */
export const ceiling = (failures: number, options: BackoffOptions): number =>
  Math.min(options.cap, options.base * 2 ** Math.min(failures, maxDoublings), maxTimer)

/**
 * Full jitter: a wait drawn evenly from nothing to the ceiling, so that clients that were cut off together do not
 * come back together. `random` is a number from 0 (included) to 1 (excluded).
 */
export const fullJitter = (failures: number, random: number, options: BackoffOptions): number =>
  Math.floor(random * ceiling(failures, options))
