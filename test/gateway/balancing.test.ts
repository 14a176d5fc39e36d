/** Balancing, stickiness, circuits and checks, seen from outside: real clients, real backends, the server API. */
import { describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import { start, type TestServer } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { startProcess } from "../support/process.ts"
import { backend, client, type RouteClient, type TestBackend } from "./support.ts"

type RouteInput = NonNullable<SettingsInput["proxy"]>[number]

const key = "a-key-of-operators"

const serve = (route: RouteInput, more: SettingsInput = {}): Promise<TestServer> =>
  start({ api: { keys: [{ name: "operators", key }] }, gateway: { secret: "s".repeat(32) }, ...more, proxy: [route] })

interface Shown {
  readonly backend: string
  readonly state: string
  readonly circuit: string
  readonly connections: number
}

const shown = async (server: TestServer): Promise<ReadonlyArray<Shown>> => {
  const response = await fetch(`${server.url}/api/v1/backends`, { headers: { authorization: `Bearer ${key}` } })
  const { backends } = (await response.json()) as { backends: ReadonlyArray<Omit<Shown, "circuit"> & { circuit: { state: string } }> }
  return backends.map(({ circuit, ...rest }) => ({ ...rest, circuit: circuit.state }))
}

const shownOf = async (server: TestServer, url: string): Promise<Shown> => {
  const found = (await shown(server)).find((one) => one.backend === url)
  if (found === undefined) throw new Error(`no backend ${url}`)
  return found
}

const silent = { onMessage: () => undefined }

const three = (): Promise<ReadonlyArray<TestBackend>> => Promise.all([backend(silent), backend(silent), backend(silent)])

/** Opens `count` clients, so many at a time, and holds them. */
const crowd = async (
  server: TestServer,
  count: number,
  headers: (index: number) => Readonly<Record<string, string>> = () => ({})
): Promise<ReadonlyArray<RouteClient>> => {
  const all: Array<RouteClient> = []
  const atOnce = 50
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) =>
      client(server, "/app", { headers: headers(from + index) }).opened()
    )
    all.push(...(await Promise.all(some)))
  }
  return all
}

const counts = (backends: ReadonlyArray<TestBackend>): ReadonlyArray<number> => backends.map(({ links }) => links.length)

/** Six strategies with 500 connections each. */
const perStrategy = 500

describe("3,000 connections over three backends", () => {
  const spread = async (route: Omit<RouteInput, "path" | "targets">, weights: readonly [number, number, number] = [1, 1, 1]) => {
    const backends = await three()
    const targets = backends.map(({ url }, index) => ({ url, weight: weights[index] ?? 1 }))
    const server = await serve({ path: "/app", targets, ...route })
    await crowd(server, perStrategy, (index) => ({ "x-key": `key-${index}` }))
    const seen = counts(backends)
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(perStrategy)
    expect((await shown(server)).map(({ connections }) => connections)).toEqual(seen)
    return seen
  }

  it("go round by round_robin", async () => {
    expect([...(await spread({ strategy: "round_robin" }))].sort()).toEqual([166, 167, 167])
  })

  it("go by weight with weighted_round_robin", async () => {
    expect(await spread({ strategy: "weighted_round_robin" }, [1, 1, 3])).toEqual([100, 100, 300])
  })

  it("go by chance with random", async () => {
    // Five standard deviations around a third each: sqrt(500 * 1/3 * 2/3) is 10.5.
    for (const count of await spread({ strategy: "random" })) expect(Math.abs(count - perStrategy / 3)).toBeLessThan(53)
  })

  it("are held evenly by least_connections", async () => {
    const seen = await spread({ strategy: "least_connections" })
    expect(Math.max(...seen) - Math.min(...seen)).toBeLessThanOrEqual(1)
  })

  it("are held nearly evenly by power_of_two", async () => {
    const seen = await spread({ strategy: "power_of_two" })
    expect(Math.max(...seen) - Math.min(...seen)).toBeLessThan(25)
  })

  it("belong to their key with consistent_hash and stickiness by header", async () => {
    const seen = await spread({ strategy: "consistent_hash", sticky_sessions: { by: "header:x-key" } })
    for (const count of seen) expect(count).toBeGreaterThan(perStrategy / 6)
  })
})

