import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Schema } from "effect"
import { isPlainBroadcast } from "../../src/wire/Decode.ts"
import { type ClientType, clientMessages, decodeClientMessage, errorCodes, isRefusal, type Refusal } from "../../src/wire/index.ts"
import { jsonValue, nearMessage, text } from "./arbitraries.ts"

const refusal = (value: unknown): Refusal => {
  const decoded = decodeClientMessage(value)
  if (!isRefusal(decoded)) throw new Error(`accepted ${JSON.stringify(value)}`)
  return decoded
}

const types = Object.keys(clientMessages) as Array<ClientType>

const usableId = fc.oneof(
  fc.maxSafeInteger(),
  text.filter((id) => new TextEncoder().encode(id).length <= 64)
)

const scalar = fc.oneof(fc.constantFrom<unknown>(null, "", true, -1, 0.5, 2 ** 53), text, usableId, fc.constant([]))

const nearBroadcast = fc.record(
  {
    type: fc.constant("broadcast"),
    id: fc.oneof(usableId, scalar),
    room: fc.oneof(text, scalar),
    data: scalar,
    key: scalar,
    exclude_self: fc.oneof(fc.boolean(), scalar)
  },
  { requiredKeys: ["type", "room", "data"], noNullPrototype: true }
)

describe("decodeClientMessage", () => {
  it("gives back the very value that it was given, unknown fields and all", () => {
    const message = { type: "echo", id: 1, data: { a: 1 }, trace: "x" }
    expect(decodeClientMessage(message)).toBe(message)
  })

  it("takes or refuses whatever it is given, with a code of the table and few words", () => {
    fc.assert(
      fc.property(fc.oneof(nearMessage, jsonValue), (value) => {
        const decoded = decodeClientMessage(value)
        if (isRefusal(decoded)) {
          expect(Object.keys(errorCodes)).toContain(decoded.error)
          expect(decoded.message.length).toBeLessThanOrEqual(500)
        } else expect(types).toContain(decoded.type)
      }),
      { numRuns: 5_000 }
    )
  })

  it("repeats any usable id, whatever else is wrong", () => {
    fc.assert(
      fc.property(usableId, fc.constantFrom("join_room", "echo", "nope", 7, null, undefined), (id, type) => {
        expect(refusal(type === undefined ? { id } : { type, id })).toMatchObject({ id })
      })
    )
  })

  it("repeats no id that can not be one", () => {
    fc.assert(
      fc.property(jsonValue, (id) => {
        const decoded = decodeClientMessage({ type: "join_room", id })
        const usable = Number.isSafeInteger(id) || (typeof id === "string" && new TextEncoder().encode(id).length <= 64)
        expect("id" in decoded).toBe(usable)
      }),
      { numRuns: 2_000 }
    )
  })

  it("answers every type that it does not know with unknown_type", () => {
    fc.assert(
      fc.property(text, (type) => {
        fc.pre(!types.some((known) => known === type))
        expect(refusal({ type })).toMatchObject({ error: "unknown_type" })
      })
    )
  })

  it("knows no type by a name of Object.prototype", () => {
    for (const type of Reflect.ownKeys(Object.prototype)) expect(refusal({ type })).toMatchObject({ error: "unknown_type" })
  })

  it("does not repeat what was sent, but for the name of an unknown type", () => {
    const secret = "s3cr3t-value"
    const sent: ReadonlyArray<unknown> = [
      { type: "auth", token: { secret } },
      { type: "auth", token: [secret] },
      { type: "join_room", room: { [secret]: 1 } },
      { type: "join_room", room: "a", recover: secret },
      { type: "join_room", room: "a", recover: { epoch: "e", seq: secret } },
      { type: "broadcast", room: [secret], data: secret },
      { type: "broadcast", data: 1, key: [secret] },
      { type: "broadcast", data: 1, key: secret.repeat(20) },
      { type: "broadcast", data: 1, exclude_self: secret },
      { type: "send", to: secret, data: secret },
      { type: "send", to: { user: [secret] }, data: 1 },
      { type: "send", to: { [secret]: 1 }, data: 1 },
      { type: "call", method: { secret } },
      { type: "history", room: "a", limit: secret },
      { type: "ping", id: { secret } },
      { type: "ping", id: secret.repeat(10) },
      { type: [secret] },
      secret,
      [secret]
    ]
    for (const value of sent) expect(refusal(value).message).not.toContain(secret)
    expect(refusal({ type: "x".repeat(1_000_000) }).message.length).toBeLessThan(200)
  })

  it("names the field that is wrong", () => {
    expect(refusal({ type: "join_room" }).message).toMatch(/^room: /)
    expect(refusal({ type: "join_room", room: "a", recover: { epoch: "e" } }).message).toMatch(/^recover\.seq: /)
    expect(refusal({ type: "send", to: { user: 1 }, data: 1 }).message).toMatch(/^to\.user: /)
    expect(refusal({ type: "echo" }).message).toMatch(/^data: /)
    expect(refusal({ type: "ping", id: 0.5 }).message).toMatch(/^id: /)
  })

  it("counts the bytes of an id, not its characters", () => {
    for (const [unit, times] of [
      ["x", 64],
      ["é", 32],
      ["中", 21],
      ["👋", 16]
    ] as const) {
      expect(isRefusal(decodeClientMessage({ type: "ping", id: unit.repeat(times) }))).toBe(false)
      expect(refusal({ type: "ping", id: unit.repeat(times + 1) })).toMatchObject({ error: "invalid_message" })
    }
  })

  it("takes no broadcast without its schema that the schema refuses, and nearly all that clients send", () => {
    const accepts = Schema.is(clientMessages.broadcast)
    let plain = 0
    fc.assert(
      fc.property(nearBroadcast, (value) => {
        if (!isPlainBroadcast(value)) return
        plain++
        expect(accepts(value)).toBe(true)
      }),
      { numRuns: 3_000 }
    )
    expect(plain).toBeGreaterThan(50)
    const usual = { type: "broadcast", room: "lobby", data: { text: "hello" } }
    for (const value of [usual, { ...usual, id: 7 }, { ...usual, id: "7" }, { ...usual, exclude_self: true }, { ...usual, data: null }])
      expect(isPlainBroadcast(value)).toBe(true)
    for (const value of [
      ...[{ id: 0.5 }, { id: null }, { room: "" }, { room: 1 }, { room: undefined }, { data: undefined }],
      ...[{ key: "k" }, { key: null }, { exclude_self: 1 }, { exclude_self: null }]
    ])
      expect(isPlainBroadcast({ ...usual, ...value })).toBe(false)
    // What is plain as a broadcast is plain as nothing else.
    expect(refusal({ ...usual, type: "send" })).toMatchObject({ error: "invalid_message" })
  })
})
