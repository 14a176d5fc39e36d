import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isBareEcho } from "../../src/connection/requests.ts"
import { isClientMessage } from "../../src/wire/Decode.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { countEchoes } from "../../src/wire/JsonEchoes.ts"

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const count = (text: string, maxDepth = 64): number => countEchoes(bytesOf(text), maxDepth)

/** What the codec and the schema say: so many echoes without a field of their own, or 0. */
const judge = (bytes: Uint8Array, maxDepth: number): number => {
  let decoded: unknown
  try {
    decoded = jsonCodec({ maxDepth }).decode(bytes)
  } catch {
    return 0
  }
  const messages: ReadonlyArray<unknown> = Array.isArray(decoded) ? decoded : [decoded]
  const bare = messages.every((message) => isClientMessage(message) && message.type === "echo" && isBareEcho(message))
  return bare && messages.length <= 64 ? messages.length : 0
}

const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
const simpleText = ascii.map((text) => text.replaceAll(/["\\]/g, "."))
const simpleNumber = fc.oneof(
  fc.integer(),
  fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 100)
)
const simpleData = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: "small" },
    simpleText,
    simpleNumber,
    fc.constantFrom(true, false, null),
    fc.array(tie("data")),
    fc.dictionary(
      simpleText.filter((key) => !key.startsWith("__")),
      tie("data")
    )
  )
})).data
const id = fc.oneof(fc.nat(), fc.string({ unit: fc.constantFrom(..."ab0-_ "), maxLength: 64 }))
const simpleEcho = fc
  .record({ type: fc.constant("echo"), id, data: simpleData }, { requiredKeys: ["type", "data"] })
  .map(({ type, data, ...rest }) => JSON.stringify({ type, ...rest, data }))
const simpleFrame = fc.oneof(
  simpleEcho,
  fc.array(simpleEcho, { minLength: 1, maxLength: 64 }).map((echoes) => `[${echoes.join(",")}]`)
)

const anyEcho = fc
  .record({ type: fc.constant("echo"), id: fc.oneof(id, fc.jsonValue()), data: fc.jsonValue() }, { requiredKeys: [] })
  .map((message) => JSON.stringify(message))

/** A frame with some bytes changed, taken out or put in, most of them such that mean something in JSON. */
const damaged = fc
  .tuple(
    fc.oneof(simpleFrame, anyEcho),
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.oneof(fc.constantFrom(...bytesOf('{}[]",:\\_-0.eE \n\0')), fc.nat(255))), {
      minLength: 1,
      maxLength: 3
    })
  )
  .map(([text, changes]) => {
    const bytes = Array.from(bytesOf(text))
    for (const [place, length, byte] of changes) bytes.splice(place % (bytes.length + 1), length, ...(length === 2 ? [] : [byte]))
    return Uint8Array.from(bytes)
  })

describe("frames of nothing but echoes", () => {
  it("are recognised as JSON.stringify writes them", () => {
    fc.assert(
      fc.property(simpleFrame, (text) => {
        const expected = judge(bytesOf(text), 64)
        expect(expected).toBeGreaterThan(0)
        expect(count(text)).toBe(expected)
      })
    )
  })

  it("are never what the codec or the schema would refuse, or would count otherwise", () => {
    fc.assert(
      fc.property(damaged, fc.integer({ min: 1, max: 8 }), (bytes, maxDepth) => {
        const counted = countEchoes(bytes, maxDepth)
        if (counted > 0) expect(counted).toBe(judge(bytes, maxDepth))
      }),
      { numRuns: 3000 }
    )
  })

  it.each([
    ['{"type":"echo","data":1}', 1],
    ['{"type":"echo","id":7,"data":{"text":"a","n":[1,-2.5,true,null,{}]}}', 1],
    ['[{"type":"echo","data":1},{"type":"echo","id":"b","data":[]}]', 2]
  ])("count %s", (text, expected) => {
    expect(count(text)).toBe(expected)
  })

  it.each([
    ["nothing", ""],
    ["an empty batch", "[]"],
    ["another type", '{"type":"ping","data":1}'],
    ["another field", '{"type":"echo","data":1,"room":"a"}'],
    ["a field before the data", '{"type":"echo","x":1,"data":1}'],
    ["no data", '{"type":"echo","id":1}'],
    ["more behind it", '{"type":"echo","data":1} '],
    ["a cut frame", '{"type":"echo","data":{"a":1'],
    ["a cut string", '{"type":"echo","data":"abc'],
    ["a batch that does not end", '[{"type":"echo","data":1}'],
    ["something else in the batch", '[{"type":"echo","data":1},{"type":"ping"}]'],
    ["a key named __proto__", '{"type":"echo","data":{"__proto__":1}}'],
    ["an escape", '{"type":"echo","data":"\\u0041"}'],
    ["a control character", '{"type":"echo","data":"\u0001"}'],
    ["text outside of ASCII", '{"type":"echo","data":"é"}'],
    ["a leading zero", '{"type":"echo","data":01}'],
    ["an id with a fraction", '{"type":"echo","id":1.5,"data":1}'],
    ["an id that is too long", `{"type":"echo","id":"${"a".repeat(65)}","data":1}`],
    ["an exponent", '{"type":"echo","data":1e999}'],
    ["a long number", `{"type":"echo","data":${"9".repeat(400)}}`],
    ["a trailing comma", '{"type":"echo","data":[1,]}'],
    ["65 messages", `[${Array.from({ length: 65 }, () => '{"type":"echo","data":1}').join(",")}]`]
  ])("are not %s", (_, text) => {
    expect(count(text)).toBe(0)
  })

  it("have the nesting that the codec allows, an array of messages being a level", () => {
    const nested = (levels: number) => `{"type":"echo","data":${"[".repeat(levels)}${"]".repeat(levels)}}`
    for (const [text, levels] of [
      [nested(3), 4],
      [`[${nested(3)}]`, 5]
    ] as const) {
      expect(count(text, levels)).toBe(1)
      expect(judge(bytesOf(text), levels)).toBe(1)
      expect(count(text, levels - 1)).toBe(0)
      expect(judge(bytesOf(text), levels - 1)).toBe(0)
    }
  })

  it("are left to the codec when they nest deeply", () => {
    expect(count(`{"type":"echo","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 1_000_000)).toBe(0)
  })
})
