import type { ProxyRoute } from "../config/proxy.ts"
import type { Asker } from "./Asker.ts"
import { type BackendView, backendView } from "./BackendView.ts"
import type { Permit } from "./Breaker.ts"
import { type Choice, Chooser } from "./Chooser.ts"
import { type GatewayErrorType, isFault } from "./GatewayError.ts"
import { type HealthPlan, healthPlan } from "./HealthPlan.ts"
import { makeHealth, observed, type ProbeOutcome, probed } from "./HealthState.ts"
import { Target } from "./Target.ts"

export type { Choice } from "./Chooser.ts"

export type TargetChange =
  "up" | "down" | "draining" | "undrained" | "enabled" | "disabled" | "circuit_open" | "circuit_half_open" | "circuit_closed"

/** Fields for a log line: `route`, `backend`, `connections`, and where an error led to the change `error_type` and `error`. */
export type ChangeDetail = Readonly<Record<string, string | number>>

export interface PoolOptions {
  /** Milliseconds since 1970: cookies outlive the process. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Signs the cookies; see `cookieSecret`. */
  readonly secret: Uint8Array
  /** Told of every change of a target's state, once it has happened. That time has half opened a circuit is told with its first test. */
  readonly onChange?: (target: Target, change: TargetChange, detail: ChangeDetail) => void
  /** Told of every failure, before what it changes. `fault`: it speaks against the target. */
  readonly onFailure?: (lease: Lease, type: GatewayErrorType, message: string, fault: boolean) => void
}

/** How many targets are tried for one WebSocket or request before the client is told that there is none. */
export const attempts = 3

/** One client's place at a target: a WebSocket link from its dial on, or an HTTP request. */
export interface Lease {
  readonly target: Target
  readonly kind: "websocket" | "http"
  /** It counts as open: a request from its begin, a WebSocket once the backend has accepted it. */
  open: boolean
  readonly permit: Permit
  released: boolean
}

const nobody: ReadonlySet<Target> = new Set()
/** Seconds. Nothing is known of when a target returns, or it is far off: a client should try again all the same. */
const RETRY_UNKNOWN = 5
const RETRY_MOST = 30

/** The targets of one route: which of them takes a client, what became of it, and their state. Synchronous, without IO. */
export class Pool {
  readonly route: ProxyRoute
  readonly targets: ReadonlyArray<Target>
  /** Clients that were told that no target can take them. Raised by whoever tells them. */
  unavailable = 0
  readonly #options: PoolOptions
  readonly #plan: HealthPlan | undefined
  readonly #chooser: Chooser

  constructor(route: ProxyRoute, options: PoolOptions) {
    const now = options.now()
    this.route = route
    this.targets = route.targets.map((_, index) => new Target(route, index, now))
    this.#options = options
    this.#plan = healthPlan(route)
    this.#chooser = new Chooser(route, this.targets, options)
  }

  /**
   * The target for a client: the one that it sticks to if that can take it, else one by the route's strategy. Undefined: none
   * can, see `retryAfter`. `except` holds targets that have just failed this client. Nothing is taken yet: `acquire` must
   * follow in the same turn of the event loop, or a circuit that is being tested would let too many through.
   */
  choose(asker: Asker, except: ReadonlySet<Target> = nobody): Choice | undefined {
    return this.#chooser.choose(asker, except, this.#options.now())
  }

  /** A client goes to the target, to speak WebSocket or HTTP. Every lease is released once, whatever else becomes of it. */
  acquire(target: Target, kind: Lease["kind"] = "websocket"): Lease {
    const now = this.#options.now()
    const lease: Lease = { target, kind, permit: target.breaker.attempt(now), open: false, released: false }
    target.connections++
    target[kind].total++
    if (kind === "http") this.#open(lease)
    this.#settle(target, now)
    return lease
  }

  /** The client is gone. An attempt without an outcome counts as cancelled. The second call for a lease does nothing. */
  release(lease: Lease): void {
    if (lease.released) return
    lease.released = true
    lease.target.connections--
    if (lease.open) lease.target[lease.kind].open--
    lease.target.breaker.cancelled(lease.permit)
  }

  /** The backend accepted the WebSocket or began to answer the request, `milliseconds` after it was asked, and that is all it had to do. */
  succeeded(lease: Lease, milliseconds: number): void {
    this.accepted(lease, milliseconds)
    this.proved(lease)
  }

