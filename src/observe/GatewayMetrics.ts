/**
 * Every metric of the gateway, with its name, labels and help. The four whose names begin with `gateway_` know a backend by
 * its URL alone, summed up over the routes that share it; the others tell the routes apart.
 */
import { backendState, backendStates } from "../gateway/BackendView.ts"
import { breakerStates } from "../gateway/Breaker.ts"
import { gatewayErrorTypes } from "../gateway/GatewayError.ts"
import type { Pool } from "../gateway/Pool.ts"
import type { Target } from "../gateway/Target.ts"
import type { Series } from "./Series.ts"

const byUrl = (targets: ReadonlyArray<Target>): ReadonlyMap<string, ReadonlyArray<Target>> => {
  const groups = new Map<string, Array<Target>>()
  for (const target of targets) {
    const group = groups.get(target.id)
    if (group === undefined) groups.set(target.id, [target])
    else group.push(target)
  }
  return groups
}

const webSockets = (series: Series, backend: string, targets: ReadonlyArray<Target>): void => {
  const sum = (valueOf: (target: Target) => number) => (): number => targets.reduce((total, target) => total + valueOf(target), 0)
  const open = sum(({ websocket }) => websocket.open)
  series.gauge("gateway_websocket_connections", "WebSockets that the backend has accepted and that are open.", open, { backend })

  const messages = (direction: "in" | "out", valueOf: (target: Target) => number): void =>
    series.counter("gateway_websocket_messages_total", "Messages from clients to the backend, and back.", sum(valueOf), {
      direction,
      backend
    })
  messages("in", ({ messagesIn }) => messagesIn)
  messages("out", ({ messagesOut }) => messagesOut)

  for (const type of gatewayErrorTypes)
    series.counter(
      "gateway_websocket_errors_total",
      "What went wrong with WebSockets to the backend.",
      sum(({ websocket }) => websocket.errors[type]),
      { type, backend }
    )
  series.histogram(
    "gateway_websocket_latency_seconds",
    "From dialling the backend to its acceptance of the WebSocket.",
    targets.map(({ websocket }) => websocket.latency),
    { backend }
  )
}

const backends = (series: Series, target: Target, now: () => number): void => {
  const labels = { route: target.route, backend: target.id }
  for (const state of backendStates)
    series.gauge("weft_gateway_backend_state", "1 for the state that the backend is in.", () => Number(backendState(target) === state), {
      ...labels,
      state
    })
  for (const state of breakerStates)
    series.gauge(
      "weft_gateway_circuit_state",
      "1 for the state that the backend's circuit is in.",
      () => Number(target.breaker.state(now()) === state),
      { ...labels, state }
    )
  series.counter("weft_gateway_circuit_openings_total", "Times that the circuit opened.", () => target.breaker.view(now()).openings, labels)
  series.counter(
    "weft_gateway_moved_links_total",
    "WebSockets that left the backend for another one while their client stayed.",
    () => target.moved,
    labels
  )
  series.gauge("weft_gateway_http_requests_in_flight", "HTTP requests that the backend works at.", () => target.http.open, labels)
  series.counter("weft_gateway_http_requests_total", "HTTP requests to the backend.", () => target.http.total, labels)
  for (const type of gatewayErrorTypes)
    series.counter("weft_gateway_http_errors_total", "What went wrong with HTTP requests to the backend.", () => target.http.errors[type], {
      type,
      ...labels
    })
  series.histogram("weft_gateway_http_latency_seconds", "From asking the backend to the head of its answer.", [target.http.latency], labels)
}

/** Shows the routes' targets. `now` in ms, of the clock of the pools. */
export const registerGateway = (series: Series, pools: ReadonlyArray<Pool>, now: () => number): void => {
  const targets = pools.flatMap((pool) => pool.targets)
  for (const [backend, group] of byUrl(targets)) webSockets(series, backend, group)
  for (const target of targets) backends(series, target, now)
  for (const pool of pools)
    series.counter("weft_gateway_unavailable_total", "Clients that were told that no backend can take them.", () => pool.unavailable, {
      route: pool.route.name
    })
}
