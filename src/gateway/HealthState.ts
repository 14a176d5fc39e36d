/** What is known of a target's health, from active checks and from real traffic. Pure: the time is passed in. */
import type { BackendFailure } from "./BackendFailure.ts"
import { countsAt, failureRate, makeWindow, record, type OutcomeWindow } from "./OutcomeWindow.ts"

export interface ProbeFailure extends BackendFailure {
  readonly ok: false
}

/** What one check found. */
export type ProbeOutcome = { readonly ok: true; readonly milliseconds: number } | ProbeFailure

/** How many checks in a row change the status. Both at least 1. */
export interface HealthThresholds {
  readonly up: number
  readonly down: number
}

export type HealthStatus = "unknown" | "up" | "down"

export interface HealthError {
  /** Milliseconds. */
  readonly at: number
  readonly source: "probe" | "traffic"
  readonly type: string
  readonly message: string
}

export interface HealthState {
  /** "unknown": no check has decided yet, so the target takes clients. Stays so on a route without checks. */
  readonly status: HealthStatus
  /** Since when (ms) the status is what it is. */
  readonly since: number
  /** Checks in a row with the same outcome: successes above 0, failures below 0. */
  readonly run: number
  /** The last check that passed (ms) and how long it took. */
  readonly lastSuccess: { readonly at: number; readonly milliseconds: number } | undefined
  readonly lastError: HealthError | undefined
  readonly probes: OutcomeWindow
  readonly traffic: OutcomeWindow
}

/** Milliseconds over which the rates are taken: ten checks at the default interval. */
export const HEALTH_WINDOW = 300_000

/** A target of which nothing is known: a new one, and one that is enabled again. `now` and `window` in ms. */
export const makeHealth = (now: number, window: number = HEALTH_WINDOW): HealthState => ({
  status: "unknown",
  since: now,
  run: 0,
  lastSuccess: undefined,
  lastError: undefined,
  probes: makeWindow(window),
  traffic: makeWindow(window)
})

/** Whether the target may take new clients, as far as its health is concerned. */
export const healthy = (state: HealthState): boolean => state.status !== "down"

const nextStatus = (status: HealthStatus, run: number, { down, up }: HealthThresholds): HealthStatus => {
  if (run <= -down) return "down"
  if (run >= up) return "up"
  // Nothing speaks against it and a check speaks for it.
  return status === "unknown" && run > 0 ? "up" : status
}

/** Connections that one check tries at most before it calls a target silent. */
const maxTries = 5

/** How often a check tries a target that says nothing: as often as it takes to leave, within reason. */
export const triesOf = ({ down }: Pick<HealthThresholds, "down">): number => Math.min(down, maxTries)

/** The checks in a row with the same outcome after one more. One that met silence has tried several times, and counts for as many. */
export const nextRun = (run: number, thresholds: HealthThresholds, outcome: ProbeOutcome): number => {
  if (outcome.ok) return Math.max(run, 0) + 1
  return Math.min(run, 0) - (outcome.type === "timeout" ? triesOf(thresholds) : 1)
}

/**
 * The state after an active check at `now` (ms). `down` failures in a row make it "down", `up` successes in a row make it
 * "up" again; the first success of a target of which nothing was known is enough.
 */
export const probed = (state: HealthState, thresholds: HealthThresholds, outcome: ProbeOutcome, now: number): HealthState => {
  const run = nextRun(state.run, thresholds, outcome)
  const status = nextStatus(state.status, run, thresholds)
  return {
    ...state,
    status,
    since: status === state.status ? state.since : now,
    run,
    lastSuccess: outcome.ok ? { at: now, milliseconds: outcome.milliseconds } : state.lastSuccess,
    lastError: outcome.ok ? state.lastError : { at: now, source: "probe", type: outcome.type, message: outcome.message },
    probes: record(state.probes, outcome.ok, now)
  }
}

/**
 * The state after real traffic at `now` (ms): `error` is undefined for a dial or an answer that was no fault of the target.
 * Traffic is counted and never changes the status: it stops once a target is out, so it could not bring it back. The
 * circuit breaker is what takes a target out for it.
 */
export const observed = (
  state: HealthState,
  error: { readonly type: string; readonly message: string } | undefined,
  now: number
): HealthState => ({
  ...state,
  lastError: error === undefined ? state.lastError : { at: now, source: "traffic", type: error.type, message: error.message },
  traffic: record(state.traffic, error === undefined, now)
})

export interface HealthRates {
  readonly successes: number
  readonly failures: number
  /** Failures as a share of all, 0 to 1; 0 when there were none. */
  readonly failureRate: number
}

const ratesOf = (window: OutcomeWindow, now: number): HealthRates => {
  const counts = countsAt(window, now)
  return { ...counts, failureRate: failureRate(counts) }
}

/** The counts and rates of checks and of traffic over the window that ends at `now` (ms). */
export const ratesAt = (state: HealthState, now: number): { readonly probes: HealthRates; readonly traffic: HealthRates } => ({
  probes: ratesOf(state.probes, now),
  traffic: ratesOf(state.traffic, now)
})
