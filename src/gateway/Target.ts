import type { ProxyRoute } from "../config/proxy.ts"
import { HistogramCounts } from "../observe/Counters.ts"
import { Breaker, type BreakerState } from "./Breaker.ts"
import { type GatewayErrorType, gatewayErrorTypes } from "./GatewayError.ts"
import { type HealthState, healthy, makeHealth } from "./HealthState.ts"

/** Seconds, from what a dial on the same machine takes to what nobody should wait for. */
const latencyBoundaries = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What is counted of one kind of traffic with a target, WebSockets or HTTP requests. `Pool` raises the counts. */
export class Traffic {
  /** Now: WebSockets that the backend has accepted, HTTP requests under way. */
  open = 0
  /** Since the start: WebSockets that were dialled, HTTP requests. */
  total = 0
  readonly errors: Record<GatewayErrorType, number>
  /** Seconds: of dials until the upgrade was answered, of HTTP requests until the head of the answer. */
  readonly latency = new HistogramCounts(latencyBoundaries)

  constructor() {
    this.errors = Object.fromEntries(gatewayErrorTypes.map((type) => [type, 0])) as Record<GatewayErrorType, number>
  }
}

/**
 * One backend of one route: what is configured, what its `Pool` knows of it, and what is counted. Only the pool changes the
 * former; the counts are raised by whoever carries the traffic.
 */
export class Target {
  /** The URL in its normal form. Unique in its route; the label `backend` of metrics and the id in the API. */
  readonly id: string
  readonly route: string
  /** Its place among the targets of its route. */
  readonly index: number
  readonly url: URL
  readonly weight: number
  enabled: boolean
  draining = false
  /** Milliseconds. When the draining began, while it does. */
  drainedSince: number | undefined = undefined
  health: HealthState
  readonly breaker: Breaker
  /** The state of the breaker that was last told to anybody. */
  circuit: BreakerState = "closed"
  /** Whether it was in service when that was last looked at. */
  inService: boolean
  /** Milliseconds. When it came back into service; -Infinity if it was never out. */
  availableSince = -Infinity
  /** Milliseconds. When it last changed: enabled, drained, up, down, circuit. Undefined: it never did. */
  changedAt: number | undefined = undefined

  /** WebSocket links, those that are being dialled too, and HTTP requests under way. */
  connections = 0
  /** WebSocket messages from clients to the backend, and back. */
  messagesIn = 0
  messagesOut = 0
  /** Links that left it for another backend, or for itself anew, while their client stayed. */
  moved = 0
  readonly websocket = new Traffic()
  readonly http = new Traffic()

  /** `now` in ms. */
  constructor(route: ProxyRoute, index: number, now: number) {
    const configured = route.targets[index]
    if (configured === undefined) throw new RangeError(`the route has no target ${index}`)
    this.id = configured.url
    this.route = route.name
    this.index = index
    this.url = new URL(configured.url)
    this.weight = configured.weight
    this.enabled = configured.enabled
    this.inService = configured.enabled
    this.health = makeHealth(now)
    this.breaker = new Breaker(route.circuit_breaker)
  }

  /** Those who run the service let it take new clients, whatever its health. */
  get open(): boolean {
    return this.enabled && !this.draining
  }

  /** It may take one more client now. */
  available(now: number): boolean {
    return this.open && healthy(this.health) && this.breaker.allows(now)
  }

  /** It is in full service, which is more than `available`: a circuit that is being tested does not count. */
  serving(now: number): boolean {
    return this.open && healthy(this.health) && this.breaker.state(now) === "closed"
  }
}
