/**
 * Every metric of the hub, with its name, labels and help. The values live in `Counters` and are read when somebody looks:
 * nothing is pushed. Names that dashboards rely on do not change.
 */
import { Context, Effect, Layer, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { Counters, type HistogramCounts, type LabelledCounter } from "./Counters.ts"
import { cpuSeconds, type LoopLag, monitorLoopLag, residentBytes } from "./ProcessGauges.ts"

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
    /** Everything in the registry in the Prometheus text format 0.0.4. */
    readonly render: () => string
  }
>()("weft/observe/Metrics") {
  /** Shows `counters` in the `MetricRegistry` of the context until the scope ends. */
  static readonly make = Effect.fnUntraced(function* (counters: Counters) {
    const context = yield* Effect.context<never>()
    let readGauges = (): Gauges => ({ connections: 0, rooms: 0, nodes: 1 })
    const monitor = yield* Effect.acquireRelease(Effect.sync(monitorLoopLag), ({ stop }) => Effect.sync(stop))
    const registrations: Array<Metric.Registration> = []
    yield* Effect.addFinalizer(() => Effect.sync(() => registrations.forEach((registration) => registration.remove())))
    register({ context, registrations }, counters, () => readGauges(), monitor.take)
    return Metrics.of({
      counters,
      gauges: (read) => {
        readGauges = read
      },
      render: () => PrometheusMetrics.formatUnsafe(context)
    })
  })

  static readonly layer = Layer.effect(
    Metrics,
    Effect.suspend(() => Metrics.make(new Counters()))
  )
}

export { Counters }

interface Registry {
  readonly context: Context.Context<never>
  readonly registrations: Array<Metric.Registration>
}

type Labels = Readonly<Record<string, string>>

const ignore = (): void => undefined

const counter = (registry: Registry, name: string, description: string, read: () => number, attributes?: Labels): void => {
  const metric = Metric.counter(name, { description, incremental: true, attributes })
  const hooks = { get: () => ({ count: read(), incremental: true }), update: ignore, modify: ignore }
  registry.registrations.push(Metric.registerUnsafe(metric, registry.context, hooks))
}

const labelled = (registry: Registry, name: string, description: string, label: string, counts: LabelledCounter): void =>
  counts.watch((value, read) => counter(registry, name, description, read, { [label]: value }))

const gauge = (registry: Registry, name: string, description: string, read: () => number): void => {
  const hooks = { get: () => ({ value: read() }), update: ignore, modify: ignore }
  registry.registrations.push(Metric.registerUnsafe(Metric.gauge(name, { description }), registry.context, hooks))
}

const histogram = (registry: Registry, name: string, description: string, counts: HistogramCounts): void => {
  const { boundaries } = counts
  const get = (): Metric.HistogramState => ({
    buckets: counts.cumulative(),
    count: counts.count,
    sum: counts.sum,
    min: counts.min,
    max: counts.max
  })
  const metric = Metric.histogram(name, { description, boundaries })
  registry.registrations.push(Metric.registerUnsafe(metric, registry.context, { get, update: ignore, modify: ignore }))
}

const register = (registry: Registry, counters: Counters, gauges: () => Gauges, takeLag: () => LoopLag): void => {
  gauge(registry, "weft_connections", "Open connections of this node.", () => gauges().connections)
  gauge(registry, "weft_rooms", "Rooms of this node that have members.", () => gauges().rooms)
  gauge(registry, "weft_cluster_nodes", "Live nodes of the cluster, this one among them.", () => gauges().nodes)

  const messages = (direction: "in" | "out", encoding: "json" | "msgpack", read: () => number): void =>
    counter(registry, "weft_messages_total", "Messages read from clients, and encoded for clients.", read, { direction, encoding })
  messages("in", "json", () => counters.messagesInJson)
  messages("in", "msgpack", () => counters.messagesInMsgpack)
  messages("out", "json", () => counters.messagesOutJson)
  messages("out", "msgpack", () => counters.messagesOutMsgpack)

  counter(registry, "weft_deliveries_total", "Publications handed to connections, one for each of them.", () => counters.deliveries)
  for (const [code, read] of errorReaders(counters))
    counter(registry, "weft_errors_total", "Errors that clients were told.", read, { code })
  histogram(registry, "weft_broadcast_seconds", "From reading a broadcast to handing it to this node's sockets.", counters.broadcastSeconds)
  counter(registry, "weft_slow_consumers_total", "Times that a connection fell too far behind.", () => counters.slowConsumers)
  counter(
    registry,
    "weft_dropped_messages_total",
    "Messages skipped for connections that were too far behind.",
    () => counters.droppedMessages
  )
  counter(registry, "weft_connections_total", "Connections accepted.", () => counters.connections)
  labelled(registry, "weft_closes_total", "Connections closed, by close code.", "code", counters.closes)
  labelled(registry, "weft_handshakes_refused_total", "Connections refused before the upgrade.", "status", counters.refusals)
  labelled(registry, "weft_mailbox_full_total", "Messages that a full mailbox did not take.", "actor", counters.fullMailboxes)
  labelled(registry, "weft_actor_restarts_total", "Actors restarted after a failure.", "actor", counters.restarts)
  labelled(registry, "weft_http_requests_total", "HTTP requests answered.", "status", counters.httpAnswers)

  let lag: LoopLag = { mean: 0, p99: 0, max: 0 }
  gauge(registry, "process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes)
  counter(registry, "process_cpu_seconds_total", "User and system CPU time spent in seconds.", cpuSeconds)
  // The registry is read in the order of registration: the first of the three takes the figures for all.
  gauge(registry, "nodejs_eventloop_lag_seconds", "Mean lag of the event loop since the last reading.", () => (lag = takeLag()).mean)
  gauge(registry, "nodejs_eventloop_lag_p99_seconds", "99th percentile of the event loop's lag since the last reading.", () => lag.p99)
  gauge(registry, "nodejs_eventloop_lag_max_seconds", "Maximum lag of the event loop since the last reading.", () => lag.max)
}

const errorReaders = (counters: Counters): ReadonlyArray<readonly [code: string, read: () => number]> => {
  const { errors } = counters
  return (Object.keys(errors) as Array<keyof typeof errors>).map((code) => [code, () => errors[code]] as const)
}
