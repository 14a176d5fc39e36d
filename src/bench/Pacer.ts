/** Sends at set times, whatever the answers do: the open loop. */
import { performance } from "node:perf_hooks"

/** With gaps of at least this many milliseconds the last one is spent polling, since a timer may come a millisecond late. */
const worthPolling = 4

export class Pacer {
  readonly #gap: () => number
  readonly #act: (due: number) => void
  readonly #polls: boolean
  #due = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = true

  /**
   * `gap` gives the milliseconds from one action to the next, `mean` their average. `act` gets the time at which it was due,
   * on the clock of `performance.now()`; the actions that have become due come one after another, without being left out.
   */
  constructor(gap: () => number, mean: number, act: (due: number) => void) {
    this.#gap = gap
    this.#act = act
    this.#polls = mean >= worthPolling
  }

  start(): void {
    this.#stopped = false
    this.#due = performance.now() + this.#gap()
    this.#wait()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const left = this.#due - performance.now()
    const timer = this.#polls ? Math.floor(left) - 1 : Math.ceil(left)
    if (timer > 0) this.#timer = setTimeout(() => this.#run(), timer)
    else setImmediate(() => this.#run())
  }

  #run(): void {
    if (this.#stopped) return
    while (this.#due <= performance.now()) {
      this.#act(this.#due)
      this.#due += this.#gap()
    }
    this.#wait()
  }
}
