import { readFileSync } from "node:fs"
import { Effect, Schema } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { Backend } from "../../src/api/backendEndpoints.ts"
import type { Backends } from "../../src/api/Backends.ts"
import { HubError } from "../../src/api/Hub.ts"
import type { SettingsInput } from "../../src/config/Settings.ts"
import type { BackendView } from "../../src/gateway/BackendView.ts"
import type { Pool } from "../../src/gateway/Pool.ts"
import { poolOf } from "../gateway/poolOf.ts"
import { circuitBreaker, proxyRoute, urls, webSocketHealth } from "../gateway/proxyRoute.ts"
import { backend as startBackend, client } from "../gateway/support.ts"
import { start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { serveRoutes } from "./fakeHub.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** Pools without anybody who carries traffic. */
const backendsOf = (pools: ReadonlyArray<Pool>): Backends["Service"] => {
  const noSuch = (what: string) => Effect.fail(new HubError({ code: "not_found", message: `no such ${what}` }))
  const change = (route: string, id: string, apply: (pool: Pool) => void): Effect.Effect<BackendView, HubError> =>
    Effect.suspend(() => {
      const pool = pools.find((each) => each.route.name === route)
      if (pool?.find(id) === undefined) return noSuch("backend")
      apply(pool)
      return Effect.fromNullishOr(pool.view().find(({ backend }) => backend === id)).pipe(Effect.orDie)
    })
  const targetOf = (pool: Pool, id: string) => pool.find(id) ?? expect.fail("no such target")
  return {
    list: () => pools.flatMap((pool) => pool.view()),
    ofRoute: (route) => {
      const pool = pools.find((each) => each.route.name === route)
      return pool === undefined ? noSuch("route") : Effect.succeed(pool.view())
    },
    drain: (route, id, draining) => change(route, id, (pool) => pool.drain(targetOf(pool, id), draining)),
    enable: (route, id, enabled) => change(route, id, (pool) => pool.enable(targetOf(pool, id), enabled))
  }
}

const [first = "", second = ""] = urls(2)

const serve = async () => {
  const monitored = { circuit_breaker: circuitBreaker, websocket_health: webSocketHealth }
  const chat = poolOf(proxyRoute(urls(2), { ...monitored, name: "/chat/*" }))
  const feed = poolOf(proxyRoute([first], { ...monitored, name: "feed" }))
  const server = await serveRoutes({}, backendsOf([chat.pool, feed.pool]))
  open.push(server.close)
  return { server, chat, feed }
}

const ask = (server: { readonly url: string }, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${server.url}/api/v1/backends${path}`, {
    method,
    headers: { authorization: "Bearer key-for-everything", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })

type Listed = { readonly backends: ReadonlyArray<BackendView> }

const listed = async (answer: Promise<Response>): Promise<ReadonlyArray<BackendView>> => {
  const response = await answer
  const body = (await response.json()) as Listed
  expect([response.status, Object.keys(body)]).toEqual([200, ["backends"]])
  return body.backends
}

const states = async (answer: Promise<Response>): Promise<ReadonlyArray<readonly [route: string, backend: string, state: string]>> =>
  (await listed(answer)).map(({ backend, route, state }) => [route, backend, state] as const)

const problem = async (answer: Promise<Response>): Promise<readonly [status: number, code: string, detail: string]> => {
  const response = await answer
  const { code, detail } = (await response.json()) as { readonly code: string; readonly detail: string }
  return [response.status, code, detail]
}

describe("backends", () => {
  it("are listed, all, of one route by the query or by the path", async () => {
    const { server } = await serve()
    const chat = [
      ["/chat/*", first, "unknown"],
      ["/chat/*", second, "unknown"]
    ]
    expect(await states(ask(server, "GET", ""))).toEqual([...chat, ["feed", first, "unknown"]])
    expect(await states(ask(server, "GET", `?route=${encodeURIComponent("/chat/*")}`))).toEqual(chat)
    expect(await states(ask(server, "GET", `/${encodeURIComponent("/chat/*")}`))).toEqual(chat)
    expect(await states(ask(server, "GET", "/feed"))).toEqual([["feed", first, "unknown"]])
  })

  it("of a route that is not there: nothing by the query, not_found by the path", async () => {
    const { server } = await serve()
    expect(await states(ask(server, "GET", "?route=nothing"))).toEqual([])
    expect(await problem(ask(server, "GET", "/nothing"))).toEqual([404, "not_found", "no such route"])
  })

  it("tell all that is known of them, as it is", async () => {
    const { chat, server } = await serve()
    const { clock, pool, target, trip, up } = chat
    up(0)
    const link = pool.acquire(target(0), "websocket")
    pool.succeeded(link, 20)
    pool.succeeded(pool.acquire(target(0), "http"), 3)
    target(0).messagesIn += 7
    target(0).messagesOut += 9
    clock.now += 1000
    trip(0)
    pool.drain(target(0), true)
    const [backend] = await listed(ask(server, "GET", ""))
    expect(backend).toEqual(pool.view()[0])
    expect(backend).toEqual({
      route: "/chat/*",
      backend: first,
      weight: 1,
      state: "draining",
      draining_since: clock.now,
      last_change: clock.now,
      connections: 2,
      health: {
        status: "up",
        since: clock.now - 1000,
        checks: { successes: 2, failures: 0, success_rate: 1, failure_rate: 0 },
        traffic: { successes: 2, failures: 3, success_rate: 0.4, failure_rate: 0.6 },
        last_error: { at: clock.now, source: "traffic", type: "connect", message: "connection refused" }
      },
      circuit: { state: "open", openings: 1, opened_at: clock.now },
      messages: { in: 7, out: 9 },
      websocket: { open: 1, total: 4, errors: { connect: 3 }, latency: { p50: 0.02, p99: 0.02 } },
      http: { open: 1, total: 1, errors: {}, latency: { p50: 0.003, p99: 0.003 } }
    })
  })

  it("are drained and disabled in one route, and back, as often as one likes", async () => {
    const { chat, feed, server } = await serve()
    const there = { route: "/chat/*", backend: first }
    for (const [action, state] of [
      ["drain", "draining"],
      ["drain", "draining"],
      ["disable", "disabled"],
      ["enable", "draining"],
      ["undrain", "unknown"],
      ["undrain", "unknown"]
    ] as const) {
      expect(await states(ask(server, "POST", `/${action}`, there)), action).toEqual([["/chat/*", first, state]])
      expect((await listed(ask(server, "GET", "")))[0]?.state, action).toBe(state)
    }
    expect(chat.changes.map(({ change }) => change)).toEqual(["draining", "disabled", "enabled", "undrained"])
    expect(feed.changes).toEqual([])
  })

  it("are drained in all routes that have them when none is named", async () => {
    const { server } = await serve()
    expect(await states(ask(server, "POST", "/drain", { backend: first }))).toEqual([
      ["/chat/*", first, "draining"],
      ["feed", first, "draining"]
    ])
    expect(await states(ask(server, "GET", ""))).toEqual([
      ["/chat/*", first, "draining"],
      ["/chat/*", second, "unknown"],
      ["feed", first, "draining"]
    ])
  })

  it.each(["http://10.0.0.1:9000/", "HTTP://10.0.0.1:9000", "ws://10.0.0.1:9000"])(
    "may be named as in the configuration: %s",
    async (backend) => {
      const { server } = await serve()
      expect(await states(ask(server, "POST", "/drain", { route: "feed", backend }))).toEqual([["feed", first, "draining"]])
    }
  )

  it("may be named by either scheme, whatever each route calls them", async () => {
    const wss = poolOf(proxyRoute(["wss://10.0.0.1:9000", "ws://10.0.0.1:9000/base"], { name: "wss" }))
    const ws = poolOf(proxyRoute(["ws://10.0.0.1:9000"], { name: "ws" }))
    const http = poolOf(proxyRoute(["http://10.0.0.1:9000"], { name: "http" }))
    const server = await serveRoutes({}, backendsOf([wss.pool, ws.pool, http.pool]))
    open.push(server.close)
    expect(await states(ask(server, "POST", "/drain", { backend: "http://10.0.0.1:9000" }))).toEqual([
      ["ws", "ws://10.0.0.1:9000", "draining"],
      ["http", "http://10.0.0.1:9000", "draining"]
    ])
    expect(await states(ask(server, "POST", "/drain", { route: "wss", backend: "https://10.0.0.1:9000" }))).toEqual([
      ["wss", "wss://10.0.0.1:9000", "draining"]
    ])
  })

  it.each([
    [{ route: "feed", backend: second }, "no such backend"],
    [{ route: "nothing", backend: first }, "no such backend"],
    [{ backend: "http://10.0.0.9:9000" }, "no such backend"],
    [{ backend: "10.0.0.1:9000" }, "no such backend"]
  ])("that are not there are not_found: %j", async (body, detail) => {
    const { chat, feed, server } = await serve()
    for (const action of ["drain", "undrain", "enable", "disable"])
      expect(await problem(ask(server, "POST", `/${action}`, body)), action).toEqual([404, "not_found", detail])
    expect([...chat.changes, ...feed.changes]).toEqual([])
  })

  it.each([
    [{ route: "feed" }, "body.backend"],
    [{ backend: "" }, "body.backend"],
    [{ backend: first, route: "" }, "body.route"],
    [{ backend: first, weight: 2 }, "body.weight"]
  ])("are not changed by a body that is not as declared: %j", async (body, place) => {
    const { chat, feed, server } = await serve()
    const [status, code, detail] = await problem(ask(server, "POST", "/drain", body))
    expect([status, code, detail.startsWith(`${place}: `)]).toEqual([400, "invalid_message", true])
    expect([...chat.changes, ...feed.changes]).toEqual([])
  })

  it("look as in the documentation", () => {
    const text = readFileSync(new URL("../../docker/operations.md", import.meta.url), "utf8")
    const [, example = ""] = /### Backends\n.*?```json\n(.*?)```/s.exec(text) ?? []
    expect(() => Schema.decodeUnknownSync(Backend, { onExcessProperty: "error" })(JSON.parse(example))).not.toThrow()
  })

  it("are none on a server without routes", async () => {
    const server = await serveRoutes()
    open.push(server.close)
    expect(await listed(ask(server, "GET", ""))).toEqual([])
    expect(await problem(ask(server, "GET", "/feed"))).toEqual([404, "not_found", "no such route"])
    expect(await problem(ask(server, "POST", "/drain", { route: "feed", backend: first }))).toEqual([404, "not_found", "no such route"])
    expect(await problem(ask(server, "POST", "/drain", { backend: first }))).toEqual([404, "not_found", "no such backend"])
  })
})

describe("backends of a server with routes", () => {
  const run = async (route: Partial<NonNullable<SettingsInput["proxy"]>[number]>) => {
    const [one, two] = await Promise.all([startBackend(), startBackend()])
    const server = await start({
      api: { keys: [{ name: "ops", key: "key-for-everything", scopes: ["*"] }] },
      proxy: [{ path: "/app", targets: [one.url, two.url], ...route }]
    })
    return { server, one, two }
  }

  it("are those of the configuration, with what passes through them", async () => {
    const { one, server, two } = await run({})
    const ada = await client(server, "/app").opened()
    ada.ws.send("hello")
    await ada.take(1)
    const used = one.links.length === 1 ? one : two
    const found = await listed(ask(server, "GET", ""))
    expect(found.map(({ backend, route, state }) => [route, backend, state])).toEqual([
      ["/app", one.url, "unknown"],
      ["/app", two.url, "unknown"]
    ])
    expect(found.find(({ backend }) => backend === used.url)).toMatchObject({
      connections: 1,
      messages: { in: 1, out: 1 },
      websocket: { open: 1, total: 1, latency: { p50: expect.any(Number) } },
      http: { open: 0 }
    })
  })

  it.each(["drain", "disable"])("take no new clients after %s and keep those that they have; then they take some again", async (action) => {
    const { one, server, two } = await run({})
    const before = await Promise.all([client(server, "/app").opened(), client(server, "/app").opened()])
    expect([one.links.length, two.links.length]).toEqual([1, 1])
    expect((await ask(server, "POST", `/${action}`, { backend: one.url })).status).toBe(200)
    for (let n = 0; n < 4; n++) await client(server, "/app").opened()
    expect([one.links.length, two.links.length]).toEqual([1, 5])
    for (const { ws } of before) ws.send("still here")
    for (const each of before) await each.take(1)
    expect((await ask(server, "POST", `/${action === "drain" ? "undrain" : "enable"}`, { backend: one.url })).status).toBe(200)
    for (let n = 0; n < 4; n++) await client(server, "/app").opened()
    expect(one.links.length).toBe(3)
  })

  it("that drain send their clients away once the delay is over", async () => {
    const { one, server } = await run({ deregistration_delay: 0 })
    const clients = await Promise.all([client(server, "/app").opened(), client(server, "/app").opened()])
    expect((await ask(server, "POST", "/drain", { backend: one.url })).status).toBe(200)
    expect((await eventually(() => clients.find(({ closed }) => closed !== undefined)?.closed)).code).toBe(1001)
    await eventually(async () => ((await listed(ask(server, "GET", "")))[0]?.connections === 0 ? true : undefined))
    expect(clients.filter(({ closed }) => closed === undefined)).toHaveLength(1)
  })

  it("that drain hand their clients over where the route says so", async () => {
    const { one, server, two } = await run({ deregistration_delay: 0, failover: { mode: "reconnect" } })
    const clients = await Promise.all([client(server, "/app").opened(), client(server, "/app").opened()])
    expect((await ask(server, "POST", "/drain", { backend: one.url })).status).toBe(200)
    await eventually(() => (two.links.length === 2 ? true : undefined))
    for (const { ws } of clients) ws.send("still here")
    for (const each of clients) await each.take(1)
    const found = await eventually(async () => {
      const [first, second] = await listed(ask(server, "GET", ""))
      return first?.connections === 0 ? [first.state, second?.websocket.open] : undefined
    })
    expect(found).toEqual(["draining", 2])
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined])
  })

  it("are named in the log with each change", async () => {
    const { one, server } = await run({})
    await ask(server, "POST", "/drain", { backend: one.url })
    await ask(server, "POST", "/disable", { backend: one.url })
    const lines = server.logs.map((line) => JSON.parse(line)).filter(({ annotations }) => annotations?.backend === one.url)
    expect(lines.map(({ message }) => message)).toEqual(["backend draining", "backend disabled"])
  })
})
