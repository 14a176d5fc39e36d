import fc from "fast-check"
import { expect, it } from "vitest"
import { longestWait, nextWait, shortestWait } from "../../src/actor/TimerPace.ts"

it("looks ten times a second while nothing is due, and more often the more there is, within bounds", () => {
  expect(nextWait(0, longestWait)).toBe(longestWait)
  expect(nextWait(0, shortestWait)).toBe(longestWait)
  expect(nextWait(1_000_000, longestWait)).toBe(shortestWait)
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: -10_000, max: 10_000 }), (fired, waited) => {
      const wait = nextWait(fired, waited)
      expect(wait).toBeGreaterThanOrEqual(shortestWait)
      expect(wait).toBeLessThanOrEqual(longestWait)
      expect(nextWait(fired + 1, waited)).toBeLessThanOrEqual(wait)
    })
  )
})

it("finds at most a few timers due in a look, for any steady load that the shortest wait can keep up with", () =>
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 3_000, noNaN: true }), (perSecond) => {
      let waited = longestWait
      let rest = 0
      for (let look = 0; look < 200; look++) {
        const due = rest + (perSecond * waited) / 1000
        const fired = Math.floor(due)
        rest = due - fired
        if (look > 20) expect(fired).toBeLessThanOrEqual(48)
        waited = nextWait(fired, waited)
      }
    })
  ))
