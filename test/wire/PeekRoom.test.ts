import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jsonCodec, msgpackCodec, type ServerMessage } from "../../src/wire/index.ts"
import { peekBatchRooms, peekRoom } from "../../src/wire/PeekRoom.ts"
import { jsonValue } from "./arbitraries.ts"
import { golden, withBin } from "./vectors.ts"

const json = jsonCodec()
const msgpack = msgpackCodec()

const jsonText = (message: unknown): string => String(json.encode(message))
const jsonBytes = (message: unknown): Uint8Array => new TextEncoder().encode(jsonText(message))
const msgpackBytes = (message: unknown): Uint8Array => Buffer.from(msgpack.encode(message))

/** A name as a room may have it: 1 to 128 bytes, no control characters. */
const room = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter((name) => new TextEncoder().encode(name).length <= 128)
  // oxlint-disable-next-line no-control-regex
  .filter((name) => !/[\u0000-\u001f\u007f-\u009f]/.test(name))

const member = { connection: "c-1", since: 1 }

const sentByRooms: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({ type: fc.constant("message" as const), room, data: jsonValue, time: fc.nat(), from: fc.constant({ connection: "c-1" }) }),
  fc.record({ type: fc.constant("member_joined" as const), room, member: fc.constant(member) }),
  fc.record({ type: fc.constant("member_left" as const), room, member: fc.constant(member) })
)

describe("the room that an encoded frame names", () => {
  it("is read from every message that rooms send, in both encodings", () => {
    fc.assert(
      fc.property(sentByRooms, (message) => {
        const expected = "room" in message ? message.room : undefined
        expect(peekRoom(jsonBytes(message), false)).toBe(expected)
        expect(peekRoom(msgpackBytes(message), true)).toBe(expected)
      }),
      { numRuns: 500 }
    )
  })

  it.each(["a", "é", "👋", '"', "\\"])("may have the longest name that can be configured, of %s", (unit) => {
    const name = unit.repeat(1024 / new TextEncoder().encode(unit).length)
    expect(peekRoom(jsonBytes({ type: "member_joined", room: name, member }), false)).toBe(name)
    expect(peekRoom(msgpackBytes({ type: "member_joined", room: name, member }), true)).toBe(name)
  })

  it("is not read from data, nor from messages of no room", () => {
    const messages = golden()
      .filter(({ direction }) => direction === "server")
      .map(({ message }) => withBin(message))
    for (const message of [...messages, { type: "message", data: { type: "message", room: "x" }, time: 1 }]) {
      const { type, room: name } = Object(message)
      const expected = ["message", "member_joined", "member_left"].includes(String(type)) ? name : undefined
      expect(peekRoom(jsonBytes(message), false)).toBe(expected)
      expect(peekRoom(msgpackBytes(message), true)).toBe(expected)
    }
  })

  it("is read for each message of a batch, and for the one message that is no batch", () => {
    fc.assert(
      fc.property(fc.array(sentByRooms, { minLength: 1, maxLength: 64 }), (messages) => {
        const expected = messages.map((message) => ("room" in message ? message.room : undefined))
        expect(peekBatchRooms(new TextEncoder().encode(jsonText(messages)), false)).toEqual(expected)
        expect(peekBatchRooms(msgpackBytes(messages), true)).toEqual(expected)
      }),
      { numRuns: 100 }
    )
  })
})
