import { Clock, Effect } from "effect"

/** Milliseconds between two lines about one outage: every connection attempt meets it, one line a second tells it. */
const INTERVAL = 1000

/** A warning that is written at most once a second, however often it is asked for. */
export const outageLog = (): ((text: string) => Effect.Effect<void>) => {
  let last = Number.NEGATIVE_INFINITY
  return (text) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - last < INTERVAL) return Effect.void
      last = now
      return Effect.logWarning(text)
    })
}
