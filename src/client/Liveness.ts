import { maxTimer } from "./Backoff.ts"

/** In how many steps a silence is measured. Dead is told after the limit and at most one step more. */
const steps = 4

/**
 * Watches for a server that went silent. Counts steps of a timer since the last frame instead of reading a clock: after
 * a suspension (a sleeping laptop, a frozen tab) frames that wait in the socket's buffer are read before the link is given up.
 */
export class Liveness {
  #timer: ReturnType<typeof setInterval> | undefined
  #silentSteps = 0

  /** Calls `onDead` once when nothing was `heard` for `limit` milliseconds. A limit that is no positive number watches nothing. */
  start(limit: number, onDead: () => void): void {
    this.stop()
    if (!(limit > 0)) return
    this.#silentSteps = 0
    this.#timer = setInterval(
      () => {
        if (++this.#silentSteps <= steps) return
        this.stop()
        onDead()
      },
      Math.min(Math.ceil(limit / steps), maxTimer)
    )
  }

  heard(): void {
    this.#silentSteps = 0
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
