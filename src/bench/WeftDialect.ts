/** Weft's own protocol, in both encodings, with or without batching. */
import type { Codec } from "../wire/Codec.ts"
import { jsonCodec } from "../wire/JsonCodec.ts"
import { msgpackCodec } from "../wire/MsgpackCodec.ts"
import { type Counter, DialectError, type Exchange, type Kind, type Look, type MakeDialect } from "./Dialect.ts"
import { clientFrame, concat } from "./Frame.ts"
import { Opcode } from "./FrameParser.ts"
import { bearerOf } from "./Token.ts"

/** The most messages that one frame may hold. */
const maxBatch = 64

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value)

/** The messages of a frame, one or an array of them. */
const messagesOf = (codec: Codec, frame: Uint8Array): ReadonlyArray<Fields> => {
  const value = codec.decode(frame)
  return Array.isArray(value) ? value.filter(isFields) : isFields(value) ? [value] : []
}

const textOf = (data: unknown): string => (isFields(data) && typeof data["text"] === "string" ? data["text"] : "")

/** How a frame with one message of `type` begins, from its second byte in MessagePack and its first in JSON, if `type` comes first. */
const opening = (codec: Codec, type: string): Uint8Array => {
  const frame = codec.encode({ type })
  return typeof frame === "string" ? Buffer.from(frame.slice(0, -1)) : Buffer.from(frame.subarray(1))
}

/** Whether `wanted` stands at `at`. */
const standsAt = (buffer: Uint8Array, at: number, end: number, wanted: Uint8Array): boolean => {
  if (end - at < wanted.length) return false
  for (let i = 0; i < wanted.length; i++) if (buffer[at + i] !== wanted[i]) return false
  return true
}

/**
 * Counts by how a frame begins: the type stands first in what Weft sends. Anything else is left to `look`. Messages of a
 * batch are often as long as the last ones were: the next is looked for where it would be then, and searched for only if it
 * is not there. That is exact as long as two messages are longer than one, or than one and a notice, as they are in one load.
 */
const openingCounter = (codec: Codec, type: string): Counter => {
  const wanted = opening(codec, type)
  const skip = codec.binary ? 1 : 0
  const isArray = codec.binary ? (byte: number) => (byte & 0xf0) === 0x90 || byte === 0xdc : (byte: number) => byte === 0x5b
  let shortest = Number.POSITIVE_INFINITY
  let length = wanted.length
  const learn = (distance: number): void => {
    shortest = Math.min(shortest, distance)
    if (distance < shortest * 2) length = distance
  }
  const countAll = (buffer: Uint8Array, start: number, end: number): number => {
    const search = (from: number): number => {
      const found = Buffer.from(buffer.buffer, buffer.byteOffset + from, end - from).indexOf(wanted)
      return found < 0 ? -1 : from + found
    }
    const first = start + 1 + skip
    let at = standsAt(buffer, first, end, wanted) ? first : search(start)
    if (at < 0) return -1
    for (let count = 1; ; count++) {
      if (standsAt(buffer, at + length, end, wanted)) at += length
      else {
        // The last one, if it is as long as the others.
        if (at - skip + length === end) return count
        const next = search(at + wanted.length)
        if (next < 0) return count
        learn(next - at)
        at = next
      }
    }
  }
  return (buffer, start, end) => {
    if (standsAt(buffer, start + skip, end, wanted)) return 1
    return end > start && isArray(buffer[start]!) ? countAll(buffer, start, end) : -1
  }
}

/** `[type] code: message`, for people. */
const complaint = (message: Fields): string => `${message["code"]}: ${message["message"] ?? message["reason"] ?? ""}`

export const dialect: MakeDialect = (options) => {
  const codec = options.encoding === "json" ? jsonCodec() : msgpackCodec()
  const opcode = codec.binary ? Opcode.binary : Opcode.text

  const frame = (value: unknown): Uint8Array => {
    const encoded = codec.encode(value)
    return clientFrame(opcode, typeof encoded === "string" ? Buffer.from(encoded) : encoded)
  }

  const frames = (count: number, message: (n: number) => Fields): Uint8Array => {
    const all = Array.from({ length: count }, (_, n) => message(n))
    if (!options.batch) return concat(all.map(frame))
    const batches = []
    for (let at = 0; at < count; at += maxBatch) batches.push(frame(all.slice(at, at + maxBatch)))
    return concat(batches)
  }

  /** Waits for a message of `type`; an `error` or `bye` before it is a no. */
  const until = (type: string, send?: Uint8Array): Exchange => ({
    ...(send === undefined ? {} : { send }),
    receive: (buffer, start, end) => {
      for (const message of messagesOf(codec, buffer.subarray(start, end))) {
        if (message["type"] === type) return true
        if (message["type"] === "error" || message["type"] === "bye") throw new DialectError(`refused with ${complaint(message)}`)
      }
      return false
    }
  })

  const look = (kinds: ReadonlyArray<Kind>, buffer: Uint8Array, start: number, end: number): Look => {
    let count = 0
    let reply: Uint8Array | undefined
    const notices: Array<string> = []
    for (const message of messagesOf(codec, buffer.subarray(start, end))) {
      const type = message["type"]
      if (kinds.some((kind) => kind === type)) count++
      else if (type === "heartbeat") reply = frame({ type: "heartbeat" })
      else if (type === "error") notices.push(`error ${complaint(message)}`)
      else if (type === "bye") notices.push(`bye ${complaint(message)}`)
      else if (type === "gap") notices.push("gap")
    }
    return { count, notices, ...(reply === undefined ? {} : { reply }) }
  }

  const protocols = [`weft.v1.${codec.encoding}`, ...(options.batch ? ["weft.batch"] : [])]
  const tokens = (index: number): ReadonlyArray<string> => {
    const token = bearerOf(options, index)
    return token === undefined ? [] : [`weft.token.${token}`]
  }

  return {
    upgrade: (seat) => ({ path: options.path, protocols: [...protocols, ...tokens(seat.index)] }),
    open: () => until("welcome"),
    join: (seat) => until("joined", frame({ type: "join_room", id: "join", room: seat.room })),
    perSeat: false,
    echo: (_seat, count, text) => frames(count, (n) => ({ type: "echo", id: n, data: { text } })),
    publish: (seat, count, text) => frames(count, () => ({ type: "broadcast", room: seat.room, data: { text } })),
    presence: (seat, count) => frames(count, (n) => ({ type: "presence", id: n, room: seat.room })),
    counter: (kind) => openingCounter(codec, kind),
    look,
    texts: (buffer, start, end) =>
      messagesOf(codec, buffer.subarray(start, end))
        .filter((message) => message["type"] === "message")
        .map((message) => textOf(message["data"])),
    hearsItself: true
  }
}
