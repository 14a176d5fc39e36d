import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { seekDelay } from "../../../src/gateway/link/seekDelay.ts"

const round = fc.integer({ min: 0, max: 2_000 })
/** Nearer to 1 a sum is rounded up to what it stays below. */
const random = fc.double({ min: 0, max: 0.999_999, noNaN: true })

describe("the pauses of a search", () => {
  it("begin with none, and lie between 25 ms and 2 s from then on", () => {
    fc.assert(
      fc.property(round, random, (n, r) => {
        const delay = seekDelay(n, r)
        if (n === 0) expect(delay).toBe(0)
        else {
          expect(delay).toBeGreaterThanOrEqual(25)
          expect(delay).toBeLessThan(2_000)
        }
      })
    )
  })

  it("double from round to round until they are at their longest", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), random, (n, r) => {
        expect(seekDelay(n + 1, r)).toBeCloseTo(Math.min(2 * seekDelay(n, r), 1_000 + 1_000 * r), 6)
      })
    )
  })

  it("are spread over the upper half, so that those who search together do not come together", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), random, random, (n, a, b) => {
        const [least, most] = [seekDelay(n, 0), 2 * seekDelay(n, 0)]
        for (const r of [a, b]) {
          expect(seekDelay(n, r)).toBeGreaterThanOrEqual(least)
          expect(seekDelay(n, r)).toBeLessThan(most)
        }
        if (a < b) expect(seekDelay(n, a)).toBeLessThanOrEqual(seekDelay(n, b))
      })
    )
  })
})
