/** The search for another backend, for a client that stays. */
import { Clock, Duration, Effect, Random } from "effect"
import type { Arrived, Route } from "../Route.ts"
import type { Target } from "../Target.ts"
import { connect, type Connected, type ConnectOptions } from "./connect.ts"

/** Milliseconds before the second round, doubled for each further one up to the most. */
const firstDelay = 50
const mostDelay = 2_000

/** How long to wait before round `round` (from 0), in milliseconds; `random` in [0, 1) spreads it over its upper half. Pure. */
export const seekDelay = (round: number, random: number): number => {
  if (round === 0) return 0
  const full = Math.min(mostDelay, firstDelay * 2 ** (round - 1))
  return full / 2 + (random * full) / 2
}

export interface SeekOptions extends ConnectOptions {
  /** The subprotocol that the client was told. */
  readonly protocol: string
  /** The target that the client comes from: the others come first. */
  readonly from: Target
}

/**
 * Connects a client anew: to another target, or to the same one where no other can take it, again and again with growing
 * pauses, until the route's deadline. Undefined: nobody took it in time. Refusals count as failures: this client has been
 * accepted once.
 */
export const seek = (route: Route, arrived: Arrived, options: SeekOptions): Effect.Effect<Connected | undefined> => {
  const round = (except: ReadonlySet<Target>): Effect.Effect<Connected | undefined> =>
    connect(route, arrived, { ...options, except }).pipe(
      Effect.flatMap((connected) =>
        connected.backend.protocol === options.protocol
          ? Effect.succeed(connected)
          : Effect.sync(() => {
              connected.backend.terminate()
              route.pool.failed(connected.lease, "protocol", "the backend chose another subprotocol than the one before it")
              route.pool.release(connected.lease)
              return undefined
            })
      ),
      Effect.orElseSucceed(() => undefined)
    )
  return Effect.gen(function* () {
    const deadline = (yield* Clock.currentTimeMillis) + route.settings.failover.deadline * 1000
    const own = new Set([options.from])
    for (let count = 0; ; count++) {
      const delay = seekDelay(count, yield* Random.next)
      if ((yield* Clock.currentTimeMillis) + delay > deadline) return undefined
      if (delay > 0) yield* Effect.sleep(Duration.millis(delay))
      const connected = (yield* round(own)) ?? (yield* round(new Set()))
      if (connected !== undefined) return connected
    }
  }).pipe(
    // A round that has begun may take longer than what is left.
    Effect.timeoutOrElse({ duration: Duration.seconds(route.settings.failover.deadline), orElse: () => Effect.succeed(undefined) })
  )
}
