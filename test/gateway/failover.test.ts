/** What becomes of clients whose backends are killed, frozen and restarted: with real processes, and a log of all that each has read. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import { start } from "../hub/support.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually, sleep } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { type Child, startProcess } from "../support/process.ts"
import { seeded } from "./balancers/statistics.ts"
import { client, type RouteClient } from "./support.ts"
import { watchLinks } from "./watchLinks.ts"

const script = new URL("backends/logging.ts", import.meta.url).pathname

/** Seconds of chaos. */
const seconds = Number(process.env["FAILOVER_SECONDS"] ?? 6)
const seed = Number(process.env["FAILOVER_SEED"] ?? 4)
const clientCount = 200
const keptMost = 65_536

/** A backend that can be started again, at the same port and with the same log. */
class Backend {
  readonly url: string
  readonly file: string
  private readonly port: number
  private child: Child | undefined
  private frozen = false

  constructor(port: number, folder: string) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.file = join(folder, `${port}.log`)
  }

  get state(): "down" | "frozen" | "up" {
    return this.child?.running() !== true ? "down" : this.frozen ? "frozen" : "up"
  }

  async start(): Promise<void> {
    this.child = await startProcess(process.execPath, [script, String(this.port), this.file])
    this.frozen = false
    await this.child.output(/listening/)
  }

  async kill(): Promise<void> {
    await this.child?.kill()
  }

  /** As a deployment does it. */
  async stop(): Promise<void> {
    await this.child?.stop()
  }

  async freeze(): Promise<void> {
    this.frozen = true
    await this.child?.freeze()
  }

  thaw(): void {
    this.frozen = false
    this.child?.thaw()
  }

  /** What it has read: by link, in order. */
  read(): ReadonlyMap<string, ReadonlyArray<{ readonly client: number; readonly number: number }>> {
    const links = new Map<string, Array<{ readonly client: number; readonly number: number }>>()
    for (const line of readFileSync(this.file, "utf8").split("\n").slice(0, -1)) {
      const [, link = "", clientText, numberText] = /^(\S+) (\d+) (\d+)$/.exec(line) ?? []
      const message = { client: Number(clientText), number: Number(numberText) }
      const messages = links.get(link)
      if (messages === undefined) links.set(link, [message])
      else messages.push(message)
    }
    return links
  }
}

const threeBackends = async (): Promise<ReadonlyArray<Backend>> => {
  const folder = mkdtempSync(join(tmpdir(), "weft-failover-"))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  const backends: Array<Backend> = []
  for (let n = 0; n < 3; n++) backends.push(new Backend(await freePort(), folder))
  await Promise.all(backends.map((backend) => backend.start()))
  return backends
}

const route = (backends: ReadonlyArray<Backend>, failover: NonNullable<NonNullable<SettingsInput["proxy"]>[number]["failover"]>) => ({
  path: "/app",
  targets: backends.map(({ url }) => url),
  connect_timeout: 1.5,
  failover
})

const connectAll = (server: { readonly url: string }, count: number): Promise<ReadonlyArray<RouteClient>> =>
  Promise.all(Array.from({ length: count }, () => client(server, "/app").opened()))

