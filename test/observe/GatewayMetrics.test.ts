import { readFileSync } from "node:fs"
import { Context, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { describe, expect, it } from "vitest"
import { gatewayErrorTypes } from "../../src/gateway/GatewayError.ts"
import type { Pool } from "../../src/gateway/Pool.ts"
import { registerGateway } from "../../src/observe/GatewayMetrics.ts"
import { Series } from "../../src/observe/Series.ts"
import { client, backend as startBackend } from "../gateway/support.ts"
import { poolOf } from "../gateway/poolOf.ts"
import { circuitBreaker, proxyRoute, urls, webSocketHealth } from "../gateway/proxyRoute.ts"
import { start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { type Family, parsePrometheus, type Sample, sampleOf } from "./prometheusText.ts"

type Families = ReadonlyMap<string, Family>

/** Reads the metrics of these pools, strictly. */
const reader = (pools: ReadonlyArray<{ readonly pool: Pool; readonly clock: { readonly now: number } }>): (() => Families) => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  registerGateway(
    new Series(context),
    pools.map(({ pool }) => pool),
    () => pools[0]?.clock.now ?? 0
  )
  return () => parsePrometheus(PrometheusMetrics.formatUnsafe(context))
}

const [first = "", second = ""] = urls(2)

const labelsOf = ({ samples, type }: Family): ReadonlyArray<string> =>
  type === "histogram"
    ? Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== "le")
    : [...new Set(samples.map(({ labels }) => Object.keys(labels).join()))]

/** The values of the samples of a family by one of their labels, those that are not 0. */
const by = (label: string, { samples }: Family = { name: "", type: "", help: "", samples: [] }): Record<string, number> =>
  Object.fromEntries(samples.filter(({ value }) => value !== 0).map(({ labels, value }) => [labels[label] ?? "", value]))