describe("a client that sticks", () => {
  it("comes back to its backend by its cookie, also after a restart of the server, and finds another one when that is gone", async () => {
    const backends = await three()
    const targets = backends.map(({ url }) => url)
    const route: RouteInput = { path: "/app", targets, sticky_sessions: true, strategy: "random" }
    const cookieOf = (one: RouteClient): string => one.upgrade?.headers["set-cookie"]?.[0]?.split(";")[0] ?? ""
    const first = await serve(route)
    const cookie = cookieOf(await client(first, "/app").opened())
    expect(cookie).toMatch(/^weft_backend=/)
    const home = backends.find(({ links }) => links.length === 1)
    await crowd(first, 20, () => ({ cookie }))
    expect(home?.links).toHaveLength(21)
    await first.stop()

    const second = await serve({ ...route, targets: [...targets].reverse() })
    await crowd(second, 20, () => ({ cookie: `other=1; ${cookie}` }))
    expect(home?.links).toHaveLength(41)
    await home?.kill()
    const moved = await client(second, "/app", { headers: { cookie } }).opened()
    expect(cookieOf(moved)).toMatch(/^weft_backend=/)
    expect(cookieOf(moved)).not.toBe(cookie)
    expect(home?.links).toHaveLength(41)
  })

  it("comes back to its backend by a parameter, and a backend's going moves only its own", async () => {
    const backends = await three()
    const server = await serve({ path: "/app", targets: backends.map(({ url }) => url), sticky_sessions: { by: "query:room" } })
    const homeOf = async (room: string): Promise<number> => {
      const before = counts(backends)
      await client(server, `/app?room=${room}`).opened()
      return counts(backends).findIndex((count, index) => count > (before[index] ?? 0))
    }
    const rooms = Array.from({ length: 30 }, (_, n) => `r${n}`)
    const homes = new Map<string, number>()
    for (const room of rooms) homes.set(room, await homeOf(room))
    for (const room of rooms) expect(await homeOf(room)).toBe(homes.get(room))
    await backends[0]?.kill()
    for (const room of rooms) {
      const home = homes.get(room)
      if (home !== 0) expect(await homeOf(room)).toBe(home)
      else expect(await homeOf(room)).toBeGreaterThan(0)
    }
  })
})

describe("a circuit", () => {
  it("opens when its backend fails, keeps clients away, and closes when a test goes well", async () => {
    const gone = await backend(silent)
    const { port, url } = gone
    await gone.kill()
    const server = await serve({ path: "/app", targets: [url], circuit_breaker: { failures: 3, open: 1 } })
    for (let n = 0; n < 3; n++) expect((await client(server, "/app").refusal()).status).toBe(502)
    expect((await shownOf(server, url)).circuit).toBe("open")
    const refused = await client(server, "/app").refusal()
    expect(refused.status).toBe(503)
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1)
    const back = await backend({ ...silent, port })
    await eventually(async () => {
      const one = client(server, "/app")
      return await Promise.race([one.opened().then(() => true), one.refusal().then(() => false)])
    })
    expect((await shownOf(server, url)).circuit).toBe("closed")
    expect(back.links.length).toBeGreaterThan(0)
    expect(server.logs.join("\n")).toMatch(/backend circuit open.*backend circuit closed/s)
  })
})

const frozenBackend = `
import { WebSocketServer } from "ws"
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
let clients = 0
server.on("connection", (ws, request) => {
  if (request.url !== "/health") console.log("client " + ++clients)
  ws.on("error", () => undefined)
})
server.on("listening", () => console.log("listening on " + server.address().port))
`

describe("a backend that is frozen", () => {
  it("leaves the rotation while its checks fail, and returns", async () => {
    const child = await startProcess(process.execPath, ["--input-type=module", "-e", frozenBackend], { cwd: process.cwd() })
    const [, port] = await child.output(/listening on (\d+)/)
    const url = `http://127.0.0.1:${port}`
    const other = await backend(silent)
    const server = await serve({
      path: "/app",
      targets: [url, other.url],
      websocket_health: { path: "/health", interval: 0.3, timeout: 0.3 }
    })
    await eventually(async () => (await shownOf(server, url)).state === "up")
    await child.freeze()
    await eventually(async () => (await shownOf(server, url)).state === "down")
    const before = other.links.filter(({ request }) => request.url === "/app").length
    await crowd(server, 10)
    expect(other.links.filter(({ request }) => request.url === "/app")).toHaveLength(before + 10)
    child.thaw()
    await eventually(async () => (await shownOf(server, url)).state === "up")
    await crowd(server, 4)
    await child.output(/client 2/)
    expect(server.logs.join("\n")).toMatch(/backend down.*backend up/s)
  })
})
