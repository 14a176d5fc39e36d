import type { Answer, RelaySink } from "./HttpAnswer.ts"
import { corked, framing, later, mayWrite, roomBeside } from "./UwsHttpCork.ts"
import type { Exchange } from "./UwsHttpExchange.ts"

/** Bytes that are written to find out whether the socket has taken what uWebSockets.js holds of the writes before. */
const probe = 1024

/** Bytes that may wait for a later turn before the source is to hold. */
const postponed = 64 * 1024

const empty = new Uint8Array(0)
const ignore = (): void => undefined

export interface RelayWriterOptions {
  /** Bytes of the body; undefined: not known. */
  readonly length: number | undefined
  /** Bytes of status and headers, at most. */
  readonly head: number
  /** Writes status and headers. */
  readonly begin: () => void
  /** Answers in place of a body that failed before anything was written. */
  readonly instead: (answer: Answer) => void
  /** The client takes more. */
  readonly onDrain: () => void
}

/**
 * Writes the body of one answer as it comes. Everything that is given goes out as soon as the client takes it; what it does
 * not take waits here, or, less than two portions of it, in uWebSockets.js. `write` tells when to hold the source.
 *
 * With a known length uWebSockets.js holds nothing but the head: it tells how much was taken. Without one it takes all, and
 * tells of a portion that the socket did not take it only at the write after it.
 */
export class RelayWriter implements RelaySink {
  readonly #exchange: Exchange
  readonly #options: RelayWriterOptions
  readonly #queue: Array<Uint8Array> = []
  #length: number | undefined
  /** Bytes of the body that were given, and how many of them are in the queue. */
  #given = 0
  #queued = 0
  /** uWebSockets.js holds something, as far as is known. */
  #held = false
  /** What is in the queue waits for a later turn, or for the client. */
  #waiting: "no" | "turn" | "client" = "no"
  /** The source was told to hold. */
  #holding = false
  #ended = false
  #failed = false
  #collecting = false

  constructor(exchange: Exchange, options: RelayWriterOptions) {
    this.#exchange = exchange
    this.#options = options
    this.#length = options.length
  }

  /** Collects what is given during `work`, so that it goes out together. */
  together(work: () => void): void {
    this.#collecting = true
    work()
    this.#collecting = false
    this.#flush()
  }

