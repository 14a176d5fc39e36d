/** What both codecs promise. Each is held to it by itself, and to the other. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Bin, type Codec, CodecError, defaultMaxDepth, jsonCodec, msgpackCodec } from "../../src/wire/index.ts"
import { jsonValue, msgpackValue } from "./arbitraries.ts"
import { difference } from "./same.ts"
import { bytesOf, golden, fromHex } from "./vectors.ts"

const make = { json: jsonCodec, msgpack: msgpackCodec }
const encodings = ["json", "msgpack"] as const

const bytes = (frame: string | Uint8Array): Uint8Array => (typeof frame === "string" ? new TextEncoder().encode(frame) : frame)
const encode = (codec: Codec, value: unknown): Uint8Array => bytes(codec.encode(value))

/** `levels` containers around a number: arrays, maps, or both in turn. */
const nested = (levels: number, kind: "arrays" | "maps" | "both"): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = kind === "arrays" || (kind === "both" && level % 2 === 0) ? [value] : { a: value }
  return value
}

const frames = (encoding: "json" | "msgpack"): ReadonlyArray<Uint8Array> =>
  golden().map(({ json, msgpack }) => (encoding === "json" ? bytes(json) : fromHex(msgpack)))

/** Decodes, and lets only one kind of error pass. */
const attempt = (codec: Codec, frame: Uint8Array): { readonly value: unknown } | CodecError => {
  try {
    return { value: codec.decode(frame) }
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
}

describe.each(encodings)("the %s codec", (encoding) => {
  const codec = make[encoding]()

  it("reads back what it wrote, over the whole JSON model", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(difference(codec.decode(encode(codec, value)), value)).toBeUndefined()
      }),
      { numRuns: 2_000 }
    )
  })

  it("writes one form of a value, whether the result is shared or not", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const own = encode(codec, value)
        expect(Buffer.compare(bytes(codec.encodeShared(value)), own)).toBe(0)
        expect(Buffer.compare(encode(codec, codec.decode(own)), own)).toBe(0)
      }),
      { numRuns: 500 }
    )
  })

  it("does not keep the sign of zero", () => {
    expect(Object.is(codec.decode(encode(codec, [-0])), -0)).toBe(false)
    expect(codec.decode(encode(codec, [-0]))).toStrictEqual([0])
  })

  it("leaves out fields that are undefined", () => {
    expect(codec.decode(encode(codec, { type: "ack", id: undefined }))).toStrictEqual({ type: "ack" })
  })

  it("hands out results that later calls do not change", () => {
    const first = codec.encode({ type: "echo", data: "first" })
    const copy = typeof first === "string" ? first : first.slice()
    codec.encode({ type: "echo", data: "other" })
    codec.encodeShared({ type: "echo", data: "third" })
    expect(first).toStrictEqual(copy)
  })

  it("keeps nothing of the frame", () => {
    const frame = encode(codec, { data: codec.binary ? new Bin(Uint8Array.of(1, 2, 3).buffer) : "abc", text: "x".repeat(300) })
    const value = codec.decode(frame)
    const again = codec.decode(frame.slice())
    frame.fill(0)
    expect(value).toStrictEqual(again)
  })

  it("reads a frame that lies in the middle of a larger buffer", () => {
    const frame = encode(codec, { type: "echo", data: [1.5, "é", 70000] })
    const buffer = new Uint8Array(frame.length + 20).fill(0xff)
    buffer.set(frame, 7)
    expect(codec.decode(buffer.subarray(7, 7 + frame.length))).toStrictEqual({ type: "echo", data: [1.5, "é", 70000] })
  })

  it("takes any single byte as a value or refuses it", () => {
    for (let byte = 0; byte < 256; byte++) attempt(codec, Uint8Array.of(byte))
    expect(attempt(codec, new Uint8Array())).toBeInstanceOf(CodecError)
  })

  it("refuses every message that breaks off, wherever it does", () => {
    for (const frame of frames(encoding))
      for (let length = 0; length < frame.length; length++) expect(attempt(codec, frame.subarray(0, length))).toBeInstanceOf(CodecError)
  })

  it("refuses every message that something follows", () => {
    for (const frame of frames(encoding))
      for (const more of [0x00, 0x5d, 0x7d, 0x80, 0xc0, 0xff])
        expect(attempt(codec, Uint8Array.of(...frame, more))).toBeInstanceOf(CodecError)
  })

  it.each(["arrays", "maps", "both"] as const)("reads 64 levels of %s, and refuses 65", (kind) => {
    expect(defaultMaxDepth).toBe(64)
    expect(codec.decode(encode(make[encoding]({ maxDepth: 65 }), nested(64, kind)))).toStrictEqual(nested(64, kind))
    expect(attempt(codec, encode(make[encoding]({ maxDepth: 65 }), nested(65, kind)))).toBeInstanceOf(CodecError)
    const shallow = make[encoding]({ maxDepth: 3 })
    expect(shallow.decode(encode(codec, nested(3, kind)))).toStrictEqual(nested(3, kind))
    expect(attempt(shallow, encode(codec, nested(4, kind)))).toBeInstanceOf(CodecError)
  })

  it("counts levels, not brackets: many short arrays beside each other are no nesting", () => {
    const value = [Array.from({ length: 1000 }, () => [[]]), "[[[[".repeat(100), { '"[{': "\\" }]
    expect(difference(codec.decode(encode(codec, value)), value)).toBeUndefined()
  })

  it("writes the deepest message that a client may send, wrapped for the history of a room", () => {
    const reply = [{ type: "history", messages: [{ type: "message", data: nested(63, "both") }] }]
    expect(() => codec.encode(reply)).not.toThrow()
  })

  it("carries the largest message that the server takes by default, and arrays of many values", () => {
    for (const value of [
      "é".repeat(262_000),
      "x".repeat(524_000),
      Array.from({ length: 70_000 }, (_, i) => i % 2 === 0),
      { a: "\ufeff".repeat(70_000) }
    ])
      expect(difference(codec.decode(encode(codec, value)), value)).toBeUndefined()
    const wide = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))
    expect(codec.decode(encode(codec, wide))).toStrictEqual(wide)
  })

  it("makes own properties of names that mean something in JavaScript", () => {
    const value = { constructor: { prototype: { polluted: 1 } }, toString: 1, hasOwnProperty: 2, prototype: 3, valueOf: null }
    const decoded = codec.decode(encode(codec, value))
    expect(difference(decoded, value)).toBeUndefined()
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(Object.keys(decoded as object)).toEqual(Object.keys(value))
  })

  it("lets no frame change a prototype", () => {
    const before = Reflect.ownKeys(Object.prototype)
    const key = "__proto__"
    for (const value of [{ [key]: { polluted: 1 } }, { a: [{ [key]: { polluted: 1 } }] }, { type: "echo", data: { [key]: [] } }])
      expect(attempt(codec, encode(codec, value))).toBeInstanceOf(CodecError)
    expect(Reflect.ownKeys(Object.prototype)).toEqual(before)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect(codec.decode(encode(codec, ["__proto__", { a: "__proto__", __proto: 1, "__proto__ ": 2 }]))).toStrictEqual([
      "__proto__",
      { a: "__proto__", __proto: 1, "__proto__ ": 2 }
    ])
  })

  it("is not put out by an error: the next frame is read as ever", () => {
    const good = encode(codec, { type: "ping", id: 1 })
    for (const frame of frames(encoding).slice(0, 20)) {
      attempt(codec, frame.subarray(0, -1))
      expect(codec.decode(good)).toStrictEqual({ type: "ping", id: 1 })
    }
  })

  it("names what is wrong in words that are fit for the sender", () => {
    for (const frame of [
      new Uint8Array(),
      Uint8Array.of(0xc1),
      encode(codec, { type: "ping" }).subarray(1, -1),
      encode(codec, { ["__proto__"]: "s3cret" })
    ]) {
      const error = attempt(codec, frame)
      expect(error).toBeInstanceOf(CodecError)
      if (error instanceof CodecError) expect(error.message).toMatch(/^[a-zA-Z0-9_^ ,:;'-]{8,100}$/)
    }
  })
})

