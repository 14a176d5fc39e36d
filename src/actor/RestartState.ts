/** When a failed actor may start again, and when it has failed too often. Pure: time and randomness are passed in. */

export interface RestartPolicy {
  /** So many restarts within `window` are allowed; one more is told upward. */
  readonly intensity: number
  /** Milliseconds. */
  readonly window: number
  /** The first delay in milliseconds; each further restart within the window doubles it, up to `maxDelay`. */
  readonly minDelay: number
  readonly maxDelay: number
}

export const defaultPolicy: RestartPolicy = { intensity: 5, window: 10_000, minDelay: 10, maxDelay: 1_000 }

/** The times of the restarts that still count, oldest first. */
export type RestartState = ReadonlyArray<number>

export const noRestarts: RestartState = []

export type RestartDecision = { readonly restart: true; readonly delay: number; readonly state: RestartState } | { readonly restart: false }

/**
 * What follows a failure at `now` (ms). `random` in [0, 1) spreads the delay over its upper half, so that actors that
 * failed together do not come back together.
 */
export const onFailure = (policy: RestartPolicy, state: RestartState, now: number, random: number): RestartDecision => {
  const recent = state.filter((time) => now - time < policy.window)
  if (recent.length >= policy.intensity) return { restart: false }
  const full = Math.min(policy.maxDelay, policy.minDelay * 2 ** recent.length)
  return { restart: true, delay: full / 2 + (random * full) / 2, state: [...recent, now] }
}