  /** Sends status and headers if nothing was sent yet. Without a known length that takes something to send with them. */
  open(opening: Uint8Array | undefined): void {
    if (this.#exchange.over || this.#exchange.begun || this.#ended || this.#queued > 0) return
    if (this.#length === undefined) {
      if (opening !== undefined) this.write(opening)
    } else if (this.#length > 0) this.#flushKnown(this.#length)
  }

  write(chunk: Uint8Array): boolean {
    if (this.#exchange.over || this.#ended) return true
    if (chunk.length === 0) return !this.#holding
    this.#given += chunk.length
    if (this.#length !== undefined && this.#given > this.#length) {
      this.#exchange.cut()
      return true
    }
    this.#queue.push(chunk)
    this.#queued += chunk.length
    this.#flush()
    this.#holding = this.#waiting === "client" || (this.#waiting === "turn" && this.#queued > postponed)
    return !this.#holding
  }

  end(): void {
    if (this.#exchange.over || this.#ended) return
    if (this.#length !== undefined && this.#given !== this.#length) return this.#exchange.cut()
    this.#ended = true
    this.#flush()
  }

  fail(instead: Answer): void {
    if (this.#exchange.over || this.#ended) return
    this.#ended = true
    this.#failed = true
    if (this.#exchange.begun) return this.#exchange.cut()
    this.#options.instead(instead)
  }

  /** The first `most` bytes of the queue, or less. */
  #take(most: number): Uint8Array | undefined {
    const chunk = this.#queue[0]
    if (chunk === undefined) return undefined
    if (chunk.length <= most) this.#queue.shift()
    else this.#queue[0] = chunk.subarray(most)
    const taken = chunk.length <= most ? chunk : chunk.subarray(0, most)
    this.#queued -= taken.length
    return taken
  }

  /** Bytes of status and headers that are still to be written. */
  #head(): number {
    return this.#exchange.begun ? 0 : this.#options.head
  }

  #begin(): void {
    if (!this.#exchange.begun) this.#options.begin()
  }

  /** Writes what is there, as far as the client takes it. */
  #flush(): void {
    if (this.#exchange.over || this.#waiting !== "no" || this.#collecting || this.#failed) return
    // All of it is there before any of it was sent: it needs no chunks.
    if (this.#length === undefined && this.#ended && !this.#exchange.begun) this.#length = this.#given
    if (this.#length === undefined) this.#flushChunks()
    else this.#flushKnown(this.#length)
  }

  #flushChunks(): void {
    const { res } = this.#exchange
    while (this.#queued > 0) {
      if (roomBeside(this.#head()) < probe && !this.#flushHead()) return
      const head = this.#head()
      const most = Math.min(this.#queued, this.#held ? probe : roomBeside(head))
      const size = head + most + framing
      if (!mayWrite(size)) return this.#postpone()
      corked(res, size, () => {
        this.#begin()
        this.#held = !res.write(this.#take(most) ?? empty)
      })
      if (this.#held) return this.#block()
    }
    if (!this.#ended) return
    if (!mayWrite(framing)) return this.#postpone()
    this.#exchange.ending()
    corked(res, framing, () => void res.end())
    this.#exchange.ended()
  }

  /** Sends status and headers on their own. False: that has to wait. */
  #flushHead(): boolean {
    const { head } = this.#options
    if (!mayWrite(head)) {
      this.#postpone()
      return false
    }
    corked(this.#exchange.res, head, () => this.#begin())
    return true
  }

  #flushKnown(length: number): void {
    const { res } = this.#exchange
    if (roomBeside(this.#head()) < 0 && !this.#flushHead()) return
    const head = this.#head()
    // More than there is room for sends all that stands there, and tells what was not taken.
    const size = head + framing + (this.#queued <= roomBeside(head) ? this.#queued : 0)
    if (!mayWrite(size)) return this.#postpone()
    corked(res, size, () => {
      if (length === 0) {
        this.#exchange.ending()
        this.#begin()
        res.end()
        return this.#exchange.ended()
      }
      if (!this.#exchange.begun && this.#queue.length === 0) return void this.#writeKnown(empty)
      for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
        const taken = this.#writeKnown(chunk)
        if (this.#exchange.over) return
        this.#take(taken)
        if (taken < chunk.length) return this.#block()
      }
    })
  }

  /** Writes a part of a body of known length. Returns how much of it was taken. */
  #writeKnown(chunk: Uint8Array): number {
    const length = this.#length ?? 0
    const { begun, res } = this.#exchange
    this.#begin()
    const before = begun ? res.getWriteOffset() : 0
    if (before + chunk.length >= length) this.#exchange.ending()
    const [ok, done] = res.tryEnd(chunk, length)
    if (done) this.#exchange.ended()
    return ok || done ? chunk.length : res.getWriteOffset() - before
  }

  #postpone(): void {
    this.#waiting = "turn"
    later(() => this.#goOn())
  }

  #block(): void {
    this.#waiting = "client"
    this.#exchange.onWritable(() => this.#writable())
    this.#exchange.blocked(true)
  }

  #writable(): void {
    // An empty cork has uWebSockets.js send what it holds, which it does not by itself once somebody wants to be told.
    this.#exchange.res.cork(ignore)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#exchange.over || this.#waiting === "no") return
    this.#waiting = "no"
    this.#flush()
    if (this.#exchange.over || this.#waiting !== "no") return
    this.#exchange.blocked(false)
    if (!this.#holding || this.#ended) return
    this.#holding = false
    this.#options.onDrain()
  }
}
