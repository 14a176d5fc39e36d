import { readFileSync } from "node:fs"
import { Effect, Metric } from "effect"
import { describe, expect, it } from "vitest"
import { Counters, HistogramCounts, LabelledCounter } from "../../src/observe/Counters.ts"
import { Metrics } from "../../src/observe/Metrics.ts"
import { metricsAnswer } from "../../src/observe/Prometheus.ts"
import { errorCodes } from "../../src/wire/Codes.ts"
import { poolOf } from "../gateway/poolOf.ts"
import { proxyRoute, urls } from "../gateway/proxyRoute.ts"
import { parsePrometheus, sampleOf } from "./prometheusText.ts"

const withMetrics = (use: (metrics: Metrics["Service"]) => void): Promise<void> =>
  Effect.scoped(Effect.map(Metrics.make(new Counters()), use)).pipe(
    Effect.provideService(Metric.MetricRegistry, new Map()),
    Effect.runPromise
  )

/** Contract, section 10, for the hub, and what this project adds. */
const names: Readonly<Record<string, readonly [type: string, ...labels: ReadonlyArray<string>]>> = {
  weft_connections: ["gauge"],
  weft_rooms: ["gauge"],
  weft_messages_total: ["counter", "direction", "encoding"],
  weft_deliveries_total: ["counter"],
  weft_errors_total: ["counter", "code"],
  weft_broadcast_seconds: ["histogram"],
  weft_slow_consumers_total: ["counter"],
  weft_cluster_nodes: ["gauge"],
  weft_dropped_messages_total: ["counter"],
  weft_connections_total: ["counter"],
  weft_closes_total: ["counter", "code"],
  weft_handshakes_refused_total: ["counter", "status"],
  weft_mailbox_full_total: ["counter", "actor"],
  weft_actor_restarts_total: ["counter", "actor"],
  weft_http_requests_total: ["counter", "status"],
  process_resident_memory_bytes: ["gauge"],
  process_cpu_seconds_total: ["counter"],
  nodejs_eventloop_lag_seconds: ["gauge"]
}

describe("metrics", () => {
  it("have the promised names, types and labels, and nothing a strict reader refuses", () =>
    withMetrics((metrics) => {
      metrics.counters.answered(200)
      const families = parsePrometheus(metrics.render())
      for (const [name, [type, ...labels]] of Object.entries(names)) {
        const family = families.get(name)
        expect({ name, type: family?.type }).toEqual({ name, type })
        if (type === "histogram") continue
        for (const sample of family?.samples ?? []) expect([name, ...Object.keys(sample.labels)]).toEqual([name, ...labels])
      }
    }))

  it("show what was counted", () =>
    withMetrics(({ counters, gauges, render }) => {
      gauges(() => ({ connections: 3, rooms: 2, nodes: 1 }))
      counters.received("json")
      counters.received("json")
      counters.received("msgpack")
      counters.sent("json")
      counters.sent("msgpack")
      counters.sent("msgpack")
      counters.published(5, 0.2)
      counters.published(2, 70)
      counters.error("forbidden")
      counters.slowConsumer()
      counters.dropped()
      counters.dropped()
      counters.opened()
      counters.closed(1000)
      counters.refused(401)
      counters.mailboxFull("room")
      counters.restarted("room")
      counters.answered(404)
      const families = parsePrometheus(render())
      const value = (name: string, labels?: Record<string, string>): number | undefined => sampleOf(families, name, labels)
      expect(value("weft_connections")).toBe(3)
      expect(value("weft_rooms")).toBe(2)
      expect(value("weft_cluster_nodes")).toBe(1)
      expect(value("weft_messages_total", { direction: "in", encoding: "json" })).toBe(2)
      expect(value("weft_messages_total", { direction: "in", encoding: "msgpack" })).toBe(1)
      expect(value("weft_messages_total", { direction: "out", encoding: "json" })).toBe(1)
      expect(value("weft_messages_total", { direction: "out", encoding: "msgpack" })).toBe(2)
      expect(value("weft_deliveries_total")).toBe(7)
      expect(value("weft_errors_total", { code: "forbidden" })).toBe(1)
      expect(value("weft_errors_total", { code: "internal" })).toBe(0)
      expect(value("weft_slow_consumers_total")).toBe(1)
      expect(value("weft_dropped_messages_total")).toBe(2)
      expect(value("weft_connections_total")).toBe(1)
      expect(value("weft_closes_total", { code: "1000" })).toBe(1)
      expect(value("weft_handshakes_refused_total", { status: "401" })).toBe(1)
      expect(value("weft_mailbox_full_total", { actor: "room" })).toBe(1)
      expect(value("weft_actor_restarts_total", { actor: "room" })).toBe(1)
      expect(value("weft_http_requests_total", { status: "404" })).toBe(1)
      const histogram = families.get("weft_broadcast_seconds")?.samples ?? []
      const bucket = (le: string): number | undefined => histogram.find((sample) => sample.labels["le"] === le)?.value
      expect([bucket("0.0001"), bucket("0.00025"), bucket("0.05"), bucket("0.1"), bucket("+Inf")]).toEqual([0, 1, 1, 2, 2])
      expect(histogram.find((sample) => sample.name.endsWith("_sum"))?.value).toBeCloseTo(0.0702)
    }))

  it("name every error code from the start", () =>
    withMetrics((metrics) => {
      const codes = parsePrometheus(metrics.render())
        .get("weft_errors_total")
        ?.samples.map((sample) => sample.labels["code"])
      expect(codes).toEqual(Object.keys(errorCodes))
    }))

  it("are those of the documentation, with their types and labels", () =>
    withMetrics((metrics) => {
      metrics.counters.answered(200)
      metrics.gateway([poolOf(proxyRoute(urls(1))).pool])
      const rows = readFileSync(new URL("../../docker/operations.md", import.meta.url), "utf8").matchAll(
        /^\| `((?:weft|gateway|process|nodejs)_\w+)` +\| (\w+) +\| ([^|]*)\|/gm
      )
      const documented = Array.from(rows, ([, name, type, labels = ""]) => ({ name, type, labels: labels.match(/\w+/g) ?? [] }))
      const shown = Array.from(parsePrometheus(metrics.render()).values(), ({ name, samples, type }) => ({
        name,
        type,
        labels: Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== "le")
      }))
      const byName = (a: { readonly name?: string | undefined }, b: { readonly name?: string | undefined }): number =>
        (a.name ?? "").localeCompare(b.name ?? "")
      expect(documented.toSorted(byName)).toEqual(shown.toSorted(byName))
      expect(documented.length).toBeGreaterThan(25)
    }))

  it("show plausible figures of the process", () =>
    withMetrics((metrics) => {
      const families = parsePrometheus(metrics.render())
      expect(sampleOf(families, "process_resident_memory_bytes")).toBeGreaterThan(10_000_000)
      expect(sampleOf(families, "process_cpu_seconds_total")).toBeGreaterThan(0)
      expect(sampleOf(families, "nodejs_eventloop_lag_seconds")).toBeGreaterThanOrEqual(0)
    }))

  it("escape what stands in labels", () =>
    withMetrics((metrics) => {
      metrics.counters.mailboxFull('a"b\\c\nd')
      expect(sampleOf(parsePrometheus(metrics.render()), "weft_mailbox_full_total", { actor: 'a"b\\c\nd' })).toBe(1)
    }))

  it("leave the registry with their scope", async () => {
    const registry = new Map()
    await Effect.scoped(Metrics.make(new Counters())).pipe(Effect.provideService(Metric.MetricRegistry, registry), Effect.runPromise)
    expect(registry.size).toBe(0)
  })

  it("stand beside those of the program that embeds the server", async () => {
    const both = Effect.gen(function* () {
      const metrics = yield* Metrics.make(new Counters())
      yield* Metric.update(Metric.counter("shop_orders_total", { description: "Orders." }), 2)
      return metrics.render()
    })
    const text = await Effect.scoped(both).pipe(Effect.provideService(Metric.MetricRegistry, new Map()), Effect.runPromise)
    expect(sampleOf(parsePrometheus(text), "shop_orders_total")).toBe(2)
  })

  it("are answered as Prometheus text that is not to be cached", () =>
    withMetrics((metrics) => {
      const { body, headers, status } = metricsAnswer(metrics)
      expect(status).toBe(200)
      expect(headers).toEqual({ "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" })
      expect(body).toContain("weft_connections 0\n")
    }))
})

