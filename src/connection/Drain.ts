import { Duration, Effect, Random } from "effect"
import { waitUntil } from "../actor/waitUntil.ts"
import type { Connection } from "./Connection.ts"
import type { Connections } from "./Connections.ts"

/** Milliseconds between two steps of a drain. */
const step = 50

/** How long closed connections may take to be gone before the server stops waiting for them. */
const patience = 2_000

/** How many connections are closed by step `index` of `steps`. Pure: the pace is even, and the last step closes the rest. */
export const quota = (total: number, index: number, steps: number): number => Math.ceil((total * (index + 1)) / steps)

/**
 * Sends every client away: `bye` with when to come back, then close 1001, spread evenly over `period` seconds. `after` is
 * spread as well, so that the next server is not met by all of them at once. Ends when all are gone or patience is.
 */
export const drain = (connections: Connections, period: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const remaining: ReadonlyArray<Connection> = Array.from(connections.all())
    const steps = Math.max(1, Math.ceil((period * 1000) / step))
    let closed = 0
    for (let index = 0; index < steps && closed < remaining.length; index++) {
      for (const goal = quota(remaining.length, index, steps); closed < goal; closed++) {
        const after = Math.round((yield* Random.next) * period * 1000)
        remaining[closed]?.offerReply({ type: "@disconnect", code: 1001, reason: "going away", after })
      }
      yield* Effect.sleep(Duration.millis(step))
    }
    // Who came in while the first were sent away.
    for (const connection of Array.from(connections.all()))
      connection.offerReply({ type: "@disconnect", code: 1001, reason: "going away", after: 0 })
    yield* waitUntil(() => connections.size === 0, patience)
  })
