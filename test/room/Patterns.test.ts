import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compilePattern } from "../../src/room/Patterns.ts"

/** The meaning of a pattern, spelled out: try every length for every star. */
const means = (pattern: string, name: string): boolean => {
  if (pattern === "") return name === ""
  const [head = "", ...rest] = pattern
  if (head !== "*") return name.startsWith(head) && means(rest.join(""), name.slice(head.length))
  return Array.from({ length: name.length + 1 }, (_, at) => name.slice(at)).some((tail) => means(rest.join(""), tail))
}

describe("compilePattern", () => {
  it.each([
    ["chat", "chat", true],
    ["chat", "chats", false],
    ["chat:*", "chat:1", true],
    ["chat:*", "chat:", true],
    ["chat:*", "xchat:1", false],
    ["*", "", true],
    ["*:admin", "a:b:admin", true],
    ["a*a", "a", false],
    ["a*b*c", "axxbyyc", true],
    ["a.c", "abc", false],
    ["**", "anything", true]
  ])("%s on %s: %s", (pattern, name, expected) => {
    expect(compilePattern(pattern)(name)).toBe(expected)
  })

  it("matches exactly what its meaning says", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 6 })
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 }), (pattern, name) => {
        expect(compilePattern(pattern)(name)).toBe(means(pattern, name))
      }),
      { numRuns: 5000 }
    )
  })

  it("does not backtrack: a hostile pattern and a long name end at once", () => {
    expect(compilePattern(`${"a*".repeat(64)}b`)("a".repeat(100_000))).toBe(false)
  })
})