describe("clients that stay", () => {
  it("lose nothing that they sent, in order, and see no close while backends are killed, frozen, deployed and started again", async () => {
    const links = watchLinks()
    const backends = await threeBackends()
    const server = await start({
      proxy: [route(backends, { mode: "reconnect", deadline: 120, ping_timeout: 1, buffer: keptMost })]
    })
    const clients = await connectAll(server, clientCount)
    const random = seeded(seed)
    const pick = (from: number): number => Math.floor(random() * from)
    const sent = clients.map(() => 0)
    const did = { kill: 0, freeze: 0, deploy: 0 }
    let most = 0

    const traffic = setInterval(() => {
      for (let n = 0; n < 20; n++) {
        const index = pick(clients.length)
        for (let burst = 1 + pick(3); burst > 0; burst--) clients[index]?.ws.send(`${index} ${(sent[index] = (sent[index] ?? 0) + 1)}`)
      }
      for (const link of links) most = Math.max(most, link.keptBytes)
    }, 20)

    /** Each of the backends has its own fate. */
    const fate = async (backend: Backend, until: number): Promise<void> => {
      while (performance.now() < until) {
        await sleep(200 + 2_500 * random())
        const what = random()
        if (what < 0.4) {
          did.kill++
          await backend.kill()
        } else if (what < 0.8) {
          did.freeze++
          await backend.freeze()
          await sleep(300 + 3_000 * random())
          if (random() < 0.3) await backend.kill()
          else backend.thaw()
        } else {
          did.deploy++
          await backend.stop()
        }
        await sleep(1_000 * random())
        if (backend.state === "down") await backend.start()
      }
    }
    try {
      const until = performance.now() + seconds * 1_000
      await Promise.all(backends.map((backend) => fate(backend, until)))
    } finally {
      clearInterval(traffic)
    }

    const total = sent.reduce((sum, count) => sum + count, 0)
    const closes = () => clients.flatMap(({ closed }, index) => (closed === undefined ? [] : [{ index, ...closed }]))
    const taken = (): number => links[0]?.route.pool.targets.reduce((sum, { messagesIn }) => sum + messagesIn, 0) ?? 0
    await eventually(() => closes().length > 0 || (taken() === total && links.every(({ keptBytes }) => keptBytes === 0)), {
      message: () =>
        `${total} messages were sent, ${taken()} taken, and ${links.filter(({ keptBytes }) => keptBytes > 0).length} links keep some`
    })
    expect(closes(), `seed ${seed}`).toEqual([])

    const seen = clients.map(() => new Set<number>())
    let read = 0
    let moves = 0
    for (const backend of backends)
      for (const [link, messages] of backend.read()) {
        if (link.split("-")[2] === "1") moves++
        // One link carries one client's messages: a run without gaps, each once.
        const [first] = messages
        expect(messages.map(({ client: index, number }) => [index, number])).toEqual(
          messages.map((_, index) => [first?.client, (first?.number ?? 0) + index])
        )
        for (const message of messages) seen[message.client]?.add(message.number)
        read += messages.length
      }
    const missing = sent.flatMap((count, index) =>
      Array.from({ length: count }, (_, n) => n + 1).flatMap((number) => (seen[index]?.has(number) === true ? [] : [`${index} ${number}`]))
    )
    expect(missing, `seed ${seed}`).toEqual([])
    expect(most).toBeLessThanOrEqual(keptMost)
    // It was a test of something.
    expect(moves).toBeGreaterThan(0)
    if (process.env["FAILOVER_SECONDS"] !== undefined)
      console.log(
        JSON.stringify({ seconds, seed, ...did, clients: clientCount, messages: total, repeated: read - total, moves, keptMost: most })
      )
  })

  it("go on at another backend while theirs stands still, which reads what it was sent all the same when it comes to itself", async () => {
    const backends = await threeBackends()
    const server = await start({ proxy: [route(backends, { mode: "reconnect", deadline: 120, ping_timeout: 0.5 })] })
    const clients = await connectAll(server, 30)
    const [first, ...others] = backends
    if (first === undefined) throw new Error("no backend")
    const readers = (some: ReadonlyArray<Backend>) =>
      new Set(some.flatMap((one) => [...one.read().values()].flat()).map((message) => message.client))
    await first.freeze()
    clients.forEach(({ ws }, index) => ws.send(`${index} 1`))
    await eventually(() => readers(others).size === 30)
    expect(first.state).toBe("frozen")
    first.thaw()
    await eventually(() => readers([first]).size === 10)
    expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([])
  })
})

describe("clients of a route that does not keep them", () => {
  const set = async (options: Pick<SettingsInput, "heartbeat"> = {}) => {
    const links = watchLinks()
    const backends = await threeBackends()
    const server = await start({ ...options, proxy: [route(backends, { mode: "close", ping_timeout: 1 })] })
    const clients = await connectAll(server, 60)
    const [first, ...others] = backends
    if (first === undefined) throw new Error("no backend")
    const of = (backend: Backend): number => links.filter(({ target }) => target.id.startsWith(backend.url)).length
    const closed = () => clients.flatMap((one) => (one.closed === undefined ? [] : [one.closed]))
    return { backends, clients, closed, first, of, others }
  }

  it("get 4503 when their backend is killed, and the others notice nothing", async () => {
    const { clients, closed, first, of, others } = await set()
    const count = of(first)
    expect(count).toBe(20)
    const killed = performance.now()
    const gone = first.kill()
    await eventually(() => closed().length >= count)
    const told = performance.now() - killed
    await gone
    expect(closed()).toEqual(Array.from({ length: count }, () => ({ code: 4503, reason: "backend lost" })))
    clients.forEach(({ ws, closed: end }, index) => {
      if (end === undefined) ws.send(`${index} 1`)
    })
    await eventually(() => others.reduce((sum, backend) => sum + backend.read().size, 0) === 40)
    expect(closed()).toHaveLength(count)
    if (process.env["FAILOVER_SECONDS"] !== undefined) console.log(`all ${count} were told ${Math.round(told)} ms after the kill`)
  })

  it("get the backend's own code when it says goodbye", async () => {
    const { closed, first, of } = await set()
    const count = of(first)
    await first.stop()
    await eventually(() => closed().length >= count)
    expect(closed()).toEqual(Array.from({ length: count }, () => ({ code: 1012, reason: "restart" })))
  })

  it("get 4503 when their backend stands still, once it has not answered for long enough", async () => {
    const { closed, first, of } = await set({ heartbeat: { interval: 1 } })
    const count = of(first)
    await first.freeze()
    await eventually(() => closed().length >= count)
    first.thaw()
    expect(closed()).toEqual(Array.from({ length: count }, () => ({ code: 4503, reason: "backend lost" })))
  })
})
