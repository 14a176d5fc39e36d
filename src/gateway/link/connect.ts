/** From a client's request to an open WebSocket at one of the route's targets. */
import { Clock, Effect } from "effect"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import { forwardRequest } from "../ForwardHeaders.ts"
import { isDown } from "../GatewayError.ts"
import { attempts, type Choice, type Lease } from "../Pool.ts"
import type { Arrived, Route } from "../Route.ts"
import { backendPath } from "../Routes.ts"
import type { Target } from "../Target.ts"
import type { DialFailure } from "./Backend.ts"
import { dial, type Dialled } from "./dial.ts"

/** A backend that has taken the client. The lease is the link's to release. */
export interface Connected extends Dialled {
  readonly lease: Lease
  readonly choice: Choice
}

/** `unavailable`: no target can take the client now. */
export type ConnectFailure = DialFailure | { readonly outcome: "unavailable" }

/** Bytes that the body of a refusal may have to be passed on. */
const maxRefusal = 1_048_576

const pathAt = (target: Target, path: string, query: string): string =>
  `${target.url.pathname.replace(/\/$/, "")}${path}${query === "" ? "" : `?${query}`}`

export interface ConnectOptions {
  readonly turnEnd: TurnEnd
  /** Targets that are not to be tried. */
  readonly except?: ReadonlySet<Target>
  /** What the backend is told beside: `X-Weft-*`. */
  readonly extra: ReadonlyArray<readonly [name: string, value: string]>
  /** That the backend accepts says nothing yet: whoever gets the link tells the pool whether it did well. */
  readonly onTrial?: boolean
}

const attempt = (route: Route, arrived: Arrived, choice: Choice, options: ConnectOptions): Effect.Effect<Connected, DialFailure> =>
  Effect.gen(function* () {
    const { pool, rules, settings } = route
    const { target } = choice
    const lease = pool.acquire(target)
    const clock = yield* Clock.Clock
    const started = clock.currentTimeMillisUnsafe()
    const { headers, query } = forwardRequest(rules, { ...arrived.request, extra: options.extra })
    const request = {
      url: target.url,
      path: pathAt(target, backendPath(settings, arrived.path), query),
      headers,
      timeout: settings.connect_timeout * 1000,
      maxRefusal,
      maxMessage: settings.max_message
    }
    return yield* dial(request, options.turnEnd).pipe(
      Effect.map((dialled) => {
        pool.accepted(lease, clock.currentTimeMillisUnsafe() - started)
        if (options.onTrial !== true) pool.proved(lease)
        return { ...dialled, lease, choice }
      }),
      Effect.tapError((failure) =>
        Effect.sync(() => {
          if (failure.outcome === "failed") pool.failed(lease, failure.failure.type, failure.failure.message)
          else if (failure.outcome === "refused")
            pool.failed(lease, "refused", `refused with status ${failure.status}`, isDown(failure.status))
          pool.release(lease)
        })
      ),
      Effect.onInterrupt(() => Effect.sync(() => pool.release(lease)))
    )
  })

/**
 * Finds a target for the client and connects to it. One that can not be reached is followed by another, up to three in all;
 * a backend that refuses has answered, and its answer stands.
 */
export const connect = (route: Route, arrived: Arrived, options: ConnectOptions): Effect.Effect<Connected, ConnectFailure> =>
  Effect.gen(function* () {
    const tried = new Set(options.except)
    let last: ConnectFailure = { outcome: "unavailable" }
    for (let count = 0; count < attempts; count++) {
      const choice = route.pool.choose(arrived.asker, tried)
      if (choice === undefined) return yield* Effect.fail(last)
      const result = yield* Effect.result(attempt(route, arrived, choice, options))
      if (result._tag === "Success") return result.success
      last = result.failure
      if (last.outcome !== "failed") return yield* Effect.fail(last)
      tried.add(choice.target)
    }
    return yield* Effect.fail(last)
  })
