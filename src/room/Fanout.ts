import { Outbox } from "../transport/Outbox.ts"
import type { ClientSocket, Publisher } from "../transport/Transport.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import type { Codec, Encoding } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { topicFor, type Topics } from "./Topics.ts"

/** What fan-out stands on. One for the whole server. */
export interface FanoutContext {
  readonly publisher: Publisher
  readonly json: Codec
  readonly msgpack: Codec
  readonly turnEnd: TurnEnd
}

/** A receiver: its socket, and the form in which it takes frames. */
export interface Receiver {
  readonly socket: ClientSocket
  readonly batch: boolean
}

const text = (frame: string | Uint8Array): string => (typeof frame === "string" ? frame : "")
const bytes = (frame: string | Uint8Array): Uint8Array => (typeof frame === "string" ? new Uint8Array() : frame)

/**
 * Sends one message to many receivers on this node by native topics: encoded at most once for each encoding, and not
 * at all for one that nobody takes.
 */
export class Fanout {
  private readonly context: FanoutContext
  private readonly topics: Topics
  private json = 0
  private msgpack = 0
  private jsonBatch = 0
  private msgpackBatch = 0
  private jsonOutbox: Outbox<string> | undefined
  private msgpackOutbox: Outbox<Uint8Array> | undefined

  constructor(context: FanoutContext, topics: Topics) {
    this.context = context
    this.topics = topics
  }

  /** How many receivers there are. */
  get size(): number {
    return this.json + this.msgpack + this.jsonBatch + this.msgpackBatch
  }

  /** From now on the receiver gets what is sent; nothing that was sent before. */
  add(receiver: Receiver): void {
    this.flush(receiver)
    this.count(receiver, 1)
    receiver.socket.subscribe(topicFor(this.topics, receiver.socket.encoding, receiver.batch))
  }

  /** The receiver gets what was sent before and nothing that is sent after. */
  remove(receiver: Receiver): void {
    this.flush(receiver)
    this.count(receiver, -1)
    receiver.socket.unsubscribe(topicFor(this.topics, receiver.socket.encoding, receiver.batch))
  }

  /** `except` does not get the message, though it is a receiver. */
  send(message: ServerMessage, except?: Receiver): void {
    const { json, msgpack } = this.context
    if (this.json > 0 || this.jsonBatch > 0) {
      const frame = json.encodeShared(message)
      if (this.json > 0) this.publish(this.topics.json, frame, false, except)
      if (this.jsonBatch > 0) {
        if (isBatch(except, "json")) this.publishAround(this.topics.jsonBatch, frame, false, except)
        else this.outboxJson().add(text(frame))
      }
    }
    if (this.msgpack > 0) this.publish(this.topics.msgpack, msgpack.encodeShared(message), true, except)
    if (this.msgpackBatch > 0) {
      if (isBatch(except, "msgpack")) this.publishAround(this.topics.msgpackBatch, msgpack.encodeShared(message), true, except)
      else this.outboxMsgpack().add(bytes(msgpack.encode(message)))
    }
  }

  private publish(topic: string, frame: string | Uint8Array, binary: boolean, except: Receiver | undefined): void {
    if (except === undefined) this.context.publisher.publish(topic, frame, binary)
    else except.socket.publish(topic, frame, binary)
  }

  /** A message that one of the batch receivers must not get can not share a frame with others that it gets. */
  private publishAround(topic: string, frame: string | Uint8Array, binary: boolean, except: Receiver): void {
    this.flush(except)
    except.socket.publish(topic, frame, binary)
  }

  private flush(receiver: Receiver): void {
    if (!receiver.batch) return
    if (receiver.socket.encoding === "json") this.jsonOutbox?.flush()
    else this.msgpackOutbox?.flush()
  }

  private outboxJson(): Outbox<string> {
    return (this.jsonOutbox ??= Outbox.json(
      (frame) => this.context.publisher.publish(this.topics.jsonBatch, frame, false),
      this.context.turnEnd.afterRooms
    ))
  }

  private outboxMsgpack(): Outbox<Uint8Array> {
    return (this.msgpackOutbox ??= Outbox.msgpack(
      (frame) => this.context.publisher.publish(this.topics.msgpackBatch, frame, true),
      this.context.turnEnd.afterRooms
    ))
  }

  private count(receiver: Receiver, by: number): void {
    if (receiver.socket.encoding === "json") {
      if (receiver.batch) this.jsonBatch += by
      else this.json += by
    } else if (receiver.batch) this.msgpackBatch += by
    else this.msgpack += by
  }
}

const isBatch = (receiver: Receiver | undefined, encoding: Encoding): receiver is Receiver =>
  receiver !== undefined && receiver.batch && receiver.socket.encoding === encoding
