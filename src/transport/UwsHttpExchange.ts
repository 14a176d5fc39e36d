import type { HttpResponse } from "uWebSockets.js"

interface Waiting {
  readonly attempt: (offset: number) => boolean
  readonly resolve: () => void
}

/**
 * One request and its answer. uWebSockets.js throws at every use of an `HttpResponse` that was aborted or has ended, so all
 * who hold one ask here first: from `over` on, `res` must not be touched.
 */
export class Exchange {
  readonly res: HttpResponse
  /** Aborts when the connection is lost before the answer has ended. */
  readonly gone = new AbortController()
  over = false
  /** Status and headers are written: no other answer can be given any more. */
  begun = false
  #releaseBody: (() => void) | undefined
  #waiting: Waiting | undefined
  #watching = false

  constructor(res: HttpResponse) {
    this.res = res
    res.onAborted(() => this.#lose())
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
    this.over = true
  }

  /**
   * Calls `attempt` with the write offset whenever the client has read something. Settles once it has returned true, or
   * the exchange is over.
   */
  drained(attempt: (offset: number) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { attempt, resolve }
      if (this.#watching) return
      this.#watching = true
      this.res.onWritable((offset) => this.#writable(offset))
    })
  }

  /** Cuts the connection: all that is left to tell a client that an answer which has begun will not be completed. */
  cut(): void {
    if (this.over) return
    this.ending()
    // Closing runs the abort handler.
    this.res.close()
    this.#lose()
  }

  #writable(offset: number): boolean {
    const waiting = this.#waiting
    if (waiting === undefined || this.over) return true
    if (!waiting.attempt(offset)) return false
    this.#waiting = undefined
    waiting.resolve()
    return true
  }

  #lose(): void {
    if (this.over) return
    this.over = true
    this.gone.abort()
    this.#waiting?.resolve()
  }
}
