import { Redacted } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { allows, matchKey } from "../../src/api/Keys.ts"

const key = (name: string, text: string, scopes: ReadonlyArray<string> = ["*"]) => ({ name, key: Redacted.make(text), scopes })

describe("matchKey", () => {
  it("finds each key and nothing else", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 }), fc.string(), (texts, other) => {
        const match = matchKey(texts.map((text) => key(`key ${text}`, text)))
        for (const text of texts) expect(match(Redacted.make(text))?.name).toBe(`key ${text}`)
        if (!texts.includes(other)) expect(match(Redacted.make(other))).toBeUndefined()
      })
    )
  })

  it("finds nothing where there are no keys, not even for an empty one", () => {
    expect(matchKey([])(Redacted.make(""))).toBeUndefined()
  })
})

describe("allows", () => {
  it.each([
    [["*"], "manage", true],
    [["read"], "read", true],
    [["read", "publish"], "publish", true],
    [["read"], "publish", false],
    [[], "read", false],
    [["Read"], "read", false]
  ] as const)("%j: %s is %s", (scopes, scope, expected) => {
    expect(allows(key("k", "x", scopes), scope)).toBe(expected)
  })
})
