import type { Counters } from "../observe/Counters.ts"
import type { ClientSocket, Publisher } from "../transport/Transport.ts"
import { TurnBatch } from "../transport/TurnBatch.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import { joinJson, joinMsgpack } from "../wire/Batch.ts"
import type { Codec, Encoding } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { Crowd } from "./Crowd.ts"
import { topicFor, type Topics } from "./Topics.ts"

/** What fan-out stands on. One for the whole server. */
export interface FanoutContext {
  readonly publisher: Publisher
  readonly json: Codec<string>
  readonly msgpack: Codec<Uint8Array<ArrayBuffer>>
  readonly turnEnd: TurnEnd
  readonly counters: Counters
  /** A clock that never goes back, in milliseconds. */
  readonly elapsed: () => number
}

/** A receiver: its socket, and the form in which it takes frames. */
export interface Receiver {
  readonly socket: ClientSocket
  readonly encoding: Encoding
  readonly batch: boolean
}

type Frame = string | Uint8Array

/** A message that is to be sent, in the encodings that somebody takes. */
interface Encoded {
  readonly json: string | undefined
  readonly msgpack: Uint8Array | undefined
  /** The receiver, if any, that does not get it by its topic. */
  readonly except: Receiver | undefined
}

/** A message that waits for the end of the turn. */
interface Waiting extends Encoded {
  /** When it was taken up. Absent for what is no broadcast. */
  readonly since: number | undefined
}

/** A broadcast, and what has to do with its publisher. */
export interface Broadcast {
  readonly message: ServerMessage
  /** The receiver, if any, that does not get it. */
  readonly except?: Receiver | undefined
  /** Who publishes, if that is a receiver. */
  readonly publisher?: Receiver | undefined
}

const isOfForm = ({ encoding, batch }: Receiver, form: Encoding, batches: boolean): boolean => encoding === form && batch === batches

/**
 * Sends one message to many receivers on this node by native topics: encoded at most once for each encoding, and not
 * at all for one that nobody takes.
 *
 * uWebSockets writes out what a topic has for a socket before anything is sent to it directly: a publisher that is a
 * receiver would get its own message, and each answer, in a write of its own. So the topic leaves it out, and its message is
 * sent to it directly, in one write with the answer. Where a crowd publishes that does not help, for each has the messages of
 * others to get first: there all go out at the end of the turn, behind the answers. So they do where receivers take batches,
 * for these get what a turn brought in one frame.
 */
export class Fanout {
  private readonly context: FanoutContext
  private readonly topics: Topics
  private json = 0
  private msgpack = 0
  private jsonBatch = 0
  private msgpackBatch = 0
  private readonly waiting: TurnBatch<Waiting>
  private readonly crowd = new Crowd<Receiver>()
  /** Receivers that are to be told of the next publish. Absent until one is. */
  private awaiting: Map<Receiver, () => void> | undefined = undefined

  constructor(context: FanoutContext, topics: Topics) {
    this.context = context
    this.topics = topics
    this.waiting = new TurnBatch((messages) => this.send(messages), context.turnEnd.afterRooms)
  }

  /** How many receivers there are. */
  get size(): number {
    return this.json + this.msgpack + this.jsonBatch + this.msgpackBatch
  }

  /** From now on the receiver gets what is sent; nothing that was sent before. */
  add(receiver: Receiver): void {
    this.waiting.flush()
    this.count(receiver, 1)
    receiver.socket.subscribe(topicFor(this.topics, receiver.encoding, receiver.batch))
  }

  /** The receiver gets what was sent before and nothing that is sent after. */
  remove(receiver: Receiver): void {
    this.waiting.flush()
    this.count(receiver, -1)
    this.awaiting?.delete(receiver)
    this.crowd.forget(receiver)
    receiver.socket.unsubscribe(topicFor(this.topics, receiver.encoding, receiver.batch))
  }

  /** Calls back once, in the turn in which something is published next. Not for what is no receiver by then. */
  awaitPublish(receiver: Receiver, told: () => void): void {
    this.awaiting ??= new Map()
    this.awaiting.set(receiver, told)
  }

