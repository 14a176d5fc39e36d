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
  readonly encoding: Encoding
  readonly batch: boolean
}

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
  private readonly outboxes: { json?: Outbox; msgpack?: Outbox } = {}

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
    receiver.socket.subscribe(topicFor(this.topics, receiver.encoding, receiver.batch))
  }

  /** The receiver gets what was sent before and nothing that is sent after. */
  remove(receiver: Receiver): void {
    this.flush(receiver)
    this.count(receiver, -1)
    receiver.socket.unsubscribe(topicFor(this.topics, receiver.encoding, receiver.batch))
  }

  /** `except` does not get the message, though it is a receiver. */
  send(message: ServerMessage, except?: Receiver): void {
    const { json, msgpack } = this.context
    if (this.json > 0) this.publish(this.topics.json, json, message, except)
    if (this.msgpack > 0) this.publish(this.topics.msgpack, msgpack, message, except)
    if (this.jsonBatch > 0) this.publishBatch(this.topics.jsonBatch, this.outboxFor("json"), json, message, except)
    if (this.msgpackBatch > 0) this.publishBatch(this.topics.msgpackBatch, this.outboxFor("msgpack"), msgpack, message, except)
  }

  private publish(topic: string, codec: Codec, message: ServerMessage, except: Receiver | undefined): void {
    const frame = codec.encodeShared(message)
    if (except === undefined) this.context.publisher.publish(topic, frame, codec.binary)
    else except.socket.publish(topic, frame, codec.binary)
  }

  private publishBatch(topic: string, outbox: Outbox, codec: Codec, message: ServerMessage, except: Receiver | undefined): void {
    if (except === undefined || !except.batch || except.encoding !== codec.encoding) return outbox.add(message)
    // What one of the receivers must not get can not share a frame with messages that it gets.
    outbox.flush()
    this.publish(topic, codec, message, except)
  }

  private flush(receiver: Receiver): void {
    if (receiver.batch) this.outboxes[receiver.encoding]?.flush()
  }

  private outboxFor(encoding: Encoding): Outbox {
    const { publisher, turnEnd } = this.context
    const codec = this.context[encoding]
    const topic = topicFor(this.topics, encoding, true)
    return (this.outboxes[encoding] ??= new Outbox(codec, (frame) => publisher.publish(topic, frame, codec.binary), turnEnd.afterRooms))
  }

  private count(receiver: Receiver, by: number): void {
    if (receiver.encoding === "json") {
      if (receiver.batch) this.jsonBatch += by
      else this.json += by
    } else if (receiver.batch) this.msgpackBatch += by
    else this.msgpack += by
  }
}
