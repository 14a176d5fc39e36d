import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { firstWithin, healthPlan, type HttpCheck, untilNext, type WebSocketCheck } from "../../src/gateway/HealthPlan.ts"

const webSocket: WebSocketCheck = { interval: 30, timeout: 5, path: "/", up: 2, down: 3 }
const http: HttpCheck = { interval: 10, timeout: 20, path: "/", status: "200-399", up: 1, down: 4 }

describe("healthPlan", () => {
  it("is none without a check", () => {
    expect(healthPlan({})).toBeUndefined()
  })

  it("is that of the one check", () => {
    expect(healthPlan({ websocket_health: webSocket })).toEqual({ interval: 30_000, recheck: 5000, up: 2, down: 3 })
    expect(healthPlan({ http_health: http })).toEqual({ interval: 10_000, recheck: 10_000, up: 1, down: 4 })
  })

  it("is the stricter of two", () => {
    expect(healthPlan({ websocket_health: webSocket, http_health: http })).toEqual({ interval: 10_000, recheck: 5000, up: 2, down: 3 })
  })
})

describe("untilNext", () => {
  const plan = { interval: 30_000, recheck: 5000, up: 2, down: 3 }

  it.each([
    [1, 5000],
    [2, 30_000],
    [9, 30_000],
    [-1, 5000],
    [-2, 5000],
    [-3, 30_000],
    [-9, 30_000]
  ])("with a run of %i is %i ms at most", (run, longest) => {
    expect(untilNext(plan, run, 0)).toBe(longest)
  })

  it("is never longer than what it shortens, nor shorter than four fifths of it, and takes all between", () => {
    fc.assert(
      fc.property(fc.integer({ min: -9, max: 9 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (run, random) => {
        const longest = untilNext(plan, run, 0)
        expect(untilNext(plan, run, random)).toBeLessThanOrEqual(longest)
        expect(untilNext(plan, run, random)).toBeGreaterThan(longest * 0.8 - 1e-6)
        expect(untilNext(plan, run, random)).toBeCloseTo(longest * (1 - random / 5))
      })
    )
  })
})

describe("firstWithin", () => {
  it("is a second, or the interval if that is shorter", () => {
    expect(firstWithin({ interval: 30_000, recheck: 5000, up: 2, down: 3 })).toBe(1000)
    expect(firstWithin({ interval: 200, recheck: 200, up: 2, down: 3 })).toBe(200)
  })
})
