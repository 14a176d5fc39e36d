import { Effect, type Scope } from "effect"

/**
 * Calls `run` every so many milliseconds, for the first time after as many, until the scope closes. By a plain timer: a fiber
 * that sleeps and wakes runs forty functions more, a hundred times as long as `run` itself when traffic has emptied the caches.
 */
export const every = (milliseconds: number, run: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => setInterval(run, milliseconds)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
  )
