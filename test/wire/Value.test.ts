import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Bin, CodecError, jsonCodec, msgpackCodec, toWireValue } from "../../src/wire/index.ts"
import { jsonValue, msgpackValue } from "./arbitraries.ts"
import { difference } from "./same.ts"

const json = jsonCodec()
const msgpack = msgpackCodec()

const attempt = (value: unknown, maxDepth = 64): { readonly value: unknown } | CodecError => {
  try {
    return { value: toWireValue(value, maxDepth) }
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : levels % 2 === 0 ? [nested(levels - 1)] : { a: nested(levels - 1) })

class Point {
  readonly x = 1
  readonly #secret = 2
  get sum(): number {
    return this.x + this.#secret
  }
}

describe("toWireValue", () => {
  it("gives back every value of the JSON model, and bin", () => {
    fc.assert(
      fc.property(fc.oneof(jsonValue, msgpackValue), (value) => {
        expect(difference(toWireValue(value, 64), value)).toBeUndefined()
      }),
      { numRuns: 1000 }
    )
  })

  it("returns what both codecs write and read back, or refuses, whatever it is given", () => {
    const anything = fc.anything({
      maxDepth: 4,
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true
    })
    let taken = 0
    fc.assert(
      fc.property(anything, (value) => {
        const outcome = attempt(value)
        if (outcome instanceof CodecError) return
        taken++
        const text = String(json.encode(outcome.value))
        const written = JSON.parse(text) as unknown
        expect(difference(json.decode(new TextEncoder().encode(text)), written)).toBeUndefined()
        const packed = msgpack.decode(msgpack.encode(outcome.value) as Uint8Array)
        expect(difference(JSON.parse(String(json.encode(packed))), written)).toBeUndefined()
      }),
      { numRuns: 3000 }
    )
    expect(taken).toBeGreaterThan(200)
  })

  it.each<readonly [string, unknown, unknown]>([
    ["undefined", undefined, null],
    ["undefined in an array, and its holes", Object.assign(new Array<unknown>(3), { 0: undefined, 2: 1 }), [null, null, 1]],
    ["an undefined field", { a: undefined, b: 1 }, { b: 1 }],
    ["a date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
    ["what has a toJSON", [{ secret: 1, toJSON: () => ({ open: [new Date(0)] }) }], [{ open: ["1970-01-01T00:00:00.000Z"] }]],
    ["a toJSON that is a field like any other", { toJSON: 1 }, { toJSON: 1 }],
    ["an object of a class", new Point(), { x: 1 }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ["a Buffer", [Buffer.from("abc")], [new Bin(Uint8Array.of(97, 98, 99).buffer)]],
    ["bytes", new Uint8Array([1, 2, 3, 4]).subarray(1, 3), new Bin(Uint8Array.of(2, 3).buffer)],
    ["symbols as keys", { [Symbol("x")]: 1 }, {}]
  ])("takes %s", (_, value, expected) => {
    expect(toWireValue(value, 64)).toStrictEqual(expected)
  })

  const circular: Record<string, unknown> = { name: "s3cret" }
  circular["self"] = [circular]

  it.each<readonly [string, unknown, RegExp]>([
    ["a bigint", { n: 12345n }, /kind bigint/],
    ["a function", { f: () => 1 }, /kind function/],
    ["a symbol", [Symbol("s3cret")], /kind symbol/],
    ["NaN", [Number.NaN], /finite/],
    ["an infinity", -Infinity, /finite/],
    ["a Map", new Map([["s3cret", 1]]), /kind Map/],
    ["a Set", { a: new Set([1]) }, /kind Set/],
    ["an Error", new Error("s3cret"), /kind Error/],
    ["a promise", { later: Promise.resolve(1) }, /kind Promise/],
    ["a RegExp", /s3cret/, /kind RegExp/],
    ["a boxed number", Object(5), /kind Number/],
    ["another array of bytes", new Float64Array(2), /kind Float64Array/],
    ["an ArrayBuffer", new ArrayBuffer(2), /kind ArrayBuffer/],
    ["an invalid date", new Date(Number.NaN), /invalid date/],
    ["what holds itself", circular, /deeper than 64/],
    ["a toJSON that only ever makes more", { toJSON: nestedForEver }, /deeper than 64/],
    ["half of a surrogate pair", ["s3cret\ud83d"], /surrogate/],
    ["half of a surrogate pair in a key", { "s3cret\ude00": 1 }, /surrogate/],
    ["a key named __proto__", JSON.parse('{"a":{"__proto__":1}}'), /__proto__/]
  ])("refuses %s, without repeating it", (_, value, message) => {
    const outcome = attempt(value)
    expect(outcome).toBeInstanceOf(CodecError)
    expect(outcome).toMatchObject({ message: expect.stringMatching(message), value: undefined })
    expect(String(outcome)).not.toContain("s3cret")
  })

  it("counts levels as the codecs do", () => {
    for (const levels of [1, 2, 5, 64]) {
      expect(attempt(nested(levels), levels)).toHaveProperty("value")
      expect(attempt(nested(levels), levels - 1)).toBeInstanceOf(CodecError)
    }
    expect(attempt("no container", 0)).toEqual({ value: "no container" })
  })

  it("lets through what a getter throws", () => {
    const value = {
      get broken(): never {
        throw new TypeError("no")
      }
    }
    expect(() => toWireValue(value, 64)).toThrow(TypeError)
  })
})

function nestedForEver(): unknown {
  return { a: { toJSON: nestedForEver } }
}
