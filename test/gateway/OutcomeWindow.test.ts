import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { countsAt, failureRate, makeWindow, record } from "../../src/gateway/OutcomeWindow.ts"

const outcomes = fc.array(fc.record({ gap: fc.nat(400), ok: fc.boolean() }), { maxLength: 200 })

describe("OutcomeWindow", () => {
  it("counts every outcome for nine tenths of the window at least, and none for longer than the window", () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 3000 }), fc.nat(1_000_000), outcomes, fc.nat(4000), (width, start, gaps, rest) => {
        let window = makeWindow(width)
        let now = start
        const log: Array<{ readonly at: number; readonly ok: boolean }> = []
        for (const { gap, ok } of gaps) {
          now += gap
          window = record(window, ok, now)
          log.push({ at: now, ok })
        }
        now += rest
        const counts = countsAt(window, now)
        for (const [ok, counted] of [[true, counts.successes] as const, [false, counts.failures] as const]) {
          const ages = log.filter((entry) => entry.ok === ok).map(({ at }) => now - at)
          expect(counted).toBeGreaterThanOrEqual(ages.filter((age) => age < 0.9 * width).length)
          expect(counted).toBeLessThanOrEqual(ages.filter((age) => age < width).length)
        }
        expect(window.slices.length).toBeLessThanOrEqual(10)
      })
    )
  })

  it("has a rate of 0 when nothing happened", () => {
    expect(failureRate(countsAt(makeWindow(1000), 0))).toBe(0)
    expect(failureRate({ successes: 3, failures: 1 })).toBe(0.25)
  })

  it("forgets what came after the new time when the clock is set back, and counts on", () => {
    let window = makeWindow(1000)
    for (let count = 0; count < 5; count++) window = record(window, false, 50_000)
    expect(countsAt(window, 10_000)).toEqual({ successes: 0, failures: 0 })
    window = record(window, true, 10_000)
    expect(countsAt(window, 10_000)).toEqual({ successes: 1, failures: 0 })
    expect(countsAt(window, 50_000)).toEqual({ successes: 0, failures: 0 })
  })
})
