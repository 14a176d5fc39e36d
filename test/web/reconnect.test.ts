import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { closeText, reconnectDelay, shouldReconnect } from "../../src/web/reconnect.js"
import { closeCodes, shouldReconnect as codesShouldReconnect } from "../../src/wire/Codes.ts"

describe("whether the page connects again", () => {
  it.each([...Object.keys(closeCodes).map(Number), 1005, 1006, 1011, 4999])("after %i is what the table of codes says", (code) => {
    expect(shouldReconnect(code)).toBe(codesShouldReconnect(code))
  })

  it.each(Object.keys(closeCodes).map(Number))("%i has words for it", (code) => {
    expect(closeText(code)).not.toContain(String(code))
    expect(closeText(code, "in its own words")).toContain("in its own words")
  })
})

describe("how long it waits", () => {
  const input = fc.record({
    attempt: fc.nat(10_000),
    code: fc.constantFrom(1001, 1006, 4429),
    after: fc.option(fc.nat(60_000), { nil: undefined }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  })

  it("is never less than the server asked for, and never over 10 s more", () => {
    fc.assert(
      fc.property(input, (given) => {
        const delay = reconnectDelay(given)
        expect(delay).toBeGreaterThanOrEqual(given.after ?? 0)
        expect(delay).toBeLessThanOrEqual((given.after ?? 0) + 10_000)
      })
    )
  })

  it("doubles its ceiling with each attempt and is spread over all of it", () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => reconnectDelay({ attempt, code: 1006, random: 0.999999 }))
    expect(ceilings).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
    expect(reconnectDelay({ attempt: 5, code: 1006, random: 0 })).toBe(0)
    expect(reconnectDelay({ attempt: 5, code: 1006, random: 0.5 })).toBe(5000)
  })

  it("starts longer after a limit", () => expect(reconnectDelay({ attempt: 0, code: 4429, random: 0.5 })).toBe(2500))
})
