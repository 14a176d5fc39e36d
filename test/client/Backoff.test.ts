import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ceiling, fullJitter, maxTimer } from "../../src/client/Backoff.ts"

const options = fc.record({ base: fc.integer({ min: 0, max: 10_000 }), cap: fc.integer({ min: 0, max: 10_000_000 }) })
const failures = fc.integer({ min: 0, max: 5_000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe("Backoff", () => {
  it.each([
    [0, 500],
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [1_000, 30_000]
  ])("after %i failures the wait is at most %i ms", (count, most) => {
    expect(ceiling(count, { base: 500, cap: 30_000 })).toBe(most)
  })

  it("draws the wait from nothing to the ceiling", () => {
    fc.assert(
      fc.property(failures, random, options, (count, draw, bounds) => {
        const wait = fullJitter(count, draw, bounds)
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(ceiling(count, bounds))
      })
    )
  })

  it("uses the whole of the range: the draw decides in proportion", () => {
    const bounds = { base: 1_000, cap: 60_000 }
    expect([0, 0.25, 0.5, 0.999].map((draw) => fullJitter(3, draw, bounds))).toEqual([0, 2_000, 4_000, 7_992])
  })

  it("never has a lower ceiling after more failures, nor one that a timer can not hold", () => {
    fc.assert(
      fc.property(failures, options, (count, bounds) => {
        expect(ceiling(count + 1, bounds)).toBeGreaterThanOrEqual(ceiling(count, bounds))
        expect(ceiling(count, bounds)).toBeLessThanOrEqual(Math.min(bounds.cap, maxTimer))
      })
    )
  })
})
