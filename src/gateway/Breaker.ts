/**
 * A circuit breaker: it stops attempts at a target that keeps failing, and tests it now and then until it is well.
 *
 * Effect has one (`effect/persistence/CircuitBreaker`) that does not fit here. Its rejection is known only by running the
 * call, whereas a balancer must ask many targets "would you take it?" before it picks one. It holds one trip policy, either
 * failures in a row or the rate over the last N calls, whereas here both hold at once and the rate is over time. It allows
 * one test at a time. And a call is one Effect that ends with its outcome, whereas a link outlives its dial by hours.
 */
import { countsAt, failureRate, makeWindow, record, type OutcomeWindow } from "./OutcomeWindow.ts"

export interface BreakerPolicy {
  /** It opens after so many failures in a row. 0: never for that. */
  readonly failures: number
  /** It opens when this share of the attempts over `window` failed, once there were `min` of them. 0: never for that. */
  readonly rate: number
  readonly min: number
  /** Seconds. */
  readonly window: number
  /** Seconds that it stays open. */
  readonly open: number
  /** Attempts that may be under way at once while it is half open. At least 1. */
  readonly tests: number
  /** Tests in a row that must succeed before it closes. At least 1. */
  readonly successes: number
}

export const breakerStates = ["closed", "open", "half_open"] as const

export type BreakerState = (typeof breakerStates)[number]

/**
 * The right to one attempt, to be given back with its outcome or as cancelled. The first of these counts and later ones do
 * nothing, so that "cancelled" may always follow in a finalizer.
 */
export interface Permit {
  /** The outcome counts only while the circuit is in the state in which the attempt began. */
  readonly generation: number
  readonly counts: boolean
  settled: boolean
}

/** What a breaker shows of itself. */
export interface BreakerView {
  readonly state: BreakerState
  /** Milliseconds. When it opened last; undefined if it never did. */
  readonly openedAt: number | undefined
  /** How often it has opened. */
  readonly openings: number
  /** Failures in a row, while it is closed. */
  readonly failures: number
  /** Share of failures over the window, 0 to 1, while it is closed. */
  readonly failureRate: number
}

/**
 * Closed: every attempt is allowed. Open: none is, for `open` seconds. Half open: up to `tests` attempts at once; the first
 * failure opens it again, `successes` in a row close it. Attempts that began before a change of state change nothing when
 * they end. All times are `now` in milliseconds of one clock; if that is set back, the open time begins anew.
 */
export class Breaker {
  readonly #policy: BreakerPolicy | undefined
  #state: BreakerState = "closed"
  /** Changes with the state. */
  #generation = 0
  #openedAt = 0
  #openings = 0
  /** Failures in a row, while closed. */
  #failures = 0
  #window: OutcomeWindow
  /** Tests under way and tests in a row that succeeded, while half open. */
  #tests = 0
  #successes = 0

  /** Without a policy it never opens. */
  constructor(policy: BreakerPolicy | undefined) {
    this.#policy = policy
    this.#window = makeWindow((policy?.window ?? 1) * 1000)
  }

  state(now: number): BreakerState {
    return this.#state === "open" && this.remaining(now) === 0 ? "half_open" : this.#state
  }

  /** Milliseconds until it tests again: 0 unless it is open. */
  remaining(now: number): number {
    if (this.#state !== "open" || this.#policy === undefined) return 0
    if (now < this.#openedAt) this.#openedAt = now
    return Math.max(0, this.#openedAt + this.#policy.open * 1000 - now)
  }

  /** Whether an attempt may begin. Asking takes nothing. */
  allows(now: number): boolean {
    const state = this.state(now)
    return state === "closed" || (state === "half_open" && (this.#state === "open" || this.#tests < (this.#policy?.tests ?? 1)))
  }

  /** An attempt begins. One that was not allowed may go ahead all the same (all targets are out); its outcome does not count. */
  attempt(now: number): Permit {
    const counts = this.allows(now)
    if (counts && this.#state === "open") this.#enter("half_open")
    if (counts && this.#state === "half_open") this.#tests++
    return { generation: this.#generation, counts, settled: false }
  }

  /** The attempt succeeded. */
  success(permit: Permit, now: number): void {
    if (!this.#settle(permit)) return
    if (this.#state === "closed") return this.#count(true, now)
    this.#tests--
    this.#successes++
    if (this.#successes >= (this.#policy?.successes ?? 1)) this.#enter("closed")
  }

  /** The attempt failed, and that was the target's fault. */
  failure(permit: Permit, now: number): void {
    if (!this.#settle(permit)) return
    if (this.#state === "closed") this.#count(false, now)
    else this.#open(now)
  }

  /** The attempt ended without saying anything about the target. */
  cancelled(permit: Permit): void {
    if (this.#settle(permit) && this.#state === "half_open") this.#tests--
  }

  /** A failure outside of any attempt, such as a link that was lost: it counts while closed and says nothing otherwise. */
  lost(now: number): void {
    if (this.#state === "closed") this.#count(false, now)
  }

  view(now: number): BreakerView {
    return {
      state: this.state(now),
      openedAt: this.#openings === 0 ? undefined : this.#openedAt,
      openings: this.#openings,
      failures: this.#failures,
      failureRate: failureRate(countsAt(this.#window, now))
    }
  }

  #settle(permit: Permit): boolean {
    const first = !permit.settled
    permit.settled = true
    return first && permit.counts && permit.generation === this.#generation
  }

  #count(success: boolean, now: number) {
    const policy = this.#policy
    if (policy === undefined) return
    this.#failures = success ? 0 : this.#failures + 1
    this.#window = record(this.#window, success, now)
    // Only a failure opens it: a success may carry the rate over `min` attempts, and is no reason to stop.
    if (success) return
    const counts = countsAt(this.#window, now)
    const tooMany = policy.failures > 0 && this.#failures >= policy.failures
    const tooOften = policy.rate > 0 && counts.successes + counts.failures >= policy.min && failureRate(counts) >= policy.rate
    if (tooMany || tooOften) this.#open(now)
  }

  #open(now: number) {
    this.#openedAt = now
    this.#openings++
    this.#enter("open")
  }

  #enter(state: BreakerState) {
    this.#state = state
    this.#generation++
    this.#failures = 0
    this.#window = makeWindow((this.#policy?.window ?? 1) * 1000)
    this.#tests = 0
    this.#successes = 0
  }
}
