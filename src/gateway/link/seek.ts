/** The search for another backend, for a client that stays. */
import { Clock, Duration, Effect, Random } from "effect"
import type { Arrived, Route } from "../Route.ts"
import type { Target } from "../Target.ts"
import { connect, type Connected, type ConnectOptions } from "./connect.ts"
import { seekDelay } from "./seekDelay.ts"

/** Milliseconds that the last round has, which begins when the time is over at the latest. */
const lastRound = 500

export interface SeekOptions extends Omit<ConnectOptions, "except" | "onTrial"> {
  /** The subprotocol that the client was told. */
  readonly protocol: string
  /** The target that the client comes from: the others come first. */
  readonly from: Target
  /** The first round, from 0: a search that goes on where another one ended begins with a pause. */
  readonly round: number
  /** Milliseconds after which no round begins any more. */
  readonly left: number
}

/** How a search ended: in which round, and with which backend. Undefined: nobody took the client in time. */
export interface SeekOutcome {
  readonly found: Connected | undefined
  readonly round: number
}

/**
 * Connects a client anew: to another target, or to the same one where no other can take it, again and again with growing
 * pauses, until the time is over. The last round begins with its end, and has half a second. Refusals count as failures: this
 * client has been accepted once. What is found is on trial; see `Recovery`.
 */
export const seek = (route: Route, arrived: Arrived, options: SeekOptions): Effect.Effect<SeekOutcome> =>
  Effect.suspend(() => {
    const { extra, from, left, protocol, turnEnd } = options
    let round = options.round
    const tryAll = (except: ReadonlySet<Target>): Effect.Effect<Connected | undefined> =>
      connect(route, arrived, { extra, turnEnd, except, onTrial: true }).pipe(
        Effect.flatMap((connected) =>
          connected.backend.protocol === protocol
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
    const own = new Set([from])
    return Effect.gen(function* () {
      const end = (yield* Clock.currentTimeMillis) + left
      for (;;) {
        const wanted = seekDelay(round, yield* Random.next)
        const remaining = end - (yield* Clock.currentTimeMillis)
        const delay = Math.min(wanted, remaining)
        if (delay > 0) yield* Effect.sleep(Duration.millis(delay))
        const found = (yield* tryAll(own)) ?? (yield* tryAll(new Set()))
        if (found !== undefined || delay === remaining || remaining <= 0) return { found, round }
        round++
      }
    }).pipe(
      // A round that has begun may take longer than what is left.
      Effect.timeoutOrElse({
        duration: Duration.millis(left + lastRound),
        orElse: () => Effect.sync((): SeekOutcome => ({ found: undefined, round }))
      })
    )
  })
