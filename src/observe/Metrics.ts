/**
 * Every metric, with its name, labels and help; those of the gateway stand in `GatewayMetrics`. The values live elsewhere and
 * are read when somebody looks: nothing is pushed. Names that dashboards rely on do not change.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { PrometheusMetrics } from "effect/observability"
import type { Pool } from "../gateway/Pool.ts"
import { Counters, type LabelledCounter } from "./Counters.ts"
import { registerGateway } from "./GatewayMetrics.ts"
import { cpuSeconds, type LoopLag, monitorLoopLag, residentBytes } from "./ProcessGauges.ts"
import { Series } from "./Series.ts"

/** What is counted where it is, not here. */
export interface Gauges {
  readonly connections: number
  readonly rooms: number
  /** Live nodes of the cluster, this one among them. */
  readonly nodes: number
}

export class Metrics extends Context.Service<
  Metrics,
  {
    readonly counters: Counters
    /** Names the source of the gauges. Until then they are 0, and the node alone. */
    readonly gauges: (read: () => Gauges) => void
    /** Shows the gateway's routes, once. */
    readonly gateway: (pools: ReadonlyArray<Pool>) => void
    /** Everything in the registry in the Prometheus text format 0.0.4. */
    readonly render: () => string
  }
>()("weft/observe/Metrics") {
  /** Shows `counters` in the `MetricRegistry` of the context until the scope ends. */
  static readonly make = Effect.fnUntraced(function* (counters: Counters) {
    const context = yield* Effect.context<never>()
    let readGauges = (): Gauges => ({ connections: 0, rooms: 0, nodes: 1 })
    const monitor = yield* Effect.acquireRelease(Effect.sync(monitorLoopLag), ({ stop }) => Effect.sync(stop))
    const clock = yield* Clock.Clock
    const series = yield* Effect.acquireRelease(
      Effect.sync(() => new Series(context)),
      (all) => Effect.sync(() => all.remove())
    )
    register(series, counters, () => readGauges(), monitor.take)
    return Metrics.of({
      counters,
      gauges: (read) => {
        readGauges = read
      },
      gateway: (pools) => registerGateway(series, pools, () => clock.currentTimeMillisUnsafe()),
      render: () => PrometheusMetrics.formatUnsafe(context)
    })
  })

  static readonly layer = Layer.effect(
    Metrics,
    Effect.suspend(() => Metrics.make(new Counters()))
  )
}

export { Counters }

const labelled = (series: Series, name: string, description: string, label: string, counts: LabelledCounter): void =>
  counts.watch((value, read) => series.counter(name, description, read, { [label]: value }))

const register = (series: Series, counters: Counters, gauges: () => Gauges, takeLag: () => LoopLag): void => {
  series.gauge("weft_connections", "Open connections of this node.", () => gauges().connections)
  series.gauge("weft_rooms", "Rooms of this node that have members.", () => gauges().rooms)
  series.gauge("weft_cluster_nodes", "Live nodes of the cluster, this one among them.", () => gauges().nodes)

  const messages = (direction: "in" | "out", encoding: "json" | "msgpack", read: () => number): void =>
    series.counter("weft_messages_total", "Messages read from clients, and encoded for clients.", read, { direction, encoding })
  messages("in", "json", () => counters.messagesInJson)
  messages("in", "msgpack", () => counters.messagesInMsgpack)
  messages("out", "json", () => counters.messagesOutJson)
  messages("out", "msgpack", () => counters.messagesOutMsgpack)

  series.counter("weft_deliveries_total", "Publications handed to connections, one for each of them.", () => counters.deliveries)
  for (const [code, read] of errorReaders(counters)) series.counter("weft_errors_total", "Errors that clients were told.", read, { code })
  series.histogram("weft_broadcast_seconds", "From reading a broadcast to handing it to this node's sockets.", [counters.broadcastSeconds])
  series.counter("weft_slow_consumers_total", "Times that a connection fell too far behind.", () => counters.slowConsumers)
  series.counter(
    "weft_dropped_messages_total",
    "Messages skipped for connections that were too far behind.",
    () => counters.droppedMessages
  )
  series.counter("weft_connections_total", "Connections accepted.", () => counters.connections)
  labelled(series, "weft_closes_total", "Connections closed, by close code.", "code", counters.closes)
  labelled(series, "weft_handshakes_refused_total", "Connections refused before the upgrade.", "status", counters.refusals)
  labelled(series, "weft_mailbox_full_total", "Messages that a full mailbox did not take.", "actor", counters.fullMailboxes)
  labelled(series, "weft_actor_restarts_total", "Actors restarted after a failure.", "actor", counters.restarts)
  labelled(series, "weft_http_requests_total", "HTTP requests answered.", "status", counters.httpAnswers)

  let lag: LoopLag = { mean: 0, p99: 0, max: 0 }
  series.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes)
  series.counter("process_cpu_seconds_total", "User and system CPU time spent in seconds.", cpuSeconds)
  // The registry is read in the order of registration: the first of the three takes the figures for all.
  series.gauge("nodejs_eventloop_lag_seconds", "Mean lag of the event loop since the last reading.", () => (lag = takeLag()).mean)
  series.gauge("nodejs_eventloop_lag_p99_seconds", "99th percentile of the event loop's lag since the last reading.", () => lag.p99)
  series.gauge("nodejs_eventloop_lag_max_seconds", "Maximum lag of the event loop since the last reading.", () => lag.max)
}

const errorReaders = (counters: Counters): ReadonlyArray<readonly [code: string, read: () => number]> => {
  const { errors } = counters
  return (Object.keys(errors) as Array<keyof typeof errors>).map((code) => [code, () => errors[code]] as const)
}