  /** The backend accepted the WebSocket, `milliseconds` after it was asked. Whether it does well is yet to be told. */
  accepted(lease: Lease, milliseconds: number): void {
    lease.target[lease.kind].latency.observe(milliseconds / 1000)
    this.#open(lease)
  }

  /** The backend does well with a client that it accepted. */
  proved(lease: Lease): void {
    const now = this.#options.now()
    const { permit, target } = lease
    target.health = observed(target.health, undefined, now)
    target.breaker.success(permit, now)
    this.#settle(target, now)
  }

  /**
   * Something went wrong, before or after it was accepted; counted by its type. `fault`: whether that speaks against the target.
   * A refusal that does not is as good as a success for its circuit, and other failures that do not say nothing about it.
   */
  failed(lease: Lease, type: GatewayErrorType, message: string = type, fault: boolean = isFault(type)): void {
    const now = this.#options.now()
    const { kind, permit, target } = lease
    target[kind].errors[type]++
    this.#options.onFailure?.(lease, type, message, fault)
    if (fault) {
      target.health = observed(target.health, { type, message }, now)
      if (permit.settled) target.breaker.lost(now)
      else target.breaker.failure(permit, now)
    } else if (type === "refused") {
      target.health = observed(target.health, undefined, now)
      target.breaker.success(permit, now)
    } else target.breaker.cancelled(permit)
    this.#settle(target, now, { error_type: type, error: message })
  }

  /** The outcome of an active check. */
  probed(target: Target, outcome: ProbeOutcome): void {
    if (this.#plan === undefined) return
    const now = this.#options.now()
    const before = target.health.status
    target.health = probed(target.health, this.#plan, outcome, now)
    const { status } = target.health
    this.#settle(target, now)
    if (status !== before && status !== "unknown")
      this.#changed(target, status, now, outcome.ok ? {} : { error_type: outcome.type, error: outcome.message })
  }

  /** A draining target takes no new clients, sticky ones neither. */
  drain(target: Target, draining: boolean): void {
    if (target.draining === draining) return
    const now = this.#options.now()
    target.draining = draining
    target.drainedSince = draining ? now : undefined
    this.#settle(target, now)
    this.#changed(target, draining ? "draining" : "undrained", now)
  }

  /** A disabled target takes no new clients and is not checked. Nothing is known of the health of one that is enabled. */
  enable(target: Target, enabled: boolean): void {
    if (target.enabled === enabled) return
    const now = this.#options.now()
    target.enabled = enabled
    if (enabled) target.health = makeHealth(now)
    this.#settle(target, now)
    this.#changed(target, enabled ? "enabled" : "disabled", now)
  }

  /** Whole seconds after which a client that was refused may try again, from 1 to 30. */
  get retryAfter(): number {
    const now = this.#options.now()
    let soonest = Infinity
    for (const target of this.targets) {
      if (!target.open || target.weight <= 0) continue
      soonest = Math.min(soonest, target.health.status === "down" ? (this.#plan?.recheck ?? Infinity) : target.breaker.remaining(now))
    }
    return soonest === Infinity ? RETRY_UNKNOWN : Math.min(Math.max(1, Math.ceil(soonest / 1000)), RETRY_MOST)
  }

  find(id: string): Target | undefined {
    return this.targets.find((target) => target.id === id)
  }

  /** All targets, in the order of the configuration. */
  view(): ReadonlyArray<BackendView> {
    const now = this.#options.now()
    return this.targets.map((target) => backendView(target, now))
  }

  #open(lease: Lease): void {
    if (lease.open || lease.released) return
    lease.open = true
    lease.target[lease.kind].open++
  }

  /** After anything that may have changed the circuit, or brought the target back into service. */
  #settle(target: Target, now: number, cause: ChangeDetail = {}): void {
    const circuit = target.breaker.state(now)
    const serving = target.serving(now)
    const turned = circuit !== target.circuit
    if (!turned && serving === target.inService) return
    if (serving && !target.inService) target.availableSince = now
    target.circuit = circuit
    target.inService = serving
    this.#chooser.update(target)
    if (turned) this.#changed(target, `circuit_${circuit}`, now, circuit === "open" ? cause : {})
  }

  #changed(target: Target, change: TargetChange, now: number, cause: ChangeDetail = {}): void {
    target.changedAt = now
    this.#options.onChange?.(target, change, { route: target.route, backend: target.id, connections: target.connections, ...cause })
  }
}
