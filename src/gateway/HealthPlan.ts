/** How a route's targets are checked, from its configuration. Pure. */
import type { HealthThresholds } from "./HealthState.ts"

interface Check extends HealthThresholds {
  /** Seconds from the start of one check to that of the next, at most. */
  readonly interval: number
  /** Seconds for one check. */
  readonly timeout: number
  /** Behind the base path of the target, with a query if it has one. */
  readonly path: string
}

export interface WebSocketCheck extends Check {
  /** Sent as a text message; any message is the answer. Without it a protocol ping is sent, and its pong is the answer. */
  readonly ping_message?: string
}

export interface HttpCheck extends Check {
  /** Statuses that pass, such as "200-399,401". */
  readonly status: string
}

/** The checks of a route. With both, a target passes only if it passes both, at the same time. */
export interface HealthChecks {
  readonly websocket_health?: WebSocketCheck
  readonly http_health?: HttpCheck
}

export interface HealthPlan extends HealthThresholds {
  /** Milliseconds from the start of one check to that of the next, at most. */
  readonly interval: number
  /** The same while the last checks do not agree with what is known, so that a change is soon decided. */
  readonly recheck: number
}

/**
 * What holds for all checks of a route together: the shorter interval, the more successes to come back, the fewer failures
 * to leave. Undefined: nothing is checked. A target that stops answering is down within `interval` + `timeout`, with `down`
 * up to 5.
 */
export const healthPlan = ({ http_health, websocket_health }: HealthChecks): HealthPlan | undefined => {
  const checks = [websocket_health, http_health].filter((check) => check !== undefined)
  if (checks.length === 0) return undefined
  const least = (of: (check: Check) => number) => Math.min(...checks.map(of))
  return {
    interval: least((check) => check.interval) * 1000,
    recheck: least((check) => Math.min(check.interval, check.timeout)) * 1000,
    up: Math.max(...checks.map((check) => check.up)),
    down: least((check) => check.down)
  }
}

/** Intervals are shortened by up to this share, so that targets and nodes do not check in step. */
const JITTER = 0.2

/**
 * Milliseconds from the start of a check to that of the next. `run`: checks in a row with the same outcome, successes above
 * 0, failures below. `random` in [0, 1).
 */
export const untilNext = (plan: HealthPlan, run: number, random: number): number => {
  const settled = run >= plan.up || run <= -plan.down
  return (settled ? plan.interval : plan.recheck) * (1 - JITTER * random)
}

/** Milliseconds over which the first checks of a route are spread: soon, though not all at once. */
export const firstWithin = (plan: HealthPlan): number => Math.min(1000, plan.interval)
