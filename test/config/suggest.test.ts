import fc from "fast-check"
import { expect, test } from "vitest"
import { editDistance, suggest } from "../../src/config/suggest.ts"

test.each([
  ["port", "port", 0],
  ["prot", "port", 1],
  ["pot", "port", 1],
  ["porrt", "port", 1],
  ["part", "port", 1],
  ["", "port", 4],
  ["kitten", "sitting", 3]
])("from %j to %j are %i edits", (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance)
  expect(editDistance(to, from)).toBe(distance)
})

test("a distance is at most the longer length and zero for equals only", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), (from, to) => {
      const distance = editDistance(from, to)
      expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length))
      expect(distance === 0).toBe(from === to)
    })
  )
})

test.each([
  ["hots", "host"],
  ["HOST", "host"],
  ["trusted_proxy", "trusted_proxies"],
  ["zzz", undefined],
  ["", undefined]
])("%j means %j", (name, meant) => {
  expect(suggest(name, ["host", "port", "trusted_proxies"])).toBe(meant)
})

test("a name of any length is answered at once", () => {
  expect(suggest("h".repeat(1_000_000), ["host"])).toBeUndefined()
})
