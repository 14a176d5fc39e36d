import { Redacted } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { keyLookup, secretEquals } from "../../src/auth/Secrets.ts"

const key = (name: string, secret: string) => ({ name, key: Redacted.make(secret) })

describe("secretEquals", () => {
  it.each([
    ["abc", "abc", true],
    ["abc", "abd", false],
    ["abc", "abcd", false],
    ["", "", true],
    ["", "a", false],
    ["\u00e9", "e\u0301", false]
  ])("%s and %s: %s", (expected, presented, equal) => {
    expect(secretEquals(Redacted.make(expected), presented)).toBe(equal)
  })
})

describe("keyLookup", () => {
  const keys = [key("first", "aaaa"), key("second", "bbbb"), key("third", "cccc")]

  it.each([
    ["aaaa", "first"],
    ["bbbb", "second"],
    ["cccc", "third"],
    ["aaa", undefined],
    ["", undefined]
  ])("%s belongs to %s", (presented, name) => {
    expect(keyLookup(keys)(presented)?.name).toBe(name)
  })

  it("finds nothing without keys", () => {
    expect(keyLookup([])("")).toBeUndefined()
  })

  it("finds each key that there is, and no other", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.string(), (secrets, other) => {
        const lookup = keyLookup(secrets.map((secret) => key(secret, secret)))
        for (const secret of secrets) expect(lookup(secret)?.name).toBe(secret)
        expect(lookup(other)?.name).toBe(secrets.includes(other) ? other : undefined)
      })
    )
  })
})
