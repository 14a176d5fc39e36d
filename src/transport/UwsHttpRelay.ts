import type { Answer, RelaySink } from "./HttpAnswer.ts"
import type { Exchange } from "./UwsHttpExchange.ts"

/**
 * Bytes that go through for certain when the socket is writable again: of what it did not take, uWebSockets.js holds the
 * rest and does not tell when that is gone.
 */
const certain = 4096

/** Bytes around the data of a chunk. */
const framing = 16

const empty = new Uint8Array(0)

export interface RelayWriterOptions {
  /** Bytes of the body; undefined: not known. */
  readonly length: number | undefined
  /** Writes status and headers. */
  readonly begin: () => void
  /** Answers in place of a body that failed before anything was written. */
  readonly instead: (answer: Answer) => void
  /** The client takes more. */
  readonly onDrain: () => void
}

/**
 * Writes the body of one answer as it comes. Everything that is given goes out as soon as the client takes it; what it does
 * not take waits here, or, less than one chunk of it, in uWebSockets.js. `write` tells when to hold the source.
 *
 * With a known length uWebSockets.js holds nothing: it tells how much was taken. Without one it takes all, and tells only
 * whether the socket has taken all that it held. Therefore the end of a chunk is written after the rest of it has gone out,
 * and in small pieces while that is in doubt: so there is always something left to write, and to find out with.
 */
export class RelayWriter implements RelaySink {
  readonly #exchange: Exchange
  readonly #options: RelayWriterOptions
  readonly #queue: Array<Uint8Array> = []
  #length: number | undefined
  /** Bytes of the body that were given, and how many of them are in the queue. */
  #given = 0
  #queued = 0
  /** Bytes that uWebSockets.js holds at most. */
  #held = 0
  /** Something waits for the client. */
  #blocked = false
  #ended = false
  #corked = false

  constructor(exchange: Exchange, options: RelayWriterOptions) {
    this.#exchange = exchange
    this.#options = options
    this.#length = options.length
  }

  /** Collects what is written during `work` into one write. */
  together(work: () => void): void {
    if (this.#exchange.over) return
    this.#corked = true
    this.#exchange.res.cork(() => {
      work()
      this.#flush()
    })
    this.#corked = false
  }

  /** Sends status and headers if nothing was sent yet. Without a known length that takes something to send with them. */
  open(opening: Uint8Array | undefined): void {
    if (this.#exchange.over || this.#exchange.begun || this.#ended || this.#queued > 0) return
    if (this.#length === undefined) {
      if (opening !== undefined) this.write(opening)
    } else if (this.#length > 0) this.#cork(() => void this.#writeKnown(empty))
  }

  write(chunk: Uint8Array): boolean {
    if (this.#exchange.over || this.#ended) return true
    if (chunk.length === 0) return !this.#blocked
    this.#given += chunk.length
    if (this.#length !== undefined && this.#given > this.#length) {
      this.#exchange.cut()
      return true
    }
    this.#queue.push(chunk)
    this.#queued += chunk.length
    if (!this.#blocked) this.#cork(() => this.#flush())
    return !this.#blocked
  }

  end(): void {
    if (this.#exchange.over || this.#ended) return
    if (this.#length !== undefined && this.#given !== this.#length) return this.#exchange.cut()
    this.#ended = true
    if (!this.#blocked) this.#cork(() => this.#flush())
  }

  fail(instead: Answer): void {
    if (this.#exchange.over || this.#ended) return
    this.#ended = true
    if (this.#exchange.begun) return this.#exchange.cut()
    this.#queue.length = 0
    this.#options.instead(instead)
  }

  #cork(work: () => void): void {
    if (!this.#corked) this.#exchange.res.cork(work)
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

  #begin(): void {
    if (!this.#exchange.begun) this.#options.begin()
  }

  /** Writes what is there, as far as the client takes it. Must run corked. */
  #flush(): void {
    if (this.#exchange.over || this.#blocked) return
    // All of it is there before any of it was sent: it needs no chunks.
    if (this.#length === undefined && this.#ended && !this.#exchange.begun) this.#length = this.#given
    if (this.#length === undefined) this.#flushChunks()
    else this.#flushKnown(this.#length)
  }

  #flushChunks(): void {
    const { res } = this.#exchange
    for (let piece = this.#take(this.#portion()); piece !== undefined; piece = this.#take(this.#portion())) {
      this.#begin()
      if (!res.write(piece)) {
        this.#held += piece.length + framing
        return this.#block()
      }
      this.#held = 0
    }
    if (!this.#ended) return
    this.#exchange.ending()
    res.end()
    this.#exchange.ended()
  }

  #portion(): number {
    if (this.#held > 0) return Math.ceil(Math.min(this.#queued, certain) / 4)
    return this.#queued > certain ? this.#queued - certain : certain
  }

  #flushKnown(length: number): void {
    if (length === 0) {
      this.#exchange.ending()
      this.#begin()
      this.#exchange.res.end()
      return this.#exchange.ended()
    }
    for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
      const taken = this.#writeKnown(chunk)
      if (this.#exchange.over) return
      this.#take(taken)
      if (taken < chunk.length) return this.#block()
    }
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

  #block(): void {
    this.#blocked = true
    this.#exchange.onWritable(() => this.#writable())
    this.#exchange.blocked(true)
  }

  #writable(): void {
    if (!this.#blocked) return
    this.#blocked = false
    // Also with nothing to write: an empty cork has uWebSockets.js send what it holds, which it does not by itself.
    this.#corked = true
    this.#exchange.res.cork(() => {
      if (this.#queue.length > 0) this.#flush()
    })
    this.#corked = false
    if (this.#exchange.over || this.#blocked) return
    this.#held = 0
    this.#exchange.blocked(false)
    if (!this.#ended) this.#options.onDrain()
    else this.#cork(() => this.#flush())
  }
}
