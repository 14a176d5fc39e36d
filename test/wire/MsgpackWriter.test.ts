import { encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CodecError } from "../../src/wire/Codec.ts"
import { MsgpackWriter } from "../../src/wire/MsgpackWriter.ts"
import { msgpackValue } from "./arbitraries.ts"

const write = (value: unknown, maxDepth = 100): Uint8Array => new MsgpackWriter(maxDepth).write(value)
const byLibrary = (value: unknown): Uint8Array => encode(value, { ignoreUndefined: true, maxDepth: 200 })

describe("what the writer writes", () => {
  it("is to the byte what the library writes", () => {
    const writer = new MsgpackWriter(100)
    fc.assert(
      fc.property(msgpackValue, (value) => {
        expect(Buffer.compare(writer.write(value), byLibrary(value))).toBe(0)
        expect(Buffer.compare(writer.writeShared(value), byLibrary(value))).toBe(0)
      }),
      { numRuns: 2_000 }
    )
  })

  it.each([0, 1, 15, 16, 31, 32, 63, 64, 65, 255, 256, 257, 65_535, 65_536, 65_537])(
    "has the same heads for texts, bytes, arrays and maps of the length %d",
    (length) => {
      const list = Array.from({ length }, (_, i) => i)
      for (const value of [
        "x".repeat(length),
        "é".repeat(length),
        `${"x".repeat(Math.max(0, length - 1))}€`,
        new Uint8Array(length).fill(7),
        list,
        Object.fromEntries(list.map((i) => [`k${i}`, i]))
      ])
        expect(Buffer.compare(write(value), byLibrary(value))).toBe(0)
    }
  )

  it("stays as it is, however many frames follow it, and wherever a piece of memory ends", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ length: fc.nat(9_000), shared: fc.boolean() }), { maxLength: 40 }), (frames) => {
        const writer = new MsgpackWriter(100)
        const kept = frames.flatMap(({ length, shared }, i) => {
          const value = [i, "é".repeat(length / 2), new Uint8Array(length).fill(i)]
          if (shared) expect(Buffer.compare(writer.writeShared(value), byLibrary(value))).toBe(0)
          return shared ? [] : [{ value, frame: writer.write(value) }]
        })
        for (const { value, frame } of kept) expect(Buffer.compare(frame, byLibrary(value))).toBe(0)
      }),
      { numRuns: 200 }
    )
  })

  it("is what `toJSON` returns, also where that writes a frame itself", () => {
    const writer = new MsgpackWriter(100)
    const value = { toJSON: () => ({ inner: [...writer.write("inner")], date: new Date(0) }) }
    const plain = { inner: [...byLibrary("inner")], date: "1970-01-01T00:00:00.000Z" }
    expect(Buffer.compare(writer.write([1, value, "after"]), byLibrary([1, plain, "after"]))).toBe(0)
  })
})

describe("the writer refuses", () => {
  const endless = { toJSON: (): unknown => endless }
  const circular: Array<unknown> = []
  circular.push(circular)

  it.each<readonly [string, unknown, RegExp]>([
    ["functions", { a: () => 1 }, /kind function/],
    ["big integers", 1n, /kind bigint/],
    ["what is not finite", [Number.NaN], /finite/],
    ["half of a surrogate pair", "a\ud83d", /surrogate/],
    ["half of a surrogate pair in a long text", `${"a".repeat(300)}\ude00`, /surrogate/],
    ["what holds itself", circular, /nested deeper than 100 levels/],
    ["a `toJSON` without end", endless, /nested deeper than 100 levels/]
  ])("%s, and writes the next value as ever", (_, value, message) => {
    const writer = new MsgpackWriter(100)
    const before = writer.write(["before"])
    expect(() => writer.write(value)).toThrow(CodecError)
    expect(() => writer.write(value)).toThrow(message)
    expect(Buffer.compare(writer.write(["after"]), byLibrary(["after"]))).toBe(0)
    expect(Buffer.compare(before, byLibrary(["before"]))).toBe(0)
  })

  it("more levels than it may write", () => {
    expect(write([[[1]]], 3)).toEqual(byLibrary([[[1]]]))
    expect(() => write([[[[1]]]], 3)).toThrow(/nested deeper than 3 levels/)
  })
})
