import { maxTimer } from "./Backoff.ts"

/** Timers by name, so that all of them can end with what they belong to. */
export class Timers {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  /** Calls `fire` in `delay` milliseconds. A timer of the same name is replaced. */
  set(name: string, delay: number, fire: () => void): void {
    this.clear(name)
    const timer = setTimeout(
      () => {
        this.#timers.delete(name)
        fire()
      },
      Math.min(delay, maxTimer)
    )
    this.#timers.set(name, timer)
  }

  clear(name: string): void {
    clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
  }

  clearAll(): void {
    for (const name of [...this.#timers.keys()]) this.clear(name)
  }
}
