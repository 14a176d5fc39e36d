import type { HttpResponse } from "uWebSockets.js"
import { watchStalls } from "./UwsHttpStall.ts"

/** Whether the client is to send more of its body: it is read, it is held back, or there is nothing (more) to read. */
export type Reading = "wanted" | "paused" | "no"

/** Milliseconds between two attempts to write while the socket does not tell. */
const attempts = 50

/**
 * One request and its answer. uWebSockets.js throws at every use of an `HttpResponse` that was aborted or has ended, so all
 * who hold one ask here first: from `over` on, `res` must not be touched.
 */
export class Exchange {
  readonly res: HttpResponse
  /** Status and headers are written: no other answer can be given any more. */
  begun = false
  /**
   * Seconds that the client may neither send of its body nor read of its answer. 0: what uWebSockets.js has, which is about
   * 10 seconds for reading and 16 KiB a second for sending.
   */
  patience = 0
  #aborted = false
  #listeners: Array<() => void> | undefined
  #releaseBody: (() => void) | undefined
  #onWritable: (() => void) | undefined
  #blocked = false
  #reading: Reading = "no"
  /** Looks at this exchange since the client last did something. */
  #idleLooks = 0
  #trying = false
  #over = false
  readonly #onOver: () => void

  /** `onOver` is called once, when the answer has ended or the connection was lost. */
  constructor(res: HttpResponse, onOver: () => void) {
    this.res = res
    this.#onOver = onOver
    res.onAborted(() => this.#lose())
  }

  get over(): boolean {
    return this.#over
  }

  /** The connection was lost, or the request given up, before the answer had ended. */
  get aborted(): boolean {
    return this.#aborted
  }

  /** `listener` is called when that happens, or now if it has. */
  onGone(listener: () => void): void {
    if (this.#aborted) listener()
    else (this.#listeners ??= []).push(listener)
  }

  /** Tells everybody that nothing is wanted any more, without touching the connection. */
  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    for (const listener of this.#listeners?.splice(0) ?? []) listener()
  }

  /** `release` stops the reading of the request's body. It runs before the answer ends, while `res` can still be used. */
  onEnding(release: () => void): void {
    this.#releaseBody = release
  }

  /** To be called right before the write that may end the answer. */
  ending(): void {
    const release = this.#releaseBody
    this.#releaseBody = undefined
    release?.()
  }

  /** To be called right after the write that has ended the answer. */
  ended(): void {
    if (this.#over) return
    this.#over = true
    this.#onOver()
  }

  /** Calls `handler` whenever the client may have read something. */
  onWritable(handler: () => void): void {
    const watching = this.#onWritable !== undefined
    this.#onWritable = handler
    if (watching) return
    this.res.onWritable(() => {
      if (!this.over) {
        this.#idleLooks = 0
        this.#onWritable?.()
      }
      return true
    })
  }

  /** Whether something that was written waits for the client. To be told by whoever writes. */
  blocked(blocked: boolean): void {
    this.#blocked = blocked
    if (!blocked) this.#idleLooks = 0
    else this.#wait()
  }

  /** To be told by whoever reads the body, with each part of it. */
  reading(reading: Reading): void {
    this.#reading = reading
    this.#idleLooks = 0
    if (reading !== "no") this.#wait()
  }

  /**
   * Looks after the connection, every `seconds` while somebody waits for the client. Returns whether to look again. Reading
   * is paused and taken up in one go, which sets the timer of uWebSockets.js back: it can not be configured, and would close
   * the connections of slow clients.
   */
  look(seconds: number): boolean {
    if (this.over || !(this.#blocked || this.#reading === "wanted")) return false
    this.#idleLooks++
    if (this.#idleLooks * seconds >= this.patience) {
      this.cut()
      return false
    }
    // One that is paused has no timer.
    if (this.#reading !== "paused") {
      this.res.pause()
      this.res.resume()
    }
    return true
  }

  /** Cuts the connection: all that is left to tell a client that an answer which has begun will not be completed. */
  cut(): void {
    if (this.over) return
    this.ending()
    // Closing runs the abort handler.
    this.res.close()
    this.#lose()
  }

  #wait(): void {
    if (this.patience > 0) watchStalls(this)
    if (!this.#blocked || this.#reading !== "paused") return
    // A write that had to wait makes uWebSockets.js read again, and a socket that is paused after it does not tell any more
    // when it can be written to: all that is left is to try.
    this.res.pause()
    if (this.#trying) return
    this.#trying = true
    setTimeout(() => {
      this.#trying = false
      if (this.over || !this.#blocked || this.#reading !== "paused") return
      this.#onWritable?.()
      if (!this.over && this.#blocked) this.#wait()
    }, attempts)
  }

  #lose(): void {
    if (this.#over) return
    this.ended()
    this.abort()
  }
}
