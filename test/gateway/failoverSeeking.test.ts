/** Where a client goes whose backend is lost. */
import { describe, expect, it } from "vitest"
import { atEndOfTest, start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { backend, type BackendLink, client, type RouteClient, type TestBackend } from "./support.ts"
import { watchLinks } from "./watchLinks.ts"

const failover = { mode: "reconnect" as const, deadline: 60 }

/** Sends until one comes back. */
const echoes = async ({ received, ws }: RouteClient): Promise<void> => {
  const before = received.length
  ws.send("again")
  await eventually(() => received.length > before)
}

const lose = (lost: TestBackend): void => lost.links.forEach(({ ws }) => ws.terminate())

describe("a client whose backend is lost", () => {
  it("comes back to the same target where there is no other, once that is there again", async () => {
    const port = await freePort()
    const first = await backend({ port })
    const server = await start({ proxy: [{ path: "/app", targets: [first.url], failover }] })
    const ada = await client(server, "/app").opened()
    await echoes(ada)
    await first.kill()
    ada.ws.send("meanwhile")
    const second = await backend({ port })
    await eventually(() => ada.texts().includes("meanwhile"))
    expect(second.links[0]?.request.headers["x-weft-resumed"]).toBe("1")
    expect(ada.closed).toBeUndefined()
  })

  it("brings its first messages along, before those that were not read", async () => {
    const links = watchLinks()
    const quiet = { onMessage: () => undefined }
    const [first, second] = await Promise.all([backend(quiet), backend(quiet)])
    const server = await start({ proxy: [{ path: "/app", targets: [first.url, second.url], failover: { ...failover, preamble: 2 } }] })
    const ada = await client(server, "/app").opened()
    for (const text of ["hello", "token", "one", "two"]) ada.ws.send(text)
    await eventually(() => first.links[0]?.received.length === 4)
    // Two of the four are kept for good; the others only until it is known that they were read.
    await eventually(() => (links[0]?.keptBytes ?? 0) < 200)
    lose(first)
    await eventually(() => second.links[0])
    ada.ws.send("three")
    expect(await eventually(() => (second.links[0]?.received.length === 3 ? second.links[0].received : undefined))).toMatchObject([
      { text: "hello" },
      { text: "token" },
      { text: "three" }
    ])
    expect(ada.closed).toBeUndefined()
  })

  it("does not go to a backend that refuses it, or that speaks another subprotocol than it was told", async () => {
    const chooses = (protocol: string) => ({ handleProtocols: () => protocol })
    const [first, refuses, other, same] = await Promise.all([
      backend(chooses("two")),
      backend(),
      backend(chooses("one")),
      backend(chooses("two"))
    ])
    refuses.http.removeAllListeners("upgrade")
    refuses.http.on("upgrade", (_, socket) => void socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
    const server = await start({
      proxy: [{ path: "/app", targets: [first, refuses, other, same].map(({ url }) => url), failover }]
    })
    const ada = await client(server, "/app", { protocols: ["one", "two"] }).opened()
    expect([ada.ws.protocol, first.links.length]).toEqual(["two", 1])
    await first.kill()
    await echoes(ada)
    expect(same.links).toHaveLength(1)
    expect(other.links.length).toBeGreaterThan(0)
    await eventually(() => other.links.every(({ closed }) => closed !== undefined))
    expect(ada.closed).toBeUndefined()
  })

  it("goes past a backend that accepts the connection and says nothing", async () => {
    const [first, silent, third] = await Promise.all([backend(), backend(), backend()])
    silent.http.removeAllListeners("upgrade")
    silent.http.on("upgrade", (_, socket) => atEndOfTest(() => void socket.destroy()))
    const server = await start({
      proxy: [{ path: "/app", targets: [first, silent, third].map(({ url }) => url), connect_timeout: 0.3, failover }]
    })
    const ada = await client(server, "/app").opened()
    await first.kill()
    await echoes(ada)
    expect(third.links).toHaveLength(1)
  })

  it("is dialled for with pauses, and not beyond the deadline, by backends that take it and drop it, which opens their circuits", async () => {
    const endings: ReadonlyArray<(link: BackendLink) => void> = [
      ({ ws }) => ws.close(1001),
      ({ ws }) => ws.close(1012),
      ({ ws }) => ws.terminate(),
      // It reads what is asked of it, and answers.
      ({ ws }) => void ws.once("ping", () => setImmediate(() => ws.terminate()))
    ]
    const droppedBy = async (onConnection: (link: BackendLink) => void): Promise<void> => {
      const [first, second] = await Promise.all([backend({ onConnection }), backend({ onConnection })])
      const server = await start({
        proxy: [
          {
            path: "/app",
            targets: [first.url, second.url],
            failover: { ...failover, deadline: 2 },
            circuit_breaker: { failures: 3, open: 30 }
          }
        ]
      })
      const ada = await client(server, "/app").opened()
      ada.ws.send("hello")
      expect(await ada.end()).toEqual({ code: 4503, reason: "backend lost" })
      const dials = first.links.length + second.links.length
      // The one of the beginning and three for each circuit at the most.
      expect(dials).toBeGreaterThanOrEqual(4)
      expect(dials).toBeLessThanOrEqual(7)
    }
    await Promise.all(endings.map(droppedBy))
  })

  it("that sends what every backend dies of is closed when the deadline has passed, and has not been sent round more often than that", async () => {
    const dies = { onMessage: ({ ws }: BackendLink, data: Buffer) => (data.toString() === "poison" ? ws.terminate() : ws.send(data)) }
    const [first, second] = await Promise.all([backend(dies), backend(dies)])
    const server = await start({
      proxy: [{ path: "/app", targets: [first.url, second.url], failover: { ...failover, deadline: 2 } }]
    })
    const ada = await client(server, "/app").opened()
    await echoes(ada)
    ada.ws.send("poison")
    expect(await ada.end()).toEqual({ code: 4503, reason: "backend lost" })
    // At once, after 25, 50, … 800 ms at the least, and at the deadline; and the one of the beginning.
    expect(first.links.length + second.links.length).toBeLessThanOrEqual(10)
  })

  it("is closed with 4503 when nobody takes it until the deadline", async () => {
    const [first, second] = await Promise.all([backend(), backend()])
    const server = await start({
      proxy: [{ path: "/app", targets: [first.url, second.url], failover: { ...failover, deadline: 0.5 } }]
    })
    const ada = await client(server, "/app").opened()
    await Promise.all([first.kill(), second.kill()])
    expect(await ada.end()).toEqual({ code: 4503, reason: "backend lost" })
  })
})
