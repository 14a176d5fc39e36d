/**
 * The yardstick: uWebSockets.js with nothing between its callbacks and the messages. It speaks Weft's echo, join_room
 * and broadcast in both encodings, over the same topics, and keeps nothing: no members, no authentication, no checks, no
 * limits. What it sends is as long as what Weft sends: it makes up a user for each connection, and ids of the same length,
 * for a delivery with fewer bytes would be cheaper for the kernel and for the load, whatever the server does.
 *
 * Settings, tried against their alternatives: JSON text by `Buffer.toString` (a TextDecoder costs up to a tenth more), one
 * reused MessagePack encoder and decoder, no compression, no idle timeout, backpressure of 16 MiB so that nothing is
 * dropped, one native topic per room and encoding, a message encoded only for an encoding that has a subscriber.
 *
 *     node bench/servers/uws.ts PORT
 */
import { Decoder, Encoder } from "@msgpack/msgpack"
import { App, type WebSocket } from "uWebSockets.js"

interface User {
  readonly binary: boolean
  readonly batch: boolean
  readonly from: { readonly connection: string; readonly user: string }
}

interface Message {
  readonly type: string
  readonly id?: number | string
  readonly room: string
  readonly data: unknown
}

interface Codec {
  readonly decode: (message: ArrayBuffer) => unknown
  readonly encode: (value: unknown) => string | Uint8Array
}

const json: Codec = { decode: (message) => JSON.parse(Buffer.from(message).toString()), encode: (value) => JSON.stringify(value) }

const encoder = new Encoder({ ignoreUndefined: true })
const decoder = new Decoder()
const msgpack: Codec = { decode: (message) => decoder.decode(message), encode: (value) => encoder.encodeSharedRef(value) }

/** Characters of Weft's connection ids. */
const idLength = 16

let connections = 0

const app = App()

const join = (ws: WebSocket<User>, room: string): number => {
  ws.subscribe(ws.getUserData().binary ? `${room}/m` : `${room}/j`)
  return app.numSubscribers(`${room}/j`) + app.numSubscribers(`${room}/m`)
}

const publish = (room: string, data: unknown, from: User["from"]): void => {
  const message = { type: "message", room, data, time: Date.now(), from }
  if (app.numSubscribers(`${room}/j`) > 0) app.publish(`${room}/j`, json.encode(message), false)
  if (app.numSubscribers(`${room}/m`) > 0) app.publish(`${room}/m`, msgpack.encode(message), true)
}

const answer = (ws: WebSocket<User>, message: Message): unknown => {
  const { type, id } = message
  switch (type) {
    case "echo":
      return { type, id, data: message.data }
    case "join_room":
      return { type: "joined", id, room: message.room, epoch: "0", seq: 0, members: join(ws, message.room) }
    case "broadcast":
      publish(message.room, message.data, ws.getUserData().from)
      return { type: "ack", id, room: message.room }
    default:
      return { type: "error", id, code: "unknown_type", message: "no such type", retryable: false }
  }
}

app
  .ws<User>("/*", {
    compression: 0,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 512 * 1024,
    maxBackpressure: 16 * 1024 * 1024,
    upgrade: (res, req, context) => {
      const protocols = req.getHeader("sec-websocket-protocol")
      const binary = protocols.includes("weft.v1.msgpack")
      res.upgrade(
        {
          binary,
          batch: protocols.includes("weft.batch"),
          from: { connection: `c${connections}`.padEnd(idLength, "-"), user: `bench-${connections++}` }
        },
        req.getHeader("sec-websocket-key"),
        binary ? "weft.v1.msgpack" : protocols === "" ? "" : "weft.v1.json",
        req.getHeader("sec-websocket-extensions"),
        context
      )
    },
    message: (ws, bytes, binary) => {
      const codec = binary ? msgpack : json
      const message = codec.decode(bytes)
      if (!Array.isArray(message)) {
        ws.send(codec.encode(answer(ws, message as Message)), binary)
      } else if (ws.getUserData().batch) {
        const answers = message.map((one: Message) => answer(ws, one))
        ws.send(codec.encode(answers), binary)
      } else {
        for (const one of message as Array<Message>) ws.send(codec.encode(answer(ws, one)), binary)
      }
    }
  })
  .listen("127.0.0.1", Number(process.argv[2]), (listening) => {
    if (listening) return console.log("ready")
    console.error("can not listen")
    process.exit(1)
  })
