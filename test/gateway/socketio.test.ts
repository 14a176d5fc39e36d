/** Socket.IO as it is deployed: several servers that know nothing of each other, behind one address. */
import { io, type Socket } from "socket.io-client"
import { afterEach, describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import { start } from "../hub/support.ts"
import { launchChromium } from "../support/chromium.ts"
import { eventually } from "../support/eventually.ts"
import { type Child, startProcess } from "../support/process.ts"

const script = new URL("backends/socketio.mjs", import.meta.url).pathname

interface SocketIoServer extends Child {
  readonly name: string
  readonly url: string
  /** Requests that came with a session of another server. */
  readonly strangers: () => number
}

const socketIoServer = async (name: string): Promise<SocketIoServer> => {
  const child = await startProcess(process.execPath, [script, name])
  const [, port] = await child.output(/listening on (\d+)/)
  return { ...child, name, url: `http://127.0.0.1:${port}`, strangers: () => child.stdout().split("stranger").length - 1 }
}

const three = (): Promise<ReadonlyArray<SocketIoServer>> => Promise.all(["one", "two", "three"].map(socketIoServer))

const sockets: Array<Socket> = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

type Transports = ReadonlyArray<"polling" | "websocket">

interface Visitor {
  readonly socket: Socket
  /** Names of the servers that greeted it, in order. */
  readonly greetings: Array<string>
  readonly said: Array<string>
}

/** A client with a cookie jar, as a browser has. */
const visit = (url: string, transports: Transports): Visitor => {
  const socket = io(url, {
    transports: [...transports],
    withCredentials: true,
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200
  })
  sockets.push(socket)
  const visitor: Visitor = { socket, greetings: [], said: [] }
  socket.on("hello", (name: string) => void visitor.greetings.push(name))
  socket.on("said", (text: string, name: string) => void visitor.said.push(`${text} (${name})`))
  return visitor
}

const greeted = (visitors: ReadonlyArray<Visitor>): Promise<true> =>
  eventually(() => (visitors.every(({ greetings }) => greetings.length > 0) ? (true as const) : undefined), {
    message: () => `greeted: ${visitors.filter(({ greetings }) => greetings.length > 0).length} of ${visitors.length}`
  })

const which = ({ socket }: Visitor): Promise<readonly [name: string, transport: string]> =>
  new Promise((resolve) => socket.emit("which", (name: string, transport: string) => resolve([name, transport])))

const route = (servers: ReadonlyArray<SocketIoServer>, more: object = {}): SettingsInput => ({
  proxy: [{ path: "/socket.io/*", targets: servers.map(({ url }) => url), sticky_sessions: true, ...more }]
})

const strangers = (servers: ReadonlyArray<SocketIoServer>): number => servers.reduce((sum, server) => sum + server.strangers(), 0)

describe("Socket.IO servers behind one route", () => {
  it.each([
    ["polling first, then WebSocket", ["polling", "websocket"], "websocket"],
    ["polling only", ["polling"], "polling"]
  ] as const)("keep every session at the server where it began: %s", async (_, transports, expected) => {
    const servers = await three()
    const weft = await start(route(servers))
    const visitors = Array.from({ length: 24 }, () => visit(weft.url, transports))
    await greeted(visitors)
    for (const visitor of visitors) {
      const [name] = await eventually(async () => {
        const seen = await which(visitor)
        return seen[1] === expected ? seen : undefined
      })
      expect(visitor.greetings).toEqual([name])
    }
    expect(strangers(servers)).toBe(0)
    // Round robin: everyone has some.
    expect(new Set(visitors.flatMap(({ greetings }) => greetings)).size).toBe(3)
  })

  it("lose sessions where the route does not stick", async () => {
    const servers = await three()
    const weft = await start(route(servers, { sticky_sessions: false }))
    Array.from({ length: 6 }, () => visit(weft.url, ["polling"]))
    await eventually(() => strangers(servers) > 0)
  })

  it("have rooms of their own, and clients that reconnect when their server is killed", async () => {
    const servers = await three()
    const weft = await start(route(servers))
    const visitors = Array.from({ length: 12 }, () => visit(weft.url, ["polling", "websocket"]))
    await greeted(visitors)
    for (const { socket } of visitors) await new Promise((resolve) => socket.emit("enter", "lobby", resolve))
    const here = visitors.filter(({ greetings }) => greetings[0] === "one")
    here[0]?.socket.emit("say", "lobby", "hi")
    await eventually(() => here.every(({ said }) => said.includes("hi (one)")))
    const [one, ...others] = servers
    await one?.kill()
    await eventually(() => here.every(({ greetings, socket }) => socket.connected && greetings.length > 1), {
      message: () => JSON.stringify(here.map(({ greetings, socket }) => [socket.connected, greetings]))
    })
    for (const { greetings } of here) expect(greetings.at(-1)).not.toBe("one")
    // Those of the other servers have noticed nothing.
    for (const { greetings } of visitors.filter((visitor) => !here.includes(visitor))) expect(greetings).toHaveLength(1)
    expect(strangers(others)).toBe(0)
  })

  it("serve a page in Chromium: polling first, then WebSocket", async () => {
    const servers = await three()
    const weft = await start(route(servers))
    const browser = await launchChromium()
    const contexts = await Promise.all(Array.from({ length: 4 }, () => browser.newContext()))
    const seen: Array<readonly [string, string]> = []
    for (const context of contexts) {
      const page = await context.newPage()
      await page.goto(`${weft.url}/health`)
      // The client that the servers hand out, through the route.
      const source = await page.evaluate(async () => (await fetch("/socket.io/socket.io.min.js")).text())
      await page.evaluate(source)
      seen.push(
        await page.evaluate(
          `new Promise((resolve) => {
            const socket = io({ transports: ["polling", "websocket"] })
            const ask = () =>
              socket.emit("which", (...seen) => (seen[1] === "websocket" ? resolve(seen) : setTimeout(ask, 50)))
            socket.on("hello", ask)
          })`
        )
      )
    }
    expect(seen.map(([, transport]) => transport)).toEqual(["websocket", "websocket", "websocket", "websocket"])
    expect(strangers(servers)).toBe(0)
    await Promise.all(contexts.map((context) => context.close()))
  })
})
