type Listeners<Events> = { [K in keyof Events]?: Set<(event: Events[K]) => void> }

/** Events by name. A listener that throws stops neither the others nor the emitter: its error is reported as uncaught. */
export class Emitter<Events> {
  readonly #listeners: Listeners<Events> = {}

  /** Calls `listener` for every event of this name until the returned function is called. */
  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): () => void {
    const listeners = (this.#listeners[name] ??= new Set())
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** Whether an event of this name would reach anyone. */
  heard(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const listeners = this.#listeners[name]
    if (listeners === undefined) return
    for (const listener of [...listeners]) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
