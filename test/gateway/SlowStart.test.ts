import { describe, expect, it } from "vitest"
import { slowStartShare } from "../../src/gateway/SlowStart.ts"

describe("slowStartShare", () => {
  it.each([
    { elapsed: 0, share: 0.1 },
    { elapsed: 2999, share: 0.1 },
    { elapsed: 6000, share: 0.2 },
    { elapsed: 15_000, share: 0.5 },
    { elapsed: 30_000, share: 1 },
    { elapsed: 90_000, share: 1 },
    { elapsed: Infinity, share: 1 },
    { elapsed: -5000, share: 1 }
  ])("is $share after $elapsed of 30,000 ms", ({ elapsed, share }) => {
    expect(slowStartShare(elapsed, 30)).toBeCloseTo(share)
  })

  it("is everything at once without a slow start", () => {
    expect(slowStartShare(0, 0)).toBe(1)
    expect(slowStartShare(-1, 0)).toBe(1)
  })
})
