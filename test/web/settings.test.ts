import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatHash, parseHash } from "../../src/web/settings.js"

describe("settings in the address", () => {
  it("come back from it as they went in", () => {
    const room = fc.string({ minLength: 1, maxLength: 24, unit: "grapheme" })
    const settings = fc
      .record({
        name: fc.string({ maxLength: 40 }),
        encoding: fc.constantFrom("json" as const, "msgpack" as const),
        rooms: fc.uniqueArray(room, { maxLength: 8 }),
        paused: fc.boolean()
      })
      .chain((rest) => fc.constantFrom(...rest.rooms, rest.rooms[0]).map((open) => ({ ...rest, open })))
    fc.assert(
      fc.property(settings, (given) => {
        expect(parseHash(formatHash(given))).toEqual(given)
      })
    )
  })

  it("are short where they can be", () =>
    expect(formatHash({ name: "Ada", encoding: "json", rooms: ["lobby", "a&b"], open: "lobby", paused: false })).toBe(
      "#name=Ada&encoding=json&room=lobby&room=a%26b"
    ))

  it("do not exist on a first visit", () => expect([parseHash(""), parseHash("#")]).toEqual([undefined, undefined]))

  it("are made usable, whatever stands there", () => {
    expect(parseHash("#encoding=xml&room=&room=a&room=a&open=b&name=" + "n".repeat(100))).toEqual({
      name: "n".repeat(40),
      encoding: "json",
      rooms: ["a"],
      open: "a",
      paused: false
    })
    fc.assert(fc.property(fc.string(), (text) => void parseHash(`#${text}`)))
  })
})