describe("metrics of the gateway", () => {
  it("have the promised names, types and labels, and values from the start", () => {
    const families = reader([poolOf(proxyRoute(urls(2)))])()
    const promised = Object.entries({
      gateway_websocket_connections: ["gauge", "backend"],
      gateway_websocket_messages_total: ["counter", "direction,backend"],
      gateway_websocket_errors_total: ["counter", "type,backend"],
      gateway_websocket_latency_seconds: ["histogram", "backend"]
    })
    for (const [name, [type, labels]] of promised) {
      const family = families.get(name)
      expect(family).toMatchObject({ name, type })
      if (family !== undefined) expect([name, ...labelsOf(family)]).toEqual([name, labels])
    }
    const values = (name: string, backend: string): ReadonlyArray<Sample> =>
      families.get(name)?.samples.filter(({ labels }) => labels["backend"] === backend) ?? []
    for (const url of [first, second]) {
      expect(values("gateway_websocket_messages_total", url).map(({ labels, value }) => [labels["direction"], value])).toEqual([
        ["in", 0],
        ["out", 0]
      ])
      expect(values("gateway_websocket_errors_total", url).map(({ labels }) => labels["type"])).toEqual(gatewayErrorTypes)
    }
  })

  it("show WebSockets apart from HTTP requests", () => {
    const route = poolOf(proxyRoute(urls(2)))
    const { pool, target } = route
    const read = reader([route])
    const link = pool.acquire(target(0), "websocket")
    const dialling = pool.acquire(target(0), "websocket")
    const requests = [1, 2, 3].map(() => pool.acquire(target(0), "http"))
    pool.succeeded(link, 20)
    for (const request of requests) pool.succeeded(request, 3)
    target(0).messagesIn += 7
    target(0).messagesOut += 9
    const before = read()
    expect(by("backend", before.get("gateway_websocket_connections"))).toEqual({ [first]: 1 })
    expect(by("direction", before.get("gateway_websocket_messages_total"))).toEqual({ in: 7, out: 9 })
    expect(sampleOf(before, "weft_gateway_http_requests_in_flight", { route: "/chat/*", backend: first })).toBe(3)
    const latency = before.get("gateway_websocket_latency_seconds")?.samples.filter(({ labels }) => labels["backend"] === first) ?? []
    const bucket = (le: string): number | undefined => latency.find(({ labels }) => labels["le"] === le)?.value
    expect([bucket("0.01"), bucket("0.025"), bucket("+Inf")]).toEqual([0, 1, 1])
    expect(latency.find(({ name }) => name.endsWith("_sum"))?.value).toBeCloseTo(0.02)
    const http = before.get("weft_gateway_http_latency_seconds")?.samples.find(({ name }) => name.endsWith("_count"))
    expect(http).toMatchObject({ labels: { route: "/chat/*", backend: first }, value: 3 })

    pool.failed(link, "lost")
    pool.failed(dialling, "timeout")
    pool.failed(requests[0] ?? expect.fail(), "connect")
    for (const lease of [link, dialling, ...requests]) pool.release(lease)
    const after = read()
    expect(by("backend", after.get("gateway_websocket_connections"))).toEqual({})
    expect(by("type", after.get("gateway_websocket_errors_total"))).toEqual({ lost: 1, timeout: 1 })
    expect(by("type", after.get("weft_gateway_http_errors_total"))).toEqual({ connect: 1 })
    expect(by("backend", after.get("weft_gateway_http_requests_total"))).toEqual({ [first]: 3 })
    expect(by("backend", after.get("weft_gateway_http_requests_in_flight"))).toEqual({})
  })

  it("sum up the routes that share a target, where the route is no label", () => {
    const chat = poolOf(proxyRoute(urls(2)))
    const feed = poolOf(proxyRoute([first], { name: "feed" }))
    const read = reader([chat, feed])
    for (const [{ pool, target }, milliseconds] of [
      [chat, 20],
      [feed, 700]
    ] as const) {
      pool.succeeded(pool.acquire(target(0)), milliseconds)
      pool.failed(pool.acquire(target(0)), "dns")
      target(0).messagesIn += 5
    }
    feed.pool.failed(feed.pool.acquire(feed.target(0), "http"), "tls")
    const families = read()
    expect(by("backend", families.get("gateway_websocket_connections"))).toEqual({ [first]: 2 })
    expect(by("direction", families.get("gateway_websocket_messages_total"))).toEqual({ in: 10 })
    expect(by("type", families.get("gateway_websocket_errors_total"))).toEqual({ dns: 2 })
    const latency = families.get("gateway_websocket_latency_seconds")?.samples.filter(({ labels }) => labels["backend"] === first) ?? []
    expect(latency.filter(({ name }) => name.endsWith("_count")).map(({ value }) => value)).toEqual([2])
    expect(latency.find(({ labels }) => labels["le"] === "0.5")?.value).toBe(1)
    expect(by("route", families.get("weft_gateway_http_errors_total"))).toEqual({ feed: 1 })
  })

  it("show the one state that a backend and its circuit are in", () => {
    const route = poolOf(proxyRoute(urls(1), { circuit_breaker: circuitBreaker, websocket_health: webSocketHealth }))
    const { clock, down, pool, target, trip, up } = route
    const read = reader([route])
    const states = () => {
      const families = read()
      return [by("state", families.get("weft_gateway_backend_state")), by("state", families.get("weft_gateway_circuit_state"))]
    }
    expect(states()).toEqual([{ unknown: 1 }, { closed: 1 }])
    up(0)
    trip(0)
    expect(states()).toEqual([{ up: 1 }, { open: 1 }])
    // Nobody asks the pool for a target: the time alone half opens it.
    clock.now += 30_000
    expect(states()).toEqual([{ up: 1 }, { half_open: 1 }])
    down(0)
    expect(states()[0]).toEqual({ down: 1 })
    pool.drain(target(0), true)
    expect(states()[0]).toEqual({ draining: 1 })
    pool.enable(target(0), false)
    expect(states()[0]).toEqual({ disabled: 1 })
    expect(by("backend", read().get("weft_gateway_circuit_openings_total"))).toEqual({ [first]: 1 })
  })

  it("leave the registry with their series", () => {
    const registry = new Map()
    const series = new Series(Context.make(Metric.MetricRegistry, registry))
    registerGateway(series, [poolOf(proxyRoute(urls(2))).pool], () => 0)
    expect(registry.size).toBeGreaterThan(50)
    series.remove()
    expect(registry.size).toBe(0)
  })

  it("name in the documentation every type of error", () => {
    const text = readFileSync(new URL("../../docker/operations.md", import.meta.url), "utf8")
    const [, table = ""] = /The types of errors:\n\n(.*?)\n\n/s.exec(text) ?? []
    expect(Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, type]) => type)).toEqual(gatewayErrorTypes)
  })
})

