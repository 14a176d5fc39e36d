import { Effect, Schema } from "effect"
import { connect as connectTcp } from "node:net"
import { describe, expect, it } from "vitest"
import { handler, HandlerError } from "../../src/connection/Handlers.ts"
import { eventually } from "../support/eventually.ts"
import { atEndOfTest, connect, type Frame, open, refusal, start, type TestClient } from "./support.ts"

describe("heartbeats", () => {
  it("come at their interval, and any frame answers them", async () => {
    const server = await start({ heartbeat: { interval: 1, timeout: 2 } })
    const [answering, pinging, silent] = [await connect(server), await connect(server), await connect(server, { encoding: "msgpack" })]
    for (let n = 0; n < 3; n++) {
      expect(await answering.next("heartbeat")).toEqual({ type: "heartbeat", time: expect.any(Number) })
      answering.send({ type: "heartbeat" })
      pinging.ws.ping()
    }
    expect(await silent.next("bye")).toMatchObject({ code: 4408, reconnect: true })
    expect(await silent.end()).toMatchObject({ code: 4408 })
    expect([answering.closed, pinging.closed]).toEqual([undefined, undefined])
  })

  it("go along with what a busy room publishes, and come as often as in a quiet one", async () => {
    const server = await start({ heartbeat: { interval: 1, timeout: 3 } })
    const clients = await Promise.all(
      (["json", "msgpack"] as const).flatMap((encoding) =>
        [[], ["weft.batch"]].map((batch) => connect(server, { encoding, protocols: [`weft.v1.${encoding}`, ...batch] }))
      )
    )
    const writer = await connect(server)
    for (const one of [...clients, writer]) await one.request({ type: "join_room", room: "busy" })
    let sent = 0
    const busy = setInterval(() => writer.send({ type: "broadcast", room: "busy", data: sent++ }), 20)
    atEndOfTest(() => clearInterval(busy))
    const heartbeats = async (client: TestClient, count: number): Promise<ReadonlyArray<number>> => {
      const times: Array<number> = []
      while (times.length < count) {
        times.push(Number((await client.next("heartbeat"))["time"]))
        client.send({ type: "heartbeat" })
      }
      return times
    }
    for (const times of await Promise.all(clients.map((client) => heartbeats(client, 3))))
      expect(times[2]! - times[1]!).toBeGreaterThan(850)
    clearInterval(busy)
    await writer.settle()
    for (const client of clients) {
      const data = (await client.settle()).filter(({ type }) => type === "message").map((message) => message["data"])
      expect(data).toEqual(Array.from({ length: sent }, (_, n) => n))
    }
    // The room is silent now, and the heartbeats go on by themselves.
    await Promise.all(clients.map((client) => heartbeats(client, 2)))
  })
})

