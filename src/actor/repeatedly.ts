import { Effect, type Scope } from "effect"

/**
 * Calls `run` until the scope closes: for the first time after `first` milliseconds, then each time after as many as it said
 * before. By a plain timer: a fiber that slept and woke ten times a second took nearly a hundredth of the processor time of a
 * server with traffic.
 */
export const repeatedly = (first: number, run: () => number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const again = (): void => {
          const wait = run()
          running.timer = setTimeout(again, wait)
        }
        const running = { timer: setTimeout(again, first) }
        return running
      }),
      (running) => Effect.sync(() => clearTimeout(running.timer))
    )
  )
