/** What the API shows of a target. Names and units as in its answers: snake_case, times in ms since 1970, durations in seconds. */
import type { HistogramCounts } from "../observe/Counters.ts"
import type { BreakerState } from "./Breaker.ts"
import { type HealthRates, ratesAt } from "./HealthState.ts"
import type { GatewayErrorType } from "./GatewayError.ts"
import type { Target } from "./Target.ts"

/** Over the window of `HealthState`. The rates are left out while there is nothing to take them from. */
export interface RatesView {
  readonly successes: number
  readonly failures: number
  readonly success_rate?: number
  readonly failure_rate?: number
}

export interface BackendView {
  readonly id: string
  readonly route: string
  readonly url: string
  readonly weight: number
  /** The first that holds: "disabled", "draining", "down", and else "up", or "unknown" where nothing is checked. */
  readonly state: "up" | "down" | "draining" | "disabled" | "unknown"
  readonly draining_since?: number
  readonly connections: number
  readonly circuit: BreakerState
  readonly checks: RatesView
  readonly traffic: RatesView
  readonly messages: { readonly in: number; readonly out: number }
  /** Since the start, those that occurred. */
  readonly errors: { readonly [Type in GatewayErrorType]?: number }
  readonly last_error?: { readonly at: number; readonly source: "probe" | "traffic"; readonly type: string; readonly message: string }
  readonly last_change?: number
  /** Since the start; an estimate from the buckets of the histogram. Left out before the first dial or answer. */
  readonly latency?: { readonly p50: number; readonly p99: number }
}

const stateOf = (target: Target): BackendView["state"] =>
  !target.enabled ? "disabled" : target.draining ? "draining" : target.health.status

const ratesView = ({ failureRate, failures, successes }: HealthRates): RatesView =>
  successes + failures === 0 ? { successes, failures } : { successes, failures, success_rate: 1 - failureRate, failure_rate: failureRate }

/** The value that the share `q` of all values does not exceed, as if each bucket were filled evenly. 0 if there are none. */
export const quantile = (counts: HistogramCounts, q: number): number => {
  const rank = q * counts.count
  let below = 0
  let from = 0
  for (const [boundary, cumulative] of counts.cumulative()) {
    if (cumulative > below && cumulative >= rank) {
      const inside = from + ((rank - below) / (cumulative - below)) * (boundary - from)
      return Math.min(Math.max(inside, counts.min), counts.max)
    }
    below = cumulative
    from = boundary
  }
  return counts.max
}

/** `now` in ms. */
export const backendView = (target: Target, now: number): BackendView => {
  const rates = ratesAt(target.health, now)
  const { changedAt, drainedSince, latency } = target
  return {
    id: target.id,
    route: target.route,
    url: target.id,
    weight: target.weight,
    state: stateOf(target),
    ...(drainedSince === undefined ? {} : { draining_since: drainedSince }),
    connections: target.connections,
    circuit: target.breaker.state(now),
    checks: ratesView(rates.probes),
    traffic: ratesView(rates.traffic),
    messages: { in: target.messagesIn, out: target.messagesOut },
    errors: Object.fromEntries(Object.entries(target.errors).filter(([, count]) => count > 0)),
    ...(target.health.lastError === undefined ? {} : { last_error: target.health.lastError }),
    ...(changedAt === undefined ? {} : { last_change: changedAt }),
    ...(latency.count === 0 ? {} : { latency: { p50: quantile(latency, 0.5), p99: quantile(latency, 0.99) } })
  }
}
