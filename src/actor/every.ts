import { Effect, type Scope } from "effect"

/**
 * Calls `run` every so many milliseconds, for the first time after as many, until the scope closes. By a plain timer: a fiber
 * that slept and woke ten times a second took nearly a hundredth of the processor time of a server with traffic.
 */
export const every = (milliseconds: number, run: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => setInterval(run, milliseconds)),
      (timer) => Effect.sync(() => clearInterval(timer))
    )
  )
