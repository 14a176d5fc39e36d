/** Sends at set times, whatever the answers do: the open loop. */
import { performance } from "node:perf_hooks"

/** With gaps of at least this many milliseconds the last one is spent polling, since a timer may come a millisecond late. */
const worthPolling = 4

export class Pacer {
  readonly #gap: () => number
  readonly #act: (due: number) => void
  readonly #polls: boolean
  readonly #polled: (milliseconds: number) => void
  #pollSince = 0
  #due = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = true

  /**
   * `gap` gives the milliseconds from one action to the next, `mean` their average. `act` gets the time at which it was due,
   * on the clock of `performance.now()`; the actions that have become due come one after another, without being left out.
   * `polled` is told of each poll, with the milliseconds that it and whatever had come by then took.
   */
  constructor(gap: () => number, mean: number, act: (due: number) => void, polled: (milliseconds: number) => void = () => {}) {
    this.#gap = gap
    this.#act = act
    this.#polls = mean >= worthPolling
    this.#polled = polled
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
    const now = performance.now()
    const left = this.#due - now
    const timer = this.#polls ? Math.floor(left) - 1 : Math.ceil(left)
    if (timer > 0) this.#timer = setTimeout(this.#run, timer)
    else {
      this.#pollSince = now
      setImmediate(this.#poll)
    }
  }

  readonly #poll = (): void => {
    this.#polled(performance.now() - this.#pollSince)
    this.#run()
  }

  readonly #run = (): void => {
    if (this.#stopped) return
    while (this.#due <= performance.now()) {
      this.#act(this.#due)
      this.#due += this.#gap()
    }
    this.#wait()
  }
}
