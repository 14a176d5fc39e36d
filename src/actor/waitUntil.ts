import { Duration, Effect } from "effect"

/** Milliseconds between two looks. */
const step = 50

/** Waits until `done`, `patience` milliseconds at most. Gives whether it is. */
export const waitUntil = (done: () => boolean, patience: number): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    for (let waited = 0; !done() && waited < patience; waited += step) yield* Effect.sleep(Duration.millis(step))
    return done()
  })
