/** What the API shows of a target. Names and units as in its answers: snake_case, times in ms since 1970, durations in seconds. */
import type { HistogramCounts } from "../observe/Counters.ts"
import type { BreakerState } from "./Breaker.ts"
import { type HealthError, type HealthRates, type HealthStatus, ratesAt } from "./HealthState.ts"
import type { GatewayErrorType } from "./GatewayError.ts"
import type { Target, Traffic } from "./Target.ts"

/** Over the window of `HealthState`. The rates are left out while there is nothing to take them from. */
export interface RatesView {
  readonly successes: number
  readonly failures: number
  readonly success_rate?: number
  readonly failure_rate?: number
}

/** Of one kind of traffic. */
export interface TrafficView {
  /** Now: WebSockets that the backend has accepted, HTTP requests under way. */
  readonly open: number
  /** Since the start: WebSockets that were dialled, HTTP requests. */
  readonly total: number
  /** Since the start, those that occurred. */
  readonly errors: { readonly [Type in GatewayErrorType]?: number }
  /** Since the start; an estimate from the buckets of the histogram. Left out before the first dial or answer. */
  readonly latency?: { readonly p50: number; readonly p99: number }
}

export interface BackendView {
  readonly route: string
  /** The target's id, its URL. */
  readonly backend: string
  readonly weight: number
  /** The first that holds: "disabled", "draining", "down", and else "up", or "unknown" where nothing is checked. */
  readonly state: (typeof backendStates)[number]
  readonly draining_since?: number
  /** When the state, the health or the circuit last changed. */
  readonly last_change?: number
  /** WebSockets, those that are being dialled too, and HTTP requests under way. */
  readonly connections: number
  readonly health: {
    /** What the checks say, whatever the operators do. */
    readonly status: HealthStatus
    readonly since: number
    readonly checks: RatesView
    readonly traffic: RatesView
    readonly last_error?: HealthError
  }
  readonly circuit: { readonly state: BreakerState; readonly openings: number; readonly opened_at?: number }
  readonly messages: { readonly in: number; readonly out: number }
  readonly websocket: TrafficView
  readonly http: TrafficView
}

/** Every state that a target may be in. */
export const backendStates = ["up", "down", "draining", "disabled", "unknown"] as const

export const backendState = (target: Target): BackendView["state"] =>
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

const trafficView = ({ errors, latency, open, total }: Traffic): TrafficView => ({
  open,
  total,
  errors: Object.fromEntries(Object.entries(errors).filter(([, count]) => count > 0)),
  ...(latency.count === 0 ? {} : { latency: { p50: quantile(latency, 0.5), p99: quantile(latency, 0.99) } })
})

/** `now` in ms. */
export const backendView = (target: Target, now: number): BackendView => {
  const { breaker, changedAt, drainedSince, health } = target
  const rates = ratesAt(health, now)
  const { openedAt, openings, state } = breaker.view(now)
  return {
    route: target.route,
    backend: target.id,
    weight: target.weight,
    state: backendState(target),
    ...(drainedSince === undefined ? {} : { draining_since: drainedSince }),
    ...(changedAt === undefined ? {} : { last_change: changedAt }),
    connections: target.connections,
    health: {
      status: health.status,
      since: health.since,
      checks: ratesView(rates.probes),
      traffic: ratesView(rates.traffic),
      ...(health.lastError === undefined ? {} : { last_error: health.lastError })
    },
    circuit: { state, openings, ...(openedAt === undefined ? {} : { opened_at: openedAt }) },
    messages: { in: target.messagesIn, out: target.messagesOut },
    websocket: trafficView(target.websocket),
    http: trafficView(target.http)
  }
}
