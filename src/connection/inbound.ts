/** From a socket's frames to the mailbox of its connection: size, codec, schema. The edge of the actor. */
import { maxBatch } from "../wire/Batch.ts"
import { CodecError } from "../wire/Codec.ts"
import { isClientMessage, refusalOf, type Refusal } from "../wire/Decode.ts"
import { peekBatchRooms, peekRoom } from "../wire/PeekRoom.ts"
import type { SocketHandler } from "../transport/Transport.ts"
import type { Connection, ConnectionContext } from "./Connection.ts"
import { drainedEvent } from "./ConnectionMessages.ts"
import type { Connections } from "./Connections.ts"

const refusal = (message: string): Refusal => ({ error: "invalid_message", message })

const wrongFrame = {
  json: refusal("this connection speaks JSON, in text frames"),
  msgpack: refusal("this connection speaks MessagePack, in binary frames")
} as const

const emptyBatch = refusal("a batch must not be empty")
const longBatch = refusal(`a batch holds at most ${maxBatch} messages`)

/** The handler of all hub sockets. */
export const socketHandler = (connections: Connections, context: ConnectionContext): SocketHandler<Connection> => {
  const { counters, settings, time } = context

  const accept = (connection: Connection, value: unknown): void => {
    const taken = isClientMessage(value)
      ? connection.offer(value)
      : connection.offer({ type: "@malformed", offence: "invalid", refusal: refusalOf(value) })
    if (taken) return
    // The actor has ended, or so much waits that it can not even take the news: the client is told and counted.
    counters.mailboxFull("connection")
    connection.offerReply({ type: "@disconnect", code: 4429, reason: "too many messages wait" })
  }

  const undecodable = (connection: Connection, problem: Refusal): void => {
    connection.offerReply({ type: "@malformed", offence: "undecodable", refusal: problem })
  }

  const onFrame = (connection: Connection, frame: ArrayBuffer, binary: boolean): void => {
    const codec = connection.socket.encoding === "json" ? context.json : context.msgpack
    connection.lastFrame = time.now
    counters.received(codec.encoding)
    if (frame.byteLength > settings.limits.message) {
      connection.offerReply({ type: "@oversized", limit: settings.limits.message })
      return
    }
    if (binary !== codec.binary) return undecodable(connection, wrongFrame[codec.encoding])
    let value: unknown
    try {
      value = codec.decode(new Uint8Array(frame))
    } catch (error) {
      if (error instanceof CodecError) return undecodable(connection, refusal(error.message))
      throw error
    }
    if (!Array.isArray(value)) {
      if (!connection.batch) connection.frame = frame
      accept(connection, value)
      connection.frame = undefined
      return
    }
    if (value.length === 0) return undecodable(connection, emptyBatch)
    if (value.length > maxBatch) return undecodable(connection, longBatch)
    for (const item of value) accept(connection, item)
  }

  const onDropped = (connection: Connection, frame: ArrayBuffer, binary: boolean): void => {
    const bytes = new Uint8Array(frame)
    if (!connection.batch) return connection.skipped(peekRoom(bytes, binary))
    for (const room of peekBatchRooms(bytes, binary)) connection.skipped(room)
  }

  return {
    onOpen: (socket, accepted) => connections.open(socket, accepted),
    onFrame,
    onDropped,
    onAlive: (connection) => {
      connection.lastFrame = time.now
    },
    onDrain: (connection) => {
      if (connection.outgoing.waits) connection.offerReply(drainedEvent)
    },
    onClose: (connection, code) => {
      counters.closed(code)
      connections.closed(connection, code)
    }
  }
}