  /** Sends what is about the receivers and not from somebody to them: it is not counted as a broadcast. */
  notify(message: ServerMessage): void {
    this.take(message, undefined, undefined)
  }

  /** Sends a broadcast, and counts it. Returns a frame where that is left to be sent to its publisher, who does not get it otherwise. */
  broadcast({ message, except, publisher }: Broadcast): Frame | undefined {
    const now = this.context.elapsed()
    const crowded = this.crowd.joinedBy(publisher, now)
    if (crowded || this.jsonBatch + this.msgpackBatch > 0) {
      this.take(message, except, now)
      return undefined
    }
    const given = except === undefined ? publisher : undefined
    const encoded = this.encode(message, except ?? publisher)
    this.waiting.flush()
    this.publishEach([encoded])
    this.tellAwaiting()
    this.context.counters.published(this.size - (except === undefined ? 0 : 1), this.context.elapsed() - now)
    return given === undefined ? undefined : encoded[given.encoding]
  }

  private encode(message: ServerMessage, except: Receiver | undefined): Encoded {
    const { json, msgpack } = this.context
    return {
      json: this.json + this.jsonBatch > 0 ? json.encode(message) : undefined,
      msgpack: this.msgpack + this.msgpackBatch > 0 ? msgpack.encode(message) : undefined,
      except
    }
  }

  private take(message: ServerMessage, except: Receiver | undefined, since: number | undefined): void {
    this.waiting.add({ ...this.encode(message, except), since })
  }

  /** Sends what has waited to those who are receivers now, as they were when it was taken. */
  private send(waiting: ReadonlyArray<Waiting>): void {
    this.publishEach(waiting)
    if (this.jsonBatch > 0) this.publishTogether("json", waiting, ({ json }) => json, joinJson)
    if (this.msgpackBatch > 0) this.publishTogether("msgpack", waiting, ({ msgpack }) => msgpack, joinMsgpack)
    this.tellAwaiting()
    const now = this.context.elapsed()
    for (const { except, since } of waiting)
      if (since !== undefined) this.context.counters.published(this.size - (except === undefined ? 0 : 1), now - since)
  }

  /** Each message in a frame of its own, to those without batches. */
  private publishEach(messages: ReadonlyArray<Encoded>): void {
    if (this.json > 0) for (const { json, except } of messages) this.publish("json", false, json, except)
    if (this.msgpack > 0) for (const { msgpack, except } of messages) this.publish("msgpack", false, msgpack, except)
  }

  private tellAwaiting(): void {
    const { awaiting } = this
    if (awaiting === undefined) return
    this.awaiting = undefined
    for (const told of awaiting.values()) told()
  }

  private publish(encoding: Encoding, batch: boolean, frame: string | Uint8Array | undefined, except: Receiver | undefined): void {
    if (frame === undefined) return
    const topic = topicFor(this.topics, encoding, batch)
    const { binary } = this.context[encoding]
    if (except !== undefined && isOfForm(except, encoding, batch) && except.socket.publish(topic, frame, binary)) return
    this.context.publisher.publish(topic, frame, binary)
  }

  private publishTogether<F extends string | Uint8Array>(
    encoding: Encoding,
    waiting: ReadonlyArray<Waiting>,
    frameOf: (message: Waiting) => F | undefined,
    join: (frames: ReadonlyArray<F>) => F
  ): void {
    let together: Array<F> = []
    const publishThem = (): void => {
      this.publish(encoding, true, together.length > 1 ? join(together) : together[0], undefined)
      together = []
    }
    for (const message of waiting) {
      const frame = frameOf(message)
      if (frame === undefined) continue
      const { except } = message
      if (except === undefined || !isOfForm(except, encoding, true)) together.push(frame)
      else {
        // What one of the receivers must not get can not share a frame with messages that it gets.
        publishThem()
        this.publish(encoding, true, frame, except)
      }
    }
    publishThem()
  }

  private count(receiver: Receiver, by: number): void {
    if (receiver.encoding === "json") {
      if (receiver.batch) this.jsonBatch += by
      else this.json += by
    } else if (receiver.batch) this.msgpackBatch += by
    else this.msgpack += by
  }
}