describe("a histogram", () => {
  it("counts a value at a boundary below it", () => {
    const histogram = new HistogramCounts([1, 2])
    for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(value)
    expect(histogram.cumulative()).toEqual([
      [1, 2],
      [2, 4]
    ])
    expect([histogram.count, histogram.sum, histogram.min, histogram.max]).toEqual([5, 8, 0.5, 3])
  })
})

describe("a labelled counter", () => {
  it("counts what is beyond its bound of values as other", () => {
    const counter = new LabelledCounter(["known"])
    for (let i = 0; i < 1000; i++) counter.add(`value ${i}`)
    counter.add("known")
    const labels: Array<string> = []
    counter.watch((label) => void labels.push(label))
    expect(labels.length).toBeLessThanOrEqual(65)
    expect(counter.get("known")).toBe(1)
    expect(labels.reduce((sum, label) => sum + counter.get(label), 0)).toBe(1001)
    expect(counter.get("other")).toBeGreaterThan(900)
  })

  it("counts close codes that nobody knows as other", () => {
    const { closes } = new Counters()
    for (let code = 3000; code < 5000; code++) closes.add(code)
    expect(closes.get("other")).toBeGreaterThan(1900)
  })
})

describe("the strict reader of these tests", () => {
  it.each([
    ["no help", "# TYPE a gauge\na 1\n"],
    ["no type", "# HELP a x\na 1\n"],
    ["the same family twice", "# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 2\n"],
    ["the same sample twice", '# HELP a x\n# TYPE a gauge\na{l="1"} 1\na{l="1"} 2\n'],
    ["a bad value", "# HELP a x\n# TYPE a gauge\na 1x\n"],
    ["an open quote", '# HELP a x\n# TYPE a gauge\na{l="1} 1\n'],
    ["a bare quote", '# HELP a x\n# TYPE a gauge\na{l="1"2"} 1\n'],
    ["a counter without _total", "# HELP a x\n# TYPE a counter\na 1\n"],
    ["a histogram that shrinks", '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'],
    [
      "a histogram without +Inf for one of its labels",
      '# HELP a x\n# TYPE a histogram\na_bucket{l="1",le="+Inf"} 1\na_sum{l="1"} 1\na_count{l="1"} 1\na_sum{l="2"} 1\na_count{l="2"} 1\n'
    ],
    ["a histogram without +Inf", '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_sum 1\na_count 2\n'],
    ["no last newline", "# HELP a x\n# TYPE a gauge\na 1"]
  ])("refuses %s", (_, text) => {
    expect(() => parsePrometheus(text)).toThrow(Error)
  })
})
