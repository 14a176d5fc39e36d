/** A target that is drained: by the server API, over real sockets. */
import { describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import type { BackendView } from "../../src/gateway/BackendView.ts"
import { start, type TestServer } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { backend, client, type RouteClient, type TestBackend } from "./support.ts"
import { watchLinks } from "./watchLinks.ts"

type Proxy = NonNullable<SettingsInput["proxy"]>[number]

const key = "a-key-that-is-long-enough-to-be-one"

/** Gives the state of the backend after it. */
const ask = async (server: TestServer, action: string, url: string): Promise<string | undefined> => {
  const response = await fetch(`${server.url}/api/v1/backends/${action}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ route: "app", backend: url })
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { readonly backends: ReadonlyArray<BackendView> }).backends[0]?.state
}

const drain = (server: TestServer, { url }: TestBackend): Promise<string | undefined> => ask(server, "drain", url)
const undrain = (server: TestServer, { url }: TestBackend): Promise<string | undefined> => ask(server, "undrain", url)

/** Two backends that take what they are sent, and ten clients of each. */
const twenty = async (proxy: Partial<Proxy>, period = 0) => {
  const links = watchLinks()
  const quiet = { onMessage: () => undefined }
  const [first, second] = await Promise.all([backend(quiet), backend(quiet)])
  const server = await start({
    drain: { period },
    api: { keys: [{ name: "test", key, scopes: ["*"] }] },
    proxy: [{ name: "app", path: "/app", targets: [first.url, second.url], ...proxy }]
  })
  const clients: Array<RouteClient> = []
  for (let n = 0; n < 20; n++) clients.push(await client(server, "/app").opened())
  const at = ({ url }: TestBackend): ReadonlyArray<RouteClient> => clients.filter((_, index) => links[index]?.target.id.startsWith(url))
  expect([at(first).length, at(second).length]).toEqual([10, 10])
  return { links, first, second, server, clients, at }
}

const open = ({ links }: TestBackend) => links.filter(({ closed }) => closed === undefined)

describe("a target that is drained", () => {
  it("gets no new clients, and its clients stay for the time of deregistration", async () => {
    const { at, first, second, server } = await twenty({ deregistration_delay: 3_600 })
    expect(await drain(server, first)).toBe("draining")
    for (let n = 0; n < 6; n++) await client(server, "/app").opened()
    expect([first.links.length, second.links.length]).toEqual([10, 16])
    at(first).forEach(({ ws }, index) => ws.send(`still ${index}`))
    await eventually(() => first.links.every(({ received }) => received.length === 1))
    expect(open(first)).toHaveLength(10)
  })

  it("loses its clients to another target after that time, and no message and no client gets lost", async () => {
    const { at, clients, first, links, second, server } = await twenty(
      { deregistration_delay: 0.2, failover: { mode: "reconnect", deadline: 60 } },
      0.5
    )
    const moving = at(first)
    let sent = 0
    const traffic = setInterval(() => {
      sent++
      moving.forEach(({ ws }, index) => ws.send(`${index} ${sent}`))
    }, 5)
    await drain(server, first)
    await eventually(() => at(second).length === 20)
    clearInterval(traffic)
    await eventually(() => links.every(({ keptBytes }) => keptBytes === 0))
    await eventually(() => {
      const seen = new Set([...first.links, ...second.links].flatMap(({ received }) => received.map(({ text }) => text)))
      return seen.size === moving.length * sent
    })
    // A client is a message's sender here: in every link its numbers are in order, without gaps.
    for (const { received } of [...first.links, ...second.links]) {
      const numbers = received.map(({ text }) => Number(text.split(" ")[1]))
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
    }
    await eventually(() => open(first).length === 0)
    expect(first.links.map(({ closed }) => closed)).toEqual(first.links.map(() => ({ code: 1001, reason: "moved" })))
    expect(second.links.filter(({ request }) => request.headers["x-weft-resumed"] === "1")).toHaveLength(10)
    expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([])
  })

  it("closes its clients with 1001 after that time where they may not move, and nobody else's", async () => {
    const { at, clients, first, second, server } = await twenty({ deregistration_delay: 0.2 }, 0.3)
    const leaving = at(first)
    await drain(server, first)
    for (const one of leaving) expect(await one.end()).toEqual({ code: 1001, reason: "going away" })
    expect(clients.filter(({ closed }) => closed === undefined)).toEqual(at(second))
    expect(open(second)).toHaveLength(10)
    await eventually(() => open(first).length === 0)
  })

  it("closes clients with 1001 that found no other place until the deadline", async () => {
    const lonely = await backend()
    const server = await start({
      api: { keys: [{ name: "test", key, scopes: ["*"] }] },
      proxy: [
        { name: "app", path: "/app", targets: [lonely.url], deregistration_delay: 0.1, failover: { mode: "reconnect", deadline: 0.3 } }
      ]
    })
    const ada = await client(server, "/app").opened()
    await drain(server, lonely)
    expect(await ada.end()).toEqual({ code: 1001, reason: "going away" })
  })

  it("keeps its clients when it is taken back in time, and gets new ones", async () => {
    const { at, clients, first, second, server } = await twenty({ deregistration_delay: 2 })
    const staying = at(first)
    await drain(server, first)
    expect(await undrain(server, first)).toBe("unknown")
    // The other one is drained after it. When that has run its course, the first one's would have, too.
    await drain(server, second)
    await eventually(() => at(second).every(({ closed }) => closed !== undefined))
    expect(staying.filter(({ closed }) => closed !== undefined)).toEqual([])
    expect(clients.filter(({ closed }) => closed === undefined)).toHaveLength(10)
    await client(server, "/app").opened()
    expect(open(first)).toHaveLength(11)
  })

  it("goes on losing clients where a drain that was taken back is begun again", async () => {
    const { at, first, server } = await twenty({ deregistration_delay: 2 })
    const leaving = at(first)
    for (let n = 0; n < 3; n++) {
      await drain(server, first)
      await undrain(server, first)
    }
    expect(leaving.filter(({ closed }) => closed !== undefined)).toEqual([])
    await drain(server, first)
    for (const one of leaving) expect(await one.end()).toEqual({ code: 1001, reason: "going away" })
  })
})
