/** From a socket's frames to the mailbox of its connection: size, codec, schema. The edge of the actor. */
import { maxBatch } from "../wire/Batch.ts"
import { CodecError } from "../wire/Codec.ts"
import { isClientMessage, refusalOf, type Refusal, unreadable } from "../wire/Decode.ts"
import { isBareHeartbeat, isServerHeartbeat } from "../wire/Heartbeats.ts"
import { countEchoes } from "../wire/JsonEchoes.ts"
import { peekBatchRooms, peekRoom } from "../wire/PeekRoom.ts"
import { toWireValue } from "../wire/Value.ts"
import type { Accepted, SocketHandler } from "../transport/Transport.ts"
import type { Connection } from "./Connection.ts"
import type { ConnectionContext } from "./ConnectionContext.ts"
import { type ConnectionMessage, drainedEvent } from "./ConnectionMessages.ts"
import type { Connections } from "./Connections.ts"
import { isBareEcho } from "./requests.ts"

const refusal = (message: string): Refusal => ({ error: "invalid_message", message })

const wrongFrame = {
  json: refusal("this connection speaks JSON, in text frames"),
  msgpack: refusal("this connection speaks MessagePack, in binary frames")
} as const

const emptyBatch = refusal("a batch must not be empty")
const longBatch = refusal(`a batch holds at most ${maxBatch} messages`)

/**
 * The transport answers pings by itself, and reports a pong that did not fit like a message. Its payload is the client's
 * own; our text frames begin with a bracket, and what one that mimics this miscounts are its own gaps.
 */
const isPong = ({ encoding }: Connection, bytes: Uint8Array, binary: boolean): boolean =>
  encoding === "msgpack" ? !binary : bytes[0] !== 0x7b && bytes[0] !== 0x5b

/** The handler of all hub sockets. */
export const socketHandler = (connections: Connections, context: ConnectionContext): SocketHandler<Accepted, Connection> => {
  const { counters, settings, time } = context

  const give = (connection: Connection, message: ConnectionMessage): void => {
    if (connection.offer(message)) return
    // The actor has ended, or so much waits that it can not even take the news: the client is told and counted.
    counters.mailboxFull("connection")
    connection.offerReply({ type: "@disconnect", code: 4429, reason: "too many messages wait" })
  }

  const accept = (connection: Connection, value: unknown): void =>
    give(connection, isClientMessage(value) ? value : { type: "@malformed", offence: "invalid", refusal: refusalOf(value) })

  const undecodable = (connection: Connection, problem: Refusal): void => {
    connection.offerReply({ type: "@malformed", offence: "undecodable", refusal: problem })
  }

  /** A message out of a batch that was parsed and has a fault somewhere: perhaps not here. The batch itself is a level. */
  const acceptUnchecked = (connection: Connection, parsed: unknown): void => {
    let value: unknown
    try {
      value = toWireValue(parsed, settings.limits.depth - 1)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return give(connection, { type: "@malformed", offence: "undecodable", refusal: unreadable(error.message, parsed) })
    }
    accept(connection, value)
  }

  /** Messages are taken in order, each by itself. */
  const acceptBatch = (connection: Connection, batch: ReadonlyArray<unknown>, acceptOne: typeof accept): void => {
    if (batch.length === 0) return undecodable(connection, emptyBatch)
    if (batch.length > maxBatch) return undecodable(connection, longBatch)
    for (const item of batch) acceptOne(connection, item)
  }

  /** Whether a frame may be dealt with as it is, all of its messages at once: nothing waits before it, and nothing has to be counted. */
  const mayTakeWhole = ({ idle, rate }: Connection): boolean => idle && rate === undefined

  /**
   * How many bare echoes the frame is, if it is certain without decoding that it is nothing else. One that comes alone to a
   * connection with batches goes the long way: its reply shares a frame with others.
   */
  const echoesIn = (connection: Connection, bytes: Uint8Array): number =>
    connection.encoding === "json" && connection.batch === (bytes[0] === 0x5b) && mayTakeWhole(connection)
      ? countEchoes(bytes, settings.limits.depth)
      : 0

  /** A batch of nothing but bare echoes is its own reply, to the byte, while the connection is free to say so at once. */
  const isOwnReply = (connection: Connection, batch: ReadonlyArray<unknown>): boolean => {
    if (!mayTakeWhole(connection) || batch.length === 0 || batch.length > maxBatch) return false
    for (const item of batch) if (!isClientMessage(item) || item.type !== "echo" || !isBareEcho(item)) return false
    return true
  }

  const onFrame = (connection: Connection, frame: ArrayBuffer, binary: boolean): void => {
    const codec = connection.encoding === "json" ? context.json : context.msgpack
    connection.lastFrame = time.now
    counters.received(codec.encoding)
    if (frame.byteLength > settings.limits.message) {
      connection.offerReply({ type: "@oversized", limit: settings.limits.message })
      return
    }
    if (binary !== codec.binary) return undecodable(connection, wrongFrame[codec.encoding])
    const bytes = new Uint8Array(frame)
    // That it came is all that it says. Of a connection that is being closed everything is counted.
    if (isBareHeartbeat(bytes, codec.encoding) && mayTakeWhole(connection) && !connection.closing) return
    const echoes = echoesIn(connection, bytes)
    if (echoes > 0) return give(connection, { type: "@echoes", count: echoes, frame })
    let value: unknown
    try {
      value = codec.decode(bytes)
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      if (Array.isArray(error.value)) return acceptBatch(connection, error.value, acceptUnchecked)
      return undecodable(connection, unreadable(error.message, error.value))
    }
    if (Array.isArray(value)) {
      if (connection.batch && isOwnReply(connection, value)) return give(connection, { type: "@echoes", count: value.length, frame })
      return acceptBatch(connection, value, accept)
    }
    if (!connection.batch) connection.frame = frame
    accept(connection, value)
    connection.frame = undefined
  }

  const onDropped = (connection: Connection, frame: ArrayBuffer, binary: boolean): void => {
    const bytes = new Uint8Array(frame)
    if (isPong(connection, bytes, binary) || isServerHeartbeat(bytes, connection.encoding)) return
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
