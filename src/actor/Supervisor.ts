import { Cause, Clock, Effect, Random } from "effect"
import { defaultPolicy, noRestarts, onFailure, type RestartPolicy, type RestartState } from "./RestartState.ts"

export interface Supervised {
  /** The kind of actor, for logs and the metric. */
  readonly actor: string
  readonly policy?: RestartPolicy
  /** Told of every restart, with the kind of actor. */
  readonly onRestart?: (actor: string) => void
  /** What happens when the actor has failed too often. It is not started again. */
  readonly onGiveUp: (cause: Cause.Cause<never>) => Effect.Effect<void>
}

/**
 * Runs `life` and starts it again when it dies, after a delay that grows, until it has died more often than the policy
 * allows: then `onGiveUp` runs and the supervisor ends. An interruption is passed on and restarts nothing.
 */
export const supervise = (life: Effect.Effect<never>, options: Supervised): Effect.Effect<void> =>
  Effect.gen(function* () {
    const policy = options.policy ?? defaultPolicy
    let state: RestartState = noRestarts
    while (true) {
      const cause: Cause.Cause<never> = yield* Effect.flip(Effect.sandbox(life))
      if (Cause.hasInterruptsOnly(cause)) return yield* Effect.failCause(cause)
      const decision = onFailure(policy, state, yield* Clock.currentTimeMillis, yield* Random.next)
      if (!decision.restart) {
        yield* Effect.logError("an actor failed too often and is given up", cause).pipe(Effect.annotateLogs("actor", options.actor))
        return yield* options.onGiveUp(cause)
      }
      options.onRestart?.(options.actor)
      yield* Effect.logWarning("an actor failed and is restarted", cause).pipe(Effect.annotateLogs("actor", options.actor))
      yield* Effect.sleep(decision.delay)
      state = decision.state
    }
  })