describe("limits", () => {
  it("on messages answer rate_limited, and a flood costs the connection and nobody else", async () => {
    const server = await start({ limits: { rate: 5, burst: 1 } })
    const [flooder, other] = [await connect(server), await connect(server)]
    flooder.send(Array.from({ length: 20 }, (_, id) => ({ type: "ping", id })))
    expect(await flooder.next("error")).toMatchObject({ code: "rate_limited", retryable: true, id: 5 })
    for (let n = 0; n < 10 && flooder.closed === undefined; n++) flooder.send(Array.from({ length: 64 }, () => ({ type: "ping" })))
    expect(await flooder.next("bye")).toMatchObject({ code: 4429, reconnect: true })
    expect(await flooder.end()).toMatchObject({ code: 4429 })
    expect(await other.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("on messages count heartbeats too, also one that says nothing else", async () => {
    const server = await start({ limits: { rate: 5, burst: 1 } })
    for (const encoding of ["json", "msgpack"] as const) {
      const client = await connect(server, { encoding })
      for (let n = 0; n < 6; n++) client.send({ type: "heartbeat" })
      expect(await client.next("error")).toMatchObject({ code: "rate_limited" })
    }
  })

  it("on connections refuse with 429 or 503 and Retry-After, and count only who is here", async () => {
    const server = await start({ limits: { connections_per_address: 2 } })
    const first = await connect(server)
    await connect(server)
    expect(await refusal(server)).toMatchObject({
      status: 429,
      headers: { "retry-after": expect.any(String) },
      body: { code: "limit_reached" }
    })
    first.ws.close()
    await eventually(async () => {
      const again = open(server)
      return again.next("welcome").then(() => true)
    })
    const full = await start({ limits: { connections: 1 } })
    await connect(full)
    expect(await refusal(full)).toMatchObject({
      status: 503,
      headers: { "retry-after": expect.any(String) },
      body: { code: "unavailable" }
    })
  })

  it("on a user's address count behind a trusted proxy by the client's own address", async () => {
    const server = await start({ server: { trusted_proxies: ["127.0.0.1"] }, limits: { connections_per_address: 1 } })
    await connect(server, { headers: { "X-Forwarded-For": "203.0.113.1" } })
    await connect(server, { headers: { "X-Forwarded-For": "203.0.113.2" } })
    expect(await refusal(server, { headers: { "X-Forwarded-For": "203.0.113.1", "X-Request-Id": "mine" } })).toMatchObject({
      status: 429,
      headers: { "x-request-id": "mine" }
    })
    const unproxied = await start({ limits: { connections_per_address: 1 } })
    await connect(unproxied, { headers: { "X-Forwarded-For": "203.0.113.1" } })
    expect(await refusal(unproxied, { headers: { "X-Forwarded-For": "203.0.113.2" } })).toMatchObject({ status: 429 })
  })
})

describe("upgrades", () => {
  it.each([
    ["a foreign origin", { headers: { Origin: "https://evil.example" } }, 403, "forbidden"],
    ["an unknown format", { protocols: [], query: "?format=xml" }, 400, "invalid_message"],
    ["a malformed query", { query: "?token=%zz" }, 400, "invalid_message"]
  ] as const)("with %s are refused", async (_, options, status, code) => {
    expect(await refusal(await start(), options)).toMatchObject({ status, body: { code } })
  })

  it("choose the encoding by subprotocol, else by query, else JSON", async () => {
    const server = await start()
    expect((await connect(server, { encoding: "msgpack", protocols: [], query: "?format=msgpack" })).ws.protocol).toBe("")
    expect((await connect(server, { protocols: [] })).ws.protocol).toBe("")
    expect((await connect(server, { encoding: "msgpack", protocols: ["chat", "weft.v1.msgpack", "weft.v1.json"] })).ws.protocol).toBe(
      "weft.v1.msgpack"
    )
    await connect(server, { path: "/websocket" })
  })

  it("that never finish leave the server as it was for others", async () => {
    const server = await start()
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connectTcp(server.port, "127.0.0.1", () => socket.write("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: webso"))
      socket.on("error", () => undefined)
      atEndOfTest(() => void socket.destroy())
      return socket
    })
    await eventually(() => sockets.every(({ pending }) => !pending))
    const client = await connect(server)
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("whose client leaves while its token is checked give their place back", async () => {
    let checks = 0
    const server = await start(
      { limits: { connections_per_address: 1 } },
      {
        authenticate: (token) => {
          checks++
          return token === undefined ? Effect.never : Effect.succeed({ sub: "ada" })
        }
      }
    )
    const gone = open(server)
    await eventually(() => checks === 1)
    gone.ws.terminate()
    const client = await eventually(async () => {
      const attempt = open(server, { query: "?token=x" })
      return attempt.next("welcome").then(() => attempt)
    })
    expect(client.closed).toBeUndefined()
  })
})

describe("calls", () => {
  const handlers = {
    add: handler({
      input: Schema.Struct({ a: Schema.Number, b: Schema.Number }),
      handle: ({ a, b }) => Effect.succeed(a + b)
    }),
    whoami: handler({ input: Schema.Unknown, handle: (_, caller) => Promise.resolve(caller.connection) }),
    slow: handler({ input: Schema.Unknown, handle: () => Effect.never }),
    broken: handler({ input: Schema.Unknown, handle: () => Promise.reject(new Error("secret detail")) }),
    refusing: handler({ input: Schema.Unknown, handle: () => Effect.fail(new HandlerError({ code: "conflict", message: "not now" })) })
  }

  it("reach the handler, with its input checked and its failures told by code", async () => {
    const server = await start({ limits: { call_timeout: 1, calls: 2 } }, { handlers })
    const client = await connect(server)
    expect(await client.request({ type: "call", method: "add", data: { a: 1, b: 2 } })).toMatchObject({ type: "result", data: 3 })
    expect(await client.request({ type: "call", method: "add", data: { a: "1" } })).toMatchObject({ code: "invalid_message" })
    expect(await client.request({ type: "call", method: "whoami" })).toMatchObject({ data: client.welcome["connection"] })
    expect(await client.request({ type: "call", method: "refusing" })).toMatchObject({ code: "conflict", message: "not now" })
    const broken = await client.request({ type: "call", method: "broken" })
    expect(broken).toMatchObject({ code: "internal", retryable: true })
    expect(JSON.stringify(broken)).not.toContain("secret")
    for (const method of ["toString", "__proto__", "constructor", "nothing"])
      expect(await client.request({ type: "call", method })).toMatchObject({ code: "not_found" })
  })

  it("that take too long time out, do not hold up others, and are bounded", async () => {
    const server = await start({ limits: { call_timeout: 1, calls: 2 } }, { handlers })
    const client = await connect(server)
    client.send({ type: "call", method: "slow", id: "s1" })
    client.send({ type: "call", method: "slow", id: "s2" })
    expect(await client.request({ type: "call", method: "add", data: { a: 1, b: 1 } })).toMatchObject({ code: "limit_reached" })
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
    expect(await client.next(({ id }) => id === "s1")).toMatchObject({ code: "timeout", retryable: true })
    await client.next(({ id }) => id === "s2")
    expect(await client.request({ type: "call", method: "add", data: { a: 1, b: 1 } })).toMatchObject({ data: 2 })
  })
})

describe("draining", () => {
  it("refuses newcomers, and sends everyone away with bye and 1001 at a pace", async () => {
    const server = await start({ drain: { period: 1 } })
    const clients = await Promise.all(Array.from({ length: 20 }, (_, n) => connect(server, { encoding: n % 2 === 0 ? "json" : "msgpack" })))
    const stopped = server.stop()
    expect(await refusal(server)).toMatchObject({ status: 503, headers: { "retry-after": expect.any(String) } })
    for (const client of clients) {
      const bye: Frame = await client.next("bye")
      expect(bye).toMatchObject({ code: 1001, reason: expect.any(String), reconnect: true, after: expect.any(Number) })
      expect(bye["after"]).toBeLessThanOrEqual(1000)
      expect(await client.end()).toMatchObject({ code: 1001 })
    }
    await stopped
  })
})

describe("a long token", () => {
  it("fits: eight kilobytes in the header, the subprotocol or the query", async () => {
    const server = await start({}, { authenticate: (token) => (token === undefined ? undefined : { sub: "ada" }) })
    const long = "t".repeat(8000)
    expect((await connect(server, { headers: { Authorization: `Bearer ${long}` } })).welcome["user"]).toBe("ada")
    expect((await connect(server, { protocols: ["weft.v1.json", `weft.token.${long}`] })).welcome["user"]).toBe("ada")
    expect((await connect(server, { query: `?token=${long}` })).welcome["user"]).toBe("ada")
  })
})

describe("an upgrade request without a proper key", () => {
  it("is malformed, unlike a plain request", async () => {
    const server = await start()
    const ask = (lines: ReadonlyArray<string>): Promise<string> =>
      new Promise((resolve) => {
        let text = ""
        const socket = connectTcp(server.port, "127.0.0.1", () =>
          socket.end(`GET /ws HTTP/1.1\r\nHost: x\r\n${lines.join("\r\n")}\r\n\r\n`)
        )
        socket.on("data", (data) => (text += data.toString()))
        socket.on("close", () => resolve(text))
      })
    const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    expect(await ask([...upgrade, "Sec-WebSocket-Key: short"])).toMatch(/^HTTP\/1\.1 400 [^]*"invalid_message"/)
    expect(await ask(upgrade)).toMatch(/^HTTP\/1\.1 400 /)
    expect(await ask([])).toMatch(/^HTTP\/1\.1 426 /)
  })
})