describe("metrics of a server with routes", () => {
  const scrape = async (url: string): Promise<Families> => parsePrometheus(await (await fetch(`${url}/metrics`)).text())

  it("count what passes, and what does not", async () => {
    const echo = await startBackend()
    const server = await start({ proxy: [{ path: "/app", targets: [echo.url] }] })
    const ada = await client(server, "/app").opened()
    for (const text of ["1", "2", "3"]) ada.ws.send(text)
    await ada.take(3)
    const during = await scrape(server.url)
    expect(sampleOf(during, "gateway_websocket_connections", { backend: echo.url })).toBe(1)
    expect(by("direction", during.get("gateway_websocket_messages_total"))).toEqual({ in: 3, out: 3 })
    expect(by("type", during.get("gateway_websocket_errors_total"))).toEqual({})
    const count = during.get("gateway_websocket_latency_seconds")?.samples.find(({ name }) => name.endsWith("_count"))
    expect(count?.value).toBe(1)

    await echo.kill()
    await ada.end()
    await client(server, "/app").refusal()
    const after = await scrape(server.url)
    expect(by("backend", after.get("gateway_websocket_connections"))).toEqual({})
    expect(by("type", after.get("gateway_websocket_errors_total"))).toEqual({ lost: 1, connect: 1 })
  })

  it("count HTTP requests apart from WebSockets", async () => {
    const plain = await startBackend()
    const server = await start({ proxy: [{ path: "/app", targets: [plain.url] }] })
    for (let n = 0; n < 3; n++) expect(await (await fetch(`${server.url}/app`)).text()).toBe("plain")
    await plain.kill()
    expect((await fetch(`${server.url}/app`)).status).toBe(502)
    const families = await scrape(server.url)
    expect(by("backend", families.get("weft_gateway_http_requests_total"))[plain.url]).toBeGreaterThanOrEqual(4)
    expect(by("backend", families.get("weft_gateway_http_requests_in_flight"))).toEqual({})
    const count = families.get("weft_gateway_http_latency_seconds")?.samples.find(({ name }) => name.endsWith("_count"))
    expect(count?.value).toBe(3)
    expect(Object.keys(by("type", families.get("weft_gateway_http_errors_total")))).not.toEqual([])
    const webSockets = families.get("gateway_websocket_latency_seconds")?.samples.find(({ name }) => name.endsWith("_count"))
    expect(webSockets?.value).toBe(0)
    expect(by("type", families.get("gateway_websocket_errors_total"))).toEqual({})
  })

  it("count clients that nobody could take", async () => {
    const server = await start({ proxy: [{ name: "app", path: "/app", targets: [{ url: "http://127.0.0.1:9", enabled: false }] }] })
    expect((await client(server, "/app").refusal()).status).toBe(503)
    expect(by("route", (await scrape(server.url)).get("weft_gateway_unavailable_total"))).toEqual({ app: 1 })
  })

  it("count links that moved, at the backend that they left", async () => {
    const [one, two] = await Promise.all([startBackend(), startBackend()])
    const server = await start({ proxy: [{ path: "/app", targets: [one.url, two.url], failover: { mode: "reconnect" } }] })
    const ada = await client(server, "/app").opened()
    const [lost, next] = one.links.length === 1 ? [one, two] : [two, one]
    lost.links[0]?.ws.terminate()
    await eventually(() => next.links[0])
    ada.ws.send("still here")
    await ada.take(1)
    const families = await scrape(server.url)
    expect(by("backend", families.get("weft_gateway_moved_links_total"))).toEqual({ [lost.url]: 1 })
    expect(by("backend", families.get("gateway_websocket_connections"))).toEqual({ [next.url]: 1 })
  })
})
