import { describe, expect, it } from "vitest"
import { ageText, chatOf, dataText, hexText, hueOf, hues, initialsOf, shortId, sizeText } from "../../src/web/format.js"
import { Latency } from "../../src/web/latency.js"

describe("chatOf", () => {
  it("takes text with or without a name", () => {
    expect(chatOf({ text: "hello", name: " Ada " })).toEqual({ text: "hello", name: "Ada" })
    expect(chatOf({ text: "" })).toEqual({ text: "", name: undefined })
    expect(chatOf({ text: "x", name: 7 })).toEqual({ text: "x", name: undefined })
    expect(chatOf({ text: "x", name: "n".repeat(100) })?.name).toHaveLength(40)
  })

  it.each([undefined, null, "text", 1, [], ["text"], {}, { text: 1 }, { name: "Ada" }])("leaves %j to be shown as data", (data) =>
    expect(chatOf(data)).toBeUndefined()
  )
})

describe("dataText", () => {
  it("shows bin as the base64 that JSON clients get", () =>
    expect(dataText({ bytes: new Uint8Array([1, 2, 255]) })).toBe('{"bytes":"AQL/"}'))
  it("shows absent data and bounds long data", () => {
    expect(dataText(undefined)).toBe("nothing")
    expect(dataText("x".repeat(50_000)).length).toBeLessThan(20_100)
  })
})

describe("small texts", () => {
  it("sizes", () => expect([0, 999, 1000, 12_345].map(sizeText)).toEqual(["0 B", "999 B", "1.0 kB", "12 kB"]))
  it("ages", () =>
    expect([-5, 0, 60_000, 3_600_000, 47 * 3_600_000, 49 * 3_600_000].map(ageText)).toEqual([
      "just now",
      "just now",
      "1 min",
      "1 h",
      "47 h",
      "2 days"
    ]))
  it("hexadecimal", () => {
    expect(hexText(new Uint8Array([0, 10, 255]))).toBe("00 0a ff")
    expect(hexText(new Uint8Array([1, 2, 3]), 2)).toBe("01 02 …")
  })
  it("identifiers", () => expect([shortId("c1"), shortId("0123456789abcdef")]).toEqual(["c1", "01234567…"]))
  it("initials", () => expect(["Ada Lovelace", "grace", "", "😀 x", "a-b-c"].map(initialsOf)).toEqual(["AL", "G", "?", "😀X", "AC"]))
  it("one colour for one text, of those there are", () => {
    const seen = new Set(Array.from({ length: 200 }, (_, at) => hueOf(`name ${at}`)))
    expect([...seen].toSorted()).toEqual(Array.from({ length: hues }, (_, hue) => hue))
    expect(hueOf("Ada")).toBe(hueOf("Ada"))
  })
})

describe("Latency", () => {
  it("keeps the last forty round trips", () => {
    const latency = new Latency()
    expect([latency.last, latency.median, latency.best, latency.points(72, 18)]).toEqual([undefined, undefined, undefined, ""])
    for (let ms = 1; ms <= 60; ms++) latency.add(ms)
    expect([latency.last, latency.best, latency.median]).toEqual([60, 21, 41])
    const points = latency.points(78, 60).split(" ")
    expect([points.length, points[0], points.at(-1)]).toEqual([40, "0.0,39.0", "78.0,0.0"])
    latency.add(1000)
    expect(latency.points(78, 60).split(" ").slice(-2)).toEqual(["76.0,31.4", "78.0,0.0"])
  })
})
