import type { Encoding } from "../wire/Codec.ts"
import { closeCodes, type ErrorCode, errorCodes } from "../wire/Codes.ts"

/** How many values a label may take. What comes after is counted as `other`: a client must not be able to grow the metrics. */
const maxLabels = 64

/** Counts by the value of one label. */
export class LabelledCounter {
  readonly #counts = new Map<string | number, number>()
  #onLabel: ((label: string, read: () => number) => void) | undefined

  /** `known` values are shown from the start, with 0. */
  constructor(known: Iterable<string | number> = []) {
    for (const label of known) this.#counts.set(label, 0)
  }

  add(label: string | number, by = 1): void {
    const count = this.#counts.get(label)
    if (count !== undefined) this.#counts.set(label, count + by)
    else if (this.#counts.size < maxLabels || label === "other") this.#begin(label, by)
    else this.add("other", by)
  }

  get(label: string | number): number {
    return this.#counts.get(label) ?? 0
  }

  /** Tells of every value of the label, those of the future too. One listener. */
  watch(onLabel: (label: string, read: () => number) => void): void {
    this.#onLabel = onLabel
    for (const label of this.#counts.keys()) onLabel(String(label), () => this.get(label))
  }

  #begin(label: string | number, count: number): void {
    this.#counts.set(label, count)
    this.#onLabel?.(String(label), () => this.get(label))
  }
}

/** A histogram of fixed buckets. */
export class HistogramCounts {
  /** Upper bounds of the buckets, ascending; the last bucket, without a bound, is not among them. */
  readonly boundaries: ReadonlyArray<number>
  readonly #buckets: Array<number>
  count = 0
  sum = 0
  min = 0
  max = 0

  constructor(boundaries: ReadonlyArray<number>) {
    this.boundaries = boundaries
    this.#buckets = boundaries.map(() => 0)
  }

  observe(value: number): void {
    const buckets = this.#buckets
    for (let i = 0; i < buckets.length; i++) {
      if (value <= (this.boundaries[i] ?? 0)) {
        buckets[i] = (buckets[i] ?? 0) + 1
        break
      }
    }
    if (this.count === 0 || value < this.min) this.min = value
    if (value > this.max) this.max = value
    this.count++
    this.sum += value
  }

  /** For each boundary how many values were not above it. */
  cumulative(): Array<[boundary: number, count: number]> {
    let total = 0
    return this.boundaries.map((boundary, i) => [boundary, (total += this.#buckets[i] ?? 0)])
  }
}

/** Seconds, from what a small room takes to what nobody should wait for. */
const broadcastBoundaries = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

const zeros = (): Record<ErrorCode, number> => {
  const counts: Partial<Record<string, number>> = {}
  for (const code of Object.keys(errorCodes)) counts[code] = 0
  return counts as Record<ErrorCode, number>
}

/** What peers and kernels close with beside our own codes (RFC 6455, section 7.4.1). */
const otherCloses = [1002, 1003, 1005, 1006, 1007, 1008, 1010, 1011]

/**
 * All counts that the hub keeps. Plain numbers, since some of them are raised for every frame: one addition is the whole
 * cost. `Metrics` shows them.
 */
export class Counters {
  messagesInJson = 0
  messagesInMsgpack = 0
  messagesOutJson = 0
  messagesOutMsgpack = 0
  deliveries = 0
  slowConsumers = 0
  droppedMessages = 0
  connections = 0
  readonly errors = zeros()
  readonly closes = new LabelledCounter([...Object.keys(closeCodes).map(Number), ...otherCloses])
  readonly refusals = new LabelledCounter([400, 401, 403, 404, 426, 429, 503])
  readonly fullMailboxes = new LabelledCounter(["connection", "room"])
  readonly restarts = new LabelledCounter(["room", "health"])
  readonly httpAnswers = new LabelledCounter()
  readonly broadcastSeconds = new HistogramCounts(broadcastBoundaries)

  /** A connection was accepted. */
  opened(): void {
    this.connections++
  }

  closed(code: number): void {
    this.closes.add(code)
  }

  /** A connection was refused before the upgrade. */
  refused(status: number): void {
    this.refusals.add(status)
  }

  /** A frame came from a client, whether it was any good or not. */
  received(encoding: Encoding): void {
    if (encoding === "json") this.messagesInJson++
    else this.messagesInMsgpack++
  }

  /** Messages were encoded for one client. */
  sent(encoding: Encoding, count = 1): void {
    if (encoding === "json") this.messagesOutJson += count
    else this.messagesOutMsgpack += count
  }

  /** A message was handed to `deliveries` connections, `milliseconds` after it was taken up. */
  published(deliveries: number, milliseconds: number): void {
    this.deliveries += deliveries
    this.broadcastSeconds.observe(milliseconds / 1000)
  }

  /** A client was told an error. */
  error(code: ErrorCode): void {
    this.errors[code]++
  }

  /** A connection was closed because it reads too slowly. */
  slowConsumer(): void {
    this.slowConsumers++
  }

  /** A message was skipped for a connection that reads too slowly. */
  dropped(): void {
    this.droppedMessages++
  }

  /** The mailbox of an actor of this kind did not take a message. */
  mailboxFull(actor: string): void {
    this.fullMailboxes.add(actor)
  }

  /** An actor of this kind was started again after a failure. */
  restarted(actor: string): void {
    this.restarts.add(actor)
  }

  /** An HTTP request was answered. */
  answered(status: number): void {
    this.httpAnswers.add(status)
  }
}
