/** Active checks: one supervised fiber per target. */
import { Clock, Effect, Random, type Scope } from "effect"
import { supervise } from "../actor/Supervisor.ts"
import { firstWithin, type HealthChecks, type HealthPlan, healthPlan, untilNext } from "./HealthPlan.ts"
import { nextRun, type ProbeOutcome } from "./HealthState.ts"
import { httpProbe } from "./probes/HttpProbe.ts"
import { insist } from "./probes/insist.ts"
import type { Probe } from "./probes/Probe.ts"
import { webSocketProbe } from "./probes/WebSocketProbe.ts"

/** What is checked, and who is told. */
export interface HealthTarget {
  readonly route: string
  /** Names it in log lines. */
  readonly id: string
  readonly url: URL
  /** A disabled target is not checked. */
  readonly enabled: () => boolean
  readonly probed: (outcome: ProbeOutcome) => void
}

export interface HealthOptions {
  /** Told of every restart of a fiber that failed, with the kind of actor. */
  readonly onRestart?: (actor: string) => void
}

/** Milliseconds between two looks at a disabled target. */
const IDLE = 1000

/** All checks of a target at once: it passes in the time of the slowest, or fails with the first failure in the order given. */
export const allOf = (probes: ReadonlyArray<Probe>): Probe =>
  Effect.map(Effect.all(probes, { concurrency: "unbounded" }), (outcomes) =>
    outcomes.reduce((worst, outcome) => {
      if (!worst.ok || !outcome.ok) return worst.ok ? outcome : worst
      return outcome.milliseconds > worst.milliseconds ? outcome : worst
    })
  )

const probesOf = ({ http_health, websocket_health }: HealthChecks, url: URL): ReadonlyArray<Probe> => [
  ...(websocket_health === undefined ? [] : [insist(webSocketProbe(url, websocket_health), websocket_health)]),
  ...(http_health === undefined ? [] : [insist(httpProbe(url, http_health), http_health)])
]

/** Checks for ever, from the start of one check to that of the next, and never two at a time. */
const watch = (plan: HealthPlan, probe: Probe, target: HealthTarget): Effect.Effect<never> =>
  Effect.gen(function* () {
    let run = 0
    while (true) {
      if (!target.enabled()) {
        run = 0
        yield* Effect.sleep(Math.min(IDLE, plan.interval))
        continue
      }
      const start = yield* Clock.currentTimeMillis
      const outcome = yield* probe
      if (target.enabled()) target.probed(outcome)
      run = nextRun(run, plan, outcome)
      const due = start + untilNext(plan, run, yield* Random.next)
      yield* Effect.sleep(Math.max(0, due - (yield* Clock.currentTimeMillis)))
    }
  })

/**
 * Checks the targets of a route until the scope ends, each by a fiber of its own: first within a second or `interval`, then
 * at jittered intervals. Nothing happens on a route without checks. A fiber that dies is logged and started again; one that
 * dies too often pauses for an interval, and its target keeps the state that it had.
 */
export const watchHealth = Effect.fnUntraced(function* (
  checks: HealthChecks,
  targets: ReadonlyArray<HealthTarget>,
  options: HealthOptions = {}
): Effect.fn.Return<void, never, Scope.Scope> {
  const plan = healthPlan(checks)
  if (plan === undefined) return
  for (const target of targets) {
    const supervised = supervise(watch(plan, allOf(probesOf(checks, target.url)), target), {
      actor: "health",
      ...(options.onRestart === undefined ? {} : { onRestart: options.onRestart }),
      onGiveUp: () => Effect.sleep(plan.interval)
    })
    const first = (yield* Random.next) * firstWithin(plan)
    yield* Effect.sleep(first).pipe(
      Effect.andThen(Effect.forever(supervised)),
      Effect.annotateLogs({ route: target.route, backend: target.id }),
      Effect.forkScoped
    )
  }
})
