/** What clients and backends send that they should not, or do not send that they should: each has its answer, and nobody else notices. */
import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import { start, type TestServer } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { type RawLink, rawBackend } from "./backends/raw.ts"
import { answeringBackend, selfSignedBackend, tcpBackend, upgraded } from "./backends/tcp.ts"
import { Opcode, RawConnection, rawClient, type RawPeer, rawUpgrade, upgradeRequest } from "./rawClient.ts"
import { backend, client } from "./support.ts"

type RouteInput = NonNullable<SettingsInput["proxy"]>[number]

/** A server with the route `/bad`, and the route `/good` with a client on it. `still` asks whether that one notices anything. */
const beside = async (bad: string | ReadonlyArray<string>, route: Partial<RouteInput> = {}, settings: SettingsInput = {}) => {
  const echo = await backend()
  const server = await start({
    ...settings,
    proxy: [
      { path: "/bad/*", targets: typeof bad === "string" ? [bad] : [...bad], ...route },
      { path: "/good", targets: [echo.url], max_message: 10_000 }
    ]
  })
  const good = await client(server, "/good").opened()
  let asked = 0
  const still = async (): Promise<void> => {
    good.ws.send(`${++asked}`)
    expect((await good.take(asked)).at(-1)).toBe(`${asked}`)
    await client(server, "/good").opened()
    expect(echo.links.every(({ closed }) => closed === undefined)).toBe(true)
  }
  await still()
  return { server, still }
}

