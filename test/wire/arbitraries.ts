/** Values of the JSON model, and frames that are nearly messages. */
import fc from "fast-check"
import { Bin, clientMessages, type Codec } from "../../src/wire/index.ts"

/** Any well-formed Unicode, not only ASCII; now and then long enough for the longer heads of MessagePack. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 4, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 190, maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom("\ufeff", `\ufeff${"a".repeat(300)}`, "\u0000", "\u2028", "__proto__", "🏳️‍🌈") }
)

/** Names with a meaning in JavaScript among others. `__proto__` is not one that a key may have. */
export const key: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 3, arbitrary: text },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then", "0", "length")
    }
  )
  .filter((name) => name !== "__proto__")

/** Finite doubles. The sign of zero is not kept: see its own test. */
export const number: fc.Arbitrary<number> = fc
  .oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(
      ...[0, 1, 2 ** 7, 2 ** 8, 2 ** 15, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 60, 2 ** 64].flatMap((edge) => [
        edge - 1,
        edge,
        edge + 1,
        -edge - 1,
        -edge,
        1 - edge
      ]),
      Number.MAX_VALUE,
      Number.MIN_VALUE
    )
  )
  .map((value) => (value === 0 ? 0 : value))

export const bin: fc.Arbitrary<Bin> = fc.uint8Array({ maxLength: 300 }).map((bytes) => new Bin(Uint8Array.from(bytes).buffer))

const valueOf = (...more: ReadonlyArray<fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(null, true, false),
      number,
      text,
      ...more,
      fc.array(tie("value"), { maxLength: 20 }),
      fc.dictionary(key, tie("value"), { maxKeys: 20, noNullPrototype: true })
    )
  })).value

/** Any value of the JSON model. */
export const jsonValue = valueOf()
/** The same and bin. */
export const msgpackValue = valueOf(bin)

/** Maps that look like messages and often are none. */
export const nearMessage: fc.Arbitrary<unknown> = fc.record(
  {
    type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom<unknown>(...Object.keys(clientMessages)) }, { weight: 1, arbitrary: jsonValue }),
    id: fc.oneof(fc.maxSafeInteger(), text, jsonValue),
    room: fc.oneof(text, jsonValue),
    data: jsonValue,
    to: fc.oneof(fc.record({ user: text }), fc.record({ connection: text }), jsonValue),
    recover: fc.oneof(fc.record({ epoch: text, seq: fc.nat() }), jsonValue),
    since: fc.oneof(fc.record({ epoch: text, seq: fc.nat() }), jsonValue),
    limit: fc.oneof(fc.integer(), jsonValue),
    method: fc.oneof(text, jsonValue),
    token: fc.oneof(text, jsonValue),
    key: fc.oneof(text, jsonValue),
    exclude_self: fc.oneof(fc.boolean(), jsonValue)
  },
  { requiredKeys: [], noNullPrototype: true }
)

const encoded = (codec: Codec, value: unknown): Uint8Array => {
  const frame = codec.encode(value)
  return typeof frame === "string" ? new TextEncoder().encode(frame) : frame
}

type Edit = (bytes: Uint8Array) => Uint8Array

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(
    ([at, byte]): Edit =>
      (bytes) =>
        bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte)
  ),
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })).map(([at, bit]): Edit => (bytes) => {
    const index = at % Math.max(1, bytes.length)
    return bytes.length === 0 ? bytes : bytes.with(index, (bytes[index] ?? 0) ^ (1 << bit))
  }),
  fc.tuple(fc.nat(), fc.nat({ max: 16 })).map(([at, count]): Edit => (bytes) => {
    const from = at % (bytes.length + 1)
    return Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(from + count)])
  }),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 16 })).map(([at, more]): Edit => (bytes) => {
    const from = at % (bytes.length + 1)
    return Uint8Array.from([...bytes.subarray(0, from), ...more, ...bytes.subarray(from)])
  }),
  fc.nat().map(
    (at): Edit =>
      (bytes) =>
        bytes.slice(0, at % (bytes.length + 1))
  ),
  fc.nat({ max: 3 }).map(
    (times): Edit =>
      (bytes) =>
        Uint8Array.from(Array.from({ length: times }, () => [...bytes]).flat())
  )
)

/** Frames as they come from outside: noise, messages with some bytes changed, and good ones. */
export const frame = (codec: Codec): fc.Arbitrary<Uint8Array> => {
  const message = fc.oneof(nearMessage, codec.binary ? msgpackValue : jsonValue).map((value) => encoded(codec, value))
  return fc.oneof(
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: message },
    {
      weight: 5,
      arbitrary: fc
        .tuple(message, fc.array(edit, { minLength: 1, maxLength: 4 }))
        .map(([bytes, edits]) => edits.reduce((now, change) => change(now), bytes))
    }
  )
}
