import { decodeClientMessage } from "../../src/wire/Decode.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { countEchoes } from "../../src/wire/JsonEchoes.ts"
import type { ServerMessage } from "../../src/wire/Messages.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"
import type { Part } from "./measure.ts"

const echo = { type: "echo", id: 1, data: { text: "x".repeat(64) } }
const broadcast = { type: "broadcast", id: 1, room: "bench-1", data: { text: "x".repeat(64) } }
const wrong = { type: "broadcast", id: 1, room: "", data: 1 }
const message: ServerMessage = {
  type: "message",
  room: "bench-1",
  data: { text: "x".repeat(64) },
  time: 1_700_000_000_000,
  from: { connection: "node-abcdef-123", user: "ann" }
}

const json = jsonCodec()
const msgpack = msgpackCodec()
const bytes = (frame: string | Uint8Array): Uint8Array => (typeof frame === "string" ? Buffer.from(frame) : frame)
const jsonFrame = bytes(json.encode(echo))
const msgpackFrame = bytes(msgpack.encode(echo))

/** Frames of about 100 bytes, as a chat sends them, beside what the language and the library need alone. */
export const codecs: ReadonlyArray<Part> = [
  { name: "JSON.parse of the text alone", run: () => JSON.parse(Buffer.from(jsonFrame).toString()) as unknown },
  { name: "JSON codec: decode echo", run: () => json.decode(jsonFrame) },
  { name: "JSON echo recognised by its bytes", run: () => countEchoes(jsonFrame, 64) },
  { name: "JSON.stringify alone", run: () => JSON.stringify(message) },
  { name: "JSON codec: encode message", run: () => json.encode(message) },
  { name: "MessagePack codec: decode echo", run: () => msgpack.decode(msgpackFrame) },
  { name: "MessagePack codec: encode message", run: () => msgpack.encode(message) },
  { name: "MessagePack codec: encode message, shared", run: () => msgpack.encodeShared(message) }
]

export const schemas: ReadonlyArray<Part> = [
  { name: "schema: echo", run: () => decodeClientMessage(echo) },
  { name: "schema: broadcast", run: () => decodeClientMessage(broadcast) },
  { name: "schema: a broadcast that is refused", run: () => decodeClientMessage(wrong) }
]
