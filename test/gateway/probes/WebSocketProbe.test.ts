import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import type { WebSocketCheck } from "../../../src/gateway/HealthPlan.ts"
import type { ProbeOutcome } from "../../../src/gateway/HealthState.ts"
import { webSocketProbe } from "../../../src/gateway/probes/WebSocketProbe.ts"
import { eventually } from "../../support/eventually.ts"
import { freePort } from "../../support/ports.ts"
import { type Backend, rawBackend, silentBackend, tcpBackend, upgradingBackend, webSocketBackend } from "./backends.ts"

const probe = (url: URL, check: Partial<WebSocketCheck> = {}): Promise<ProbeOutcome> =>
  Effect.runPromise(webSocketProbe(url, { path: "/", timeout: 20, ...check }))

const failure = (type: string, message: string | RegExp) => ({
  ok: false,
  type,
  message: typeof message === "string" ? message : expect.stringMatching(message)
})

const passed = { ok: true, milliseconds: expect.any(Number) }

const leavesNothing = (backend: Backend) => eventually(() => backend.open() === 0, { message: "a connection stays open" })

describe("a backend that works", () => {
  it("passes with a ping and its pong, and sees a normal close", async () => {
    const codes: Array<number> = []
    const backend = await webSocketBackend({ onConnection: (socket) => void socket.on("close", (code) => codes.push(code)) })
    expect(await probe(backend.url)).toEqual(passed)
    await leavesNothing(backend)
    await eventually(() => codes.length === 1)
    expect(codes).toEqual([1000])
  })

  it("is asked at the path of the check behind its base path, with a name of its own", async () => {
    const seen: Array<unknown> = []
    const backend = await webSocketBackend({ onConnection: (_socket, url, headers) => seen.push(url, headers["user-agent"]) })
    await probe(new URL("/base", backend.url), { path: "/health?deep=1" })
    expect(seen).toEqual(["/base/health?deep=1", "weft-health-check"])
  })

  it("passes with any answer to ping_message, and a pong is none", async () => {
    const heard: Array<string> = []
    const backend = await webSocketBackend({
      onConnection: (socket) =>
        void socket.on("message", (data, binary) => {
          heard.push(`${String(data)} ${binary}`)
          socket.pong()
          socket.send(Buffer.of(1, 2, 3))
        })
    })
    expect(await probe(backend.url, { ping_message: "ping" })).toEqual(passed)
    expect(heard).toEqual(["ping false"])
  })

  // The limit is below the 30 s after which the socket itself would lose its patience.
  it("passes though it never answers the close, and is cut off", { timeout: 25_000 }, async () => {
    const backend = await upgradingBackend((socket) => void socket.once("data", () => socket.write(Buffer.of(0x8a, 0x00))))
    expect(await probe(backend.url)).toEqual(passed)
    await leavesNothing(backend)
  })
})

