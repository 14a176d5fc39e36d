import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeBucket, makeRate, take, timeToFill } from "../../src/limits/TokenBucket.ts"

const rates = fc.record({
  rate: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  burst: fc.double({ min: 0, max: 10, noNaN: true })
})
const waits = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 400 })

describe("TokenBucket", () => {
  it("admits the burst at once, then nothing until time passes", () => {
    const rate = makeRate(10, 2)
    const bucket = makeBucket(0, rate)
    expect(Array.from({ length: 21 }, () => take(bucket, 0, rate)).filter(Boolean)).toHaveLength(20)
    expect(take(bucket, 99, rate)).toBe(false)
    expect(take(bucket, 100, rate)).toBe(true)
    expect(take(bucket, 100, rate)).toBe(false)
  })

  it("admits one message however low rate and burst are", () => {
    const rate = makeRate(0.5, 0)
    const bucket = makeBucket(0, rate)
    expect([take(bucket, 0, rate), take(bucket, 1999, rate), take(bucket, 2000, rate)]).toEqual([true, false, true])
  })

  it("has no limit at rate 0", () => {
    const rate = makeRate(0, 2)
    const bucket = makeBucket(0, rate)
    expect(Array.from({ length: 1000 }, () => take(bucket, 0, rate)).every(Boolean)).toBe(true)
    expect(timeToFill(rate)).toBe(0)
  })

  it("never admits more than burst + rate · t in any span", () => {
    fc.assert(
      fc.property(rates, waits, (options, gaps) => {
        const rate = makeRate(options.rate, options.burst)
        const bucket = makeBucket(0, rate)
        const admitted: Array<number> = []
        let now = 0
        for (const gap of gaps) {
          now += gap
          while (admitted.length < 3000 && take(bucket, now, rate)) admitted.push(now)
        }
        // From message i to message j: j - i + 1 <= capacity + rate * (tj - ti), for all i <= j.
        let least = Number.POSITIVE_INFINITY
        admitted.forEach((time, index) => {
          const surplus = index - (rate.rate * time) / 1000
          least = Math.min(least, surplus)
          expect(surplus - least + 1).toBeLessThanOrEqual(rate.capacity + 1e-6 * (1 + Math.abs(surplus)))
        })
      })
    )
  })

  it("admits all that keep to the rate", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 500 }), (perSecond, messages) => {
        const rate = makeRate(perSecond, 2)
        const bucket = makeBucket(0, rate)
        for (let index = 1; index <= messages; index++) expect(take(bucket, (index * 1000) / perSecond, rate)).toBe(true)
      })
    )
  })

  it("gains nothing from a clock that is set back, and goes on from there", () => {
    const rate = makeRate(1, 1)
    const bucket = makeBucket(10_000, rate)
    expect(take(bucket, 10_000, rate)).toBe(true)
    expect(take(bucket, 5000, rate)).toBe(false)
    expect(take(bucket, 5999, rate)).toBe(false)
    expect(take(bucket, 6000, rate)).toBe(true)
  })
})