interface LogLine {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The first log line about the backends of `/bad`. */
const logged = (server: TestServer): Promise<LogLine> =>
  eventually(() => server.logs.map((line) => JSON.parse(line) as LogLine).find(({ annotations }) => annotations["route"] === "/bad/*"), {
    message: () => `nothing is logged: ${server.logs.join("\n")}`
  })

describe("a backend at the upgrade", () => {
  const text = (answer: string) => () => answeringBackend((socket) => void socket.end(answer))

  const patience = { connect_timeout: 0.3 }

  const cases: ReadonlyArray<readonly [name: string, target: () => Promise<string>, status: number, type: string, error: RegExp]> = [
    ["where nobody listens", async () => `http://127.0.0.1:${await freePort()}`, 502, "connect", /connection refused/],
    ["whose name does not resolve", async () => "http://host.invalid", 502, "dns", /host name/],
    ["whose certificate does not verify", selfSignedBackend, 502, "tls", /certificate does not verify/],
    [
      "that does not speak TLS",
      async () => (await tcpBackend((socket) => void socket.end("220 mail"))).replace("http:", "https:"),
      502,
      "tls",
      /TLS failed/
    ],
    ["that speaks TLS only", async () => (await selfSignedBackend()).replace("https:", "http:"), 502, "lost", /closed/],
    ["that closes at once", () => tcpBackend((socket) => void socket.destroy()), 502, "lost", /closed/],
    ["that closes when it is asked", () => answeringBackend((socket) => void socket.destroy()), 502, "lost", /closed/],
    ["that accepts and says nothing", () => tcpBackend((socket) => void socket.resume()), 504, "timeout", /in time/],
    [
      "that begins an answer and says no more",
      () => answeringBackend((socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgr")),
      504,
      "timeout",
      /in time/
    ],
    [
      "that begins a refusal and says no more",
      () => answeringBackend((socket) => void socket.write("HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nabc")),
      504,
      "timeout",
      /in time/
    ],
    ["that answers garbage", text("\x16\x03\x01\x02\x00garbage\r\n\r\n"), 502, "protocol", /not HTTP/],
    ["that answers as other protocols do", text("220 mail.example.com ESMTP\r\n\r\n"), 502, "protocol", /not HTTP/],
    ["that answers with endless headers", text(`HTTP/1.1 101 X\r\nX-Long: ${"x".repeat(100_000)}\r\n\r\n`), 502, "protocol", /too long/],
    [
      "that accepts with a wrong key",
      () => answeringBackend((socket) => void socket.write(upgraded("c29tZXRoaW5nIHdyb25nIGhlcmU="))),
      502,
      "protocol",
      /Sec-WebSocket-Accept/
    ],
    [
      "that accepts without a key",
      text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
      502,
      "protocol",
      /Sec-WebSocket-Accept/
    ],
    [
      "that changes to another protocol",
      text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
      502,
      "protocol",
      /Upgrade/
    ],
    [
      "that uses an extension which was not offered",
      () => answeringBackend((socket, accept) => void socket.write(upgraded(accept, "Sec-WebSocket-Extensions: permessage-deflate\r\n"))),
      502,
      "protocol",
      /Sec-WebSocket-Extensions/
    ],
    ["that says it does not know who asks", text("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"), 401, "refused", /401/],
    ["that sends somewhere else", text("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), 302, "refused", /302/]
  ]

  it.each(cases)("%s", async (_, target, status, type, error) => {
    const url = await target()
    const { server, still } = await beside(url, status === 504 ? patience : {})
    const answer = await rawUpgrade(server, "/bad/x").whole()
    expect(answer.status).toBe(status)
    if (status >= 500) expect(JSON.parse(answer.body.toString())).toMatchObject({ code: status === 504 ? "timeout" : "unavailable" })
    const line = await logged(server)
    expect(line.annotations).toMatchObject({ route: "/bad/*", backend: new URL(url).href.replace(/\/$/, ""), error_type: type })
    expect(line.annotations["error"]).toMatch(error)
    expect(line.level).toBe(type === "refused" ? "INFO" : "WARN")
    await still()
  })

  it("that fails is followed by another one, and the client notices nothing", async () => {
    const echo = await backend()
    const bad = [`http://127.0.0.1:${await freePort()}`, await tcpBackend((socket) => void socket.destroy())]
    const { server, still } = await beside([...bad, echo.url])
    for (let count = 0; count < 3; count++) {
      const link = await client(server, "/bad/x").opened()
      link.ws.send("hello")
      expect(await link.take(1)).toEqual(["hello"])
    }
    await still()
  })

  it("that fails again and again is logged once a second, with the number of the failures between", async () => {
    const { server, still } = await beside(`http://127.0.0.1:${await freePort()}`)
    const count = 300
    const refused = await Promise.all(Array.from({ length: count }, () => rawUpgrade(server, "/bad/x").answer()))
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([502]))
    await eventually(() => {
      const lines = server.logs.map((line) => JSON.parse(line) as LogLine).filter(({ annotations }) => annotations["route"] === "/bad/*")
      return lines.reduce((sum, { annotations }) => sum + 1 + Number(annotations["suppressed"] ?? 0), 0) === count && lines.length < 20
    })
    await still()
  })
})

describe("a backend after the upgrade", () => {
  /** A link whose backend is in the hands of the test. */
  const link = async (route: Partial<RouteInput> = {}, settings: SettingsInput = {}) => {
    const target = await rawBackend()
    const { server, still } = await beside(target.url, route, settings)
    const peer = await rawClient(server, "/bad/x")
    return { server, still, peer, link: await target.link(0) }
  }

  const cases: ReadonlyArray<readonly [name: string, act: (link: RawLink) => void, code: number, type: string, error: RegExp]> = [
    ["that sends bytes which are no frames", ({ socket }) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"), 4503, "protocol", /./],
    ["that sends random bytes", ({ socket }) => void socket.write(Buffer.alloc(1000, 0xf7)), 4503, "protocol", /./],
    ["that masks its frames", ({ socket }) => void socket.write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5])), 4503, "protocol", /MASK/],
    [
      "that says a frame has 2^63 bytes",
      ({ socket }) => void socket.write(Buffer.from([0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0])),
      1009,
      "too_large",
      /larger/
    ],
    [
      "that stops in a frame and goes",
      ({ socket }) => void socket.end(Buffer.from([0x82, 100, 1, 2, 3])),
      4503,
      "lost",
      /without a close frame/
    ],
    [
      "that stops in a header and goes",
      ({ socket }) => void socket.end(Buffer.from([0x82, 126, 1])),
      4503,
      "lost",
      /without a close frame/
    ],
    ["that is cut off", ({ socket }) => void socket.resetAndDestroy(), 4503, "lost", /./],
    ["that sends a message which is too large", ({ peer }) => peer.send(Opcode.binary, Buffer.alloc(10_001)), 1009, "too_large", /larger/],
    [
      "that sends too large a message in fragments",
      ({ peer }) => {
        peer.send(Opcode.binary, Buffer.alloc(6_000), { fin: false })
        peer.send(Opcode.continuation, Buffer.alloc(6_000), { fin: true })
      },
      1009,
      "too_large",
      /larger/
    ]
  ]

  it.each(cases)("%s", async (_, act, code, type, error) => {
    const { link: behind, peer, server, still } = await link({ max_message: 10_000 })
    behind.peer.send(Opcode.text, "fine")
    await peer.take(1)
    act(behind)
    expect((await peer.close()).code).toBe(code)
    const line = await logged(server)
    expect(line.annotations).toMatchObject({ route: "/bad/*", error_type: type })
    expect(line.annotations["error"]).toMatch(error)
    // The backend's side is not left open.
    await eventually(() => behind.peer.ended || behind.peer.frames.some(({ opcode }) => opcode === Opcode.close))
    await still()
  })

  it("that stops in a frame and stays is asked whether it is there, and taken for lost when it does not say so", async () => {
    const { link: behind, peer, server, still } = await link({ failover: { ping_timeout: 0.3 } }, { heartbeat: { interval: 0.3 } })
    behind.socket.write(Buffer.from([0x82, 100, 1, 2, 3]))
    expect(await peer.close()).toEqual({ code: 4503, reason: "backend lost" })
    expect((await logged(server)).annotations).toMatchObject({ error_type: "lost", error: "the backend does not answer pings" })
    await still()
  })

  it("that sends faster than its client reads has to wait, and nobody else does", async () => {
    const { link: behind, peer, still } = await link()
    peer.socket.pause()
    const block = Buffer.alloc(65_536)
    const count = 800
    for (let n = 0; n < count; n++) behind.peer.send(Opcode.binary, block)
    await eventually(() => behind.socket.writableNeedDrain)
    for (let n = 0; n < 5; n++) await still()
    peer.socket.resume()
    await peer.take(count)
    expect(peer.frames).toHaveLength(count)
  })

  it("that takes no more bytes costs its client the connection, and nobody else anything", async () => {
    const { link: behind, peer, server, still } = await link({ buffer: 65_536, max_message: 65_536 })
    behind.socket.pause()
    const more = (): void => {
      while (!peer.ended && peer.socket.write(peer.bytes(Opcode.binary, Buffer.alloc(65_536))));
    }
    peer.socket.on("drain", more)
    more()
    expect((await peer.close()).code).toBe(1013)
    peer.socket.off("drain", more)
    expect((await logged(server)).annotations).toMatchObject({ error_type: "slow" })
    await still()
  })
})

describe("a client at the upgrade", () => {
  const through = async () => {
    const target = await rawBackend()
    const bad = await beside(target.url)
    return { ...bad, target }
  }

  it.each([
    ["an old version", { "Sec-WebSocket-Version": "8" }, 426],
    ["no version", { "Sec-WebSocket-Version": undefined }, 426],
    ["two versions", { "Sec-WebSocket-Version": ["13", "8"] }, 426],
    ["a key that is no base64", { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" }, 400],
    ["a key of other bytes than 16", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQAA" }, 400],
    ["no wish to upgrade the connection", { Connection: "keep-alive" }, 426]
  ])("with %s is refused, and no backend hears of it", async (_, headers, status) => {
    const { server, still, target } = await through()
    const answer = await rawUpgrade(server, "/bad/x", { headers }).whole()
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([status, { code: "invalid_message" }])
    if (status === 426) expect(answer.headers["upgrade"] ?? answer.headers["sec-websocket-version"]).toBeDefined()
    expect(target.links).toEqual([])
    await still()
  })

  it("with a control character in a header is refused, which is not its backend's fault", async () => {
    const target = await rawBackend()
    const { server, still } = await beside(target.url, { circuit_breaker: { failures: 1 } })
    // The others never reach us: for the transport they are no request at all.
    expect((await rawUpgrade(server, "/bad/x", { headers: { "X-Odd": "a\x7fb" } }).answer()).status).toBe(400)
    for (const value of ["a\x00b", "a\x01b", "a\x1fb"]) {
      const connection = rawUpgrade(server, "/bad/x", { headers: { "X-Odd": value } })
      connection.socket.end()
      expect((await connection.end()).toString()).not.toMatch(/^HTTP\/1.1 101/)
    }
    expect(target.links).toEqual([])
    await rawClient(server, "/bad/x")
    await still()
  })

  /** Where the answer may be a plain one, by this server or by its backend, or none. */
  const shapes: ReadonlyArray<readonly [name: string, request: string]> = [
    ["no key", upgradeRequest("/bad/x", { headers: { "Sec-WebSocket-Key": undefined } })],
    ["a short key", upgradeRequest("/bad/x", { headers: { "Sec-WebSocket-Key": "abc" } })],
    ["another protocol", upgradeRequest("/bad/x", { headers: { Upgrade: "h2c" } })],
    ["another method", upgradeRequest("/bad/x", { method: "POST", headers: { "Content-Length": "0" } })],
    ["another version of HTTP", upgradeRequest("/bad/x", { version: "HTTP/1.0" })],
    ["a version that there is not", upgradeRequest("/bad/x", { version: "HTTP/3.7" })],
    ["no host", upgradeRequest("/bad/x", { headers: { Host: undefined } })],
    ["a header without a colon", upgradeRequest("/bad/x").replace("\r\n\r\n", "\r\nnonsense\r\n\r\n")],
    ["a folded header", upgradeRequest("/bad/x").replace("\r\n\r\n", "\r\nX-A: b\r\n c\r\n\r\n")],
    ["both lengths of a body", upgradeRequest("/bad/x", { headers: { "Content-Length": "5", "Transfer-Encoding": "chunked" } })],
    ["garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
    ["what begins HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["a line without an end", `GET /bad/${"x".repeat(100_000)}`],
    ["100 KB in one header", upgradeRequest("/bad/x", { headers: { "X-Long": "x".repeat(100_000) } })],
    [
      "100 KB in many headers",
      upgradeRequest("/bad/x", { headers: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`X-${n}`, "x".repeat(100)])) })
    ]
  ]

  it.each(shapes)("with %s is never upgraded", async (_, request) => {
    const { server, still, target } = await through()
    const connection = new RawConnection(server.port).write(request)
    connection.socket.end()
    await connection.end()
    expect(connection.received.toString("latin1")).not.toMatch(/^HTTP\/1.1 101/)
    expect(target.links).toEqual([])
    await still()
  })

  it("that sends many headers at their limit is heard, and says with which status when it is over", async () => {
    const { server, still } = await through()
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`X-${n}`, "x".repeat(100)]))
    await rawClient(server, "/bad/x", { headers: many })
    const { status } = await rawUpgrade(server, "/bad/x", { headers: { ...many, "X-Long": "x".repeat(20_000) } }).answer()
    expect(status).toBe(431)
    await still()
  })

  it("that leaves before its backend has answered leaves nothing behind", async () => {
    let asked: Socket | undefined
    const target = await answeringBackend((socket) => void (asked = socket))
    const { server, still } = await beside(target, {}, { limits: { connections_per_address: 8 } })
    for (let count = 0; count < 12; count++) {
      asked = undefined
      const connection = rawUpgrade(server, "/bad/x")
      const socket = await eventually(() => asked)
      connection.socket.destroy()
      await eventually(() => socket.destroyed)
    }
    await still()
  })
})

describe("a client after the upgrade", () => {
  const sent: ReadonlyArray<readonly [name: string, act: (peer: RawPeer) => void, closeFrame: boolean]> = [
    ["a message that is too large", (peer) => peer.send(Opcode.binary, Buffer.alloc(10_001)), true],
    ["one that is much too large", (peer) => peer.send(Opcode.binary, Buffer.alloc(100_000)), false],
    ["one of 2^63 bytes", (peer) => void peer.socket.write(Buffer.from([0x82, 255, 128, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])), false]
  ]

  it.each(sent)("that sends %s is closed, and its backend is told 1009", async (_, act, closeFrame) => {
    const target = await rawBackend()
    const { server, still } = await beside(target.url, { max_message: 10_000 }, {})
    const peer = await rawClient(server, "/bad/x")
    const behind = await target.link(0)
    peer.send(Opcode.binary, Buffer.alloc(10_000))
    await behind.peer.take(1)
    act(peer)
    if (closeFrame) expect((await peer.close()).code).toBe(1009)
    expect((await behind.peer.close()).code).toBe(1009)
    await still()
  })
})
