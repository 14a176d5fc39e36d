import type { Counters } from "../observe/Counters.ts"
import type { ClientSocket, Publisher } from "../transport/Transport.ts"
import { TurnBatch } from "../transport/TurnBatch.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import { joinJson, joinMsgpack } from "../wire/Batch.ts"
import type { Codec, Encoding } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { topicFor, type Topics } from "./Topics.ts"

/** What fan-out stands on. One for the whole server. */
export interface FanoutContext {
  readonly publisher: Publisher
  readonly json: Codec<string>
  readonly msgpack: Codec<Uint8Array<ArrayBuffer>>
  readonly turnEnd: TurnEnd
  readonly counters: Counters
}

/** A receiver: its socket, and the form in which it takes frames. */
export interface Receiver {
  readonly socket: ClientSocket
  readonly encoding: Encoding
  readonly batch: boolean
}

/** A message that waits for the end of the turn, in the encodings that somebody takes. */
interface Waiting {
  readonly json: string | undefined
  readonly msgpack: Uint8Array | undefined
  /** The receiver, if any, that does not get it. */
  readonly except: Receiver | undefined
  /** When it was taken up, by `performance.now()`. Absent for what is no broadcast. */
  readonly since: number | undefined
}

const isOfForm = ({ encoding, batch }: Receiver, form: Encoding, batches: boolean): boolean => encoding === form && batch === batches

/**
 * Sends one message to many receivers on this node by native topics: encoded at most once for each encoding, and not
 * at all for one that nobody takes.
 *
 * What is sent goes out at the end of the turn. A publisher that is a receiver would otherwise get its own message, and
 * each answer, in a write of its own: uWebSockets writes out what a topic has for a socket before anything is sent to it
 * directly. And receivers with batches get what a turn brought in one frame.
 */
export class Fanout {
  private readonly context: FanoutContext
  private readonly topics: Topics
  private json = 0
  private msgpack = 0
  private jsonBatch = 0
  private msgpackBatch = 0
  private readonly waiting: TurnBatch<Waiting>
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

  /** Sends a broadcast, and counts it. `except` does not get it, though it is a receiver. */
  broadcast(message: ServerMessage, except?: Receiver): void {
    this.take(message, except, performance.now())
  }

  private take(message: ServerMessage, except: Receiver | undefined, since: number | undefined): void {
    const { json, msgpack } = this.context
    this.waiting.add({
      json: this.json + this.jsonBatch > 0 ? json.encode(message) : undefined,
      msgpack: this.msgpack + this.msgpackBatch > 0 ? msgpack.encode(message) : undefined,
      except,
      since
    })
  }

  /** Sends what has waited to those who are receivers now, as they were when it was taken. */
  private send(waiting: ReadonlyArray<Waiting>): void {
    if (this.json > 0) for (const { json, except } of waiting) this.publish("json", false, json, except)
    if (this.msgpack > 0) for (const { msgpack, except } of waiting) this.publish("msgpack", false, msgpack, except)
    if (this.jsonBatch > 0) this.publishTogether("json", waiting, ({ json }) => json, joinJson)
    if (this.msgpackBatch > 0) this.publishTogether("msgpack", waiting, ({ msgpack }) => msgpack, joinMsgpack)
    const { awaiting } = this
    this.awaiting = undefined
    for (const told of awaiting?.values() ?? []) told()
    const now = performance.now()
    for (const { except, since } of waiting)
      if (since !== undefined) this.context.counters.published(this.size - (except === undefined ? 0 : 1), now - since)
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
