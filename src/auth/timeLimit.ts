import { Effect } from "effect"

/** Interrupts an effect after that many seconds and goes on with `orElse`. 0: no limit. */
export const withinSeconds =
  <A2, E2, R2>(seconds: number, orElse: () => Effect.Effect<A2, E2, R2>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2, R | R2> =>
    seconds > 0 ? Effect.timeoutOrElse(effect, { duration: seconds * 1000, orElse }) : effect