describe("both codecs", () => {
  const json = jsonCodec()
  const msgpack = msgpackCodec()

  it("mean the same value", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(difference(msgpack.decode(encode(msgpack, json.decode(encode(json, value)))), value)).toBeUndefined()
        expect(difference(json.decode(encode(json, msgpack.decode(encode(msgpack, value)))), value)).toBeUndefined()
      }),
      { numRuns: 500 }
    )
  })

  it("carry bin: MessagePack as it is, JSON as base64", () => {
    const toText = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    fc.assert(
      fc.property(msgpackValue, (value) => {
        expect(difference(msgpack.decode(encode(msgpack, value)), value)).toBeUndefined()
        expect(difference(json.decode(encode(json, msgpack.decode(encode(msgpack, value)))), toText(value))).toBeUndefined()
      }),
      { numRuns: 1_000 }
    )
  })

  it("write bin of any length as base64 that others read", () => {
    for (const length of [0, 1, 2, 3, 255, 256, 0x7fff, 0x8000, 0x8001, 300_000]) {
      const data = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff)
      expect(json.encode(new Bin(data.buffer))).toBe(JSON.stringify(Buffer.from(data).toString("base64")))
      expect(msgpack.decode(encode(msgpack, new Bin(data.buffer)))).toStrictEqual(new Bin(data.buffer))
    }
  })
})

describe("the msgpack codec", () => {
  const codec = msgpackCodec()

  it("makes room for what is there, not for what a frame claims", () => {
    const claims = ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "dcffff", "deffff"]
    const before = process.memoryUsage()
    for (let round = 0; round < 2_000; round++)
      for (const hex of claims) expect(attempt(codec, bytesOf({ hex: `9${"1"}${hex}00` }))).toBeInstanceOf(CodecError)
    const after = process.memoryUsage()
    // Room for a single array of this length, or for one string, would be gigabytes.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024)
    expect(after.heapUsed - before.heapUsed).toBeLessThan(256 * 1024 * 1024)
  })

  it("keeps short keys apart that meet in its cache", () => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `k${(i * 7919).toString(36)}`)
    for (let round = 0; round < 3; round++)
      for (const key of keys) expect(codec.decode(encode(codec, { [key]: 1, [`${key}é`]: 2 }))).toStrictEqual({ [key]: 1, [`${key}é`]: 2 })
  })

  it("gives bin memory of its own, so that one byte does not keep a whole frame", () => {
    const value = codec.decode(encode(codec, { small: new Bin(Uint8Array.of(7).buffer), large: "x".repeat(100_000) }))
    const { small } = value as { small: Bin }
    expect(small).toBeInstanceOf(Bin)
    expect(small.buffer.byteLength).toBe(1)
  })
})