describe("a backend that does not work", () => {
  it("refuses connections", async () => {
    expect(await probe(new URL(`http://127.0.0.1:${await freePort()}`))).toEqual(failure("connect", "connection refused"))
  })

  it("has a name that does not resolve", async () => {
    expect(await probe(new URL("http://nowhere.invalid:8080"))).toEqual(failure("dns", /host name/))
  })

  it("accepts and says nothing", async () => {
    const backend = await silentBackend()
    expect(await probe(backend.url, { timeout: 1 })).toEqual(failure("timeout", "no answer to the upgrade within 1 s"))
    await leavesNothing(backend)
  })

  it("accepts and says nothing where TLS is spoken", async () => {
    const backend = await silentBackend()
    expect(await probe(new URL(`https://127.0.0.1:${backend.port}`), { timeout: 1 })).toEqual(
      failure("timeout", "no connection within 1 s")
    )
    await leavesNothing(backend)
  })

  it("upgrades and sends no pong", async () => {
    const backend = await webSocketBackend({ autoPong: false })
    expect(await probe(backend.url, { timeout: 1 })).toEqual(failure("timeout", "no pong within 1 s"))
    await leavesNothing(backend)
  })

  it("answers pings but not ping_message", async () => {
    const backend = await webSocketBackend({ onConnection: (socket) => void socket.pong() })
    expect(await probe(backend.url, { timeout: 1, ping_message: "ping" })).toEqual(
      failure("timeout", "no answer to ping_message within 1 s")
    )
    await leavesNothing(backend)
  })

  it.each([
    ["401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"],
    ["302", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"],
    ["200", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\n"]
  ])("answers the upgrade with status %s", async (status, answer) => {
    const backend = await rawBackend(answer)
    expect(await probe(backend.url)).toEqual(failure("refused", `the backend answered the upgrade with status ${status}`))
    await leavesNothing(backend)
  })

  it.each([
    ["what is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", /not HTTP/],
    ["a header without end", `HTTP/1.1 101 Switching Protocols\r\nX: ${"x".repeat(100_000)}`, /too long/]
  ])("answers %s", async (_what, answer, message) => {
    const backend = await rawBackend(answer)
    expect(await probe(backend.url)).toEqual(failure("protocol", message))
    await leavesNothing(backend)
  })

  it("upgrades with a wrong accept key", async () => {
    const backend = await upgradingBackend(
      () => undefined,
      () => "d3JvbmcgYWNjZXB0IGtleSE="
    )
    expect(await probe(backend.url)).toEqual(failure("protocol", "Invalid Sec-WebSocket-Accept header"))
    await leavesNothing(backend)
  })

  it("upgrades and sends no WebSocket frames", async () => {
    const backend = await upgradingBackend((socket) => void socket.write("\xff\xff\xff\xff garbage", "latin1"))
    expect(await probe(backend.url)).toEqual(failure("protocol", /Invalid WebSocket frame/))
    await leavesNothing(backend)
  })

  it("begins an answer of 2 MiB", async () => {
    const frame = Buffer.concat([Buffer.of(0x82, 127, 0, 0, 0, 0, 0, 0x20, 0, 0), Buffer.alloc(1000)])
    const backend = await upgradingBackend((socket) => void socket.once("data", () => socket.write(frame)))
    expect(await probe(backend.url, { ping_message: "ping" })).toEqual(failure("protocol", /larger than/))
    await leavesNothing(backend)
  })

  it("hangs up at once", async () => {
    const backend = await tcpBackend((socket) => void socket.end())
    expect(await probe(backend.url)).toEqual(failure("lost", /closed the connection/))
  })

  it("closes instead of an answer", async () => {
    const backend = await webSocketBackend({ autoPong: false, onConnection: (socket) => void socket.on("ping", () => socket.close(1011)) })
    expect(await probe(backend.url)).toEqual(failure("lost", "the backend closed the connection (1011) before it answered"))
  })

  it("has a certificate that does not verify", async () => {
    const backend = await webSocketBackend({ tls: true })
    expect(await probe(backend.url)).toEqual(failure("tls", /does not verify: self-signed certificate/))
    await leavesNothing(backend)
  })

  it("speaks no TLS", async () => {
    const backend = await rawBackend("HTTP/1.1 400 Bad Request\r\n\r\n")
    expect(await probe(new URL(`wss://127.0.0.1:${backend.port}`))).toEqual(failure("tls", /TLS failed/))
    await leavesNothing(backend)
  })
})

describe("an interruption", () => {
  it.each<readonly [string, (reached: () => void) => Promise<Backend>]>([
    ["while it waits for the upgrade", (reached) => tcpBackend((socket) => void socket.on("data", reached))],
    [
      "while it waits for a pong",
      (reached) => webSocketBackend({ autoPong: false, onConnection: (socket) => void socket.on("ping", reached) })
    ],
    [
      "while it closes",
      (reached) => upgradingBackend((socket) => void socket.once("data", () => socket.once("data", reached).write(Buffer.of(0x8a, 0x00))))
    ]
  ])("%s leaves nothing open", async (_when, start) => {
    let reached = false
    const backend = await start(() => {
      reached = true
    })
    const fiber = Effect.runFork(webSocketProbe(backend.url, { path: "/", timeout: 60 }))
    await eventually(() => reached)
    await Effect.runPromise(Fiber.interrupt(fiber))
    await leavesNothing(backend)
    expect(backend.seen()).toBe(1)
  })
})
