import { afterEach, describe, expect, it } from "vitest"
import { WebSocket as WsWebSocket } from "ws"
import { type Client, type ClientEvents, type ClientOptions, createClient, WeftError } from "../../src/client/index.ts"
import { type FakeHub, type FakeHubOptions, type Refusal, startFakeHub } from "./fakeHub.ts"
import { eventually } from "../support/eventually.ts"

const cleanups: Array<() => Promise<void>> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const hubWith = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const hub = await startFakeHub(options)
  cleanups.push(hub.stop)
  return hub
}

const clientOf = (url: string, options: Partial<ClientOptions> = {}): Client => {
  const client = createClient({ url, backoff: { base: 20, cap: 50 }, ...options })
  cleanups.push(() => client.close())
  return client
}

const collect = <K extends keyof ClientEvents>(client: Client, name: K): Array<ClientEvents[K]> => {
  const events: Array<ClientEvents[K]> = []
  client.on(name, (event) => events.push(event))
  return events
}

const failure = async (attempt: Promise<unknown>): Promise<WeftError> => {
  const outcome = await attempt.then(
    () => "no failure",
    (error: unknown) => error
  )
  if (outcome instanceof WeftError) return outcome
  throw new Error(`not a WeftError: ${String(outcome)}`)
}

describe.each(["json", "msgpack"] as const)("a client that speaks %s", (encoding) => {
  it("gets the reply that belongs to each request", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url, { encoding })
    const welcome = await client.connect()
    expect(welcome.connection).toBe("c1")
    expect(client.link).toEqual({ state: "open", connection: "c1", session: "s-c1" })
    const [joined, echo, pong, status] = await Promise.all([
      client.join("lobby"),
      client.request({ type: "echo", data: { deep: [1, "two", null] } }),
      client.ping(),
      client.status()
    ])
    expect(joined.members).toBe(1)
    expect(echo.data).toEqual({ deep: [1, "two", null] })
    expect(pong.time).toBeGreaterThan(0)
    expect(status.encoding).toBe(encoding)
    expect(status.rooms).toEqual(["lobby"])
    expect(await client.call("sum", [1, 2])).toBe(3)
    expect((await client.presence("lobby")).members.map(({ connection }) => connection)).toEqual(["c1"])
    expect((await client.leave("lobby")).room).toBe("lobby")
  })

  it("exchanges messages with others", async () => {
    const hub = await hubWith()
    const [ada, bob] = [clientOf(hub.url, { encoding }), clientOf(hub.url, { encoding: "json" })]
    await Promise.all([ada, bob].map(async (client) => [await client.connect(), await client.join("lobby")]))
    const heard = collect(bob, "message")
    const direct = collect(bob, "direct")
    expect((await ada.broadcast("lobby", { text: "héllo" }, { exclude_self: true })).room).toBe("lobby")
    const to = bob.welcome?.connection ?? ""
    expect((await ada.send({ connection: to }, 7)).delivered).toBe(1)
    expect(await eventually(() => heard[0])).toMatchObject({ room: "lobby", data: { text: "héllo" } })
    expect(await eventually(() => direct[0])).toMatchObject({ data: 7, from: { connection: ada.welcome?.connection } })
  })

  it("reads several messages in one frame, and asks for that with an option", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url, { encoding, batch: true })
    const heard = collect(client, "message")
    await client.connect()
    hub.peers[0]?.send([1, 2, 3].map((data) => ({ type: "message", data, time: 1 })))
    await eventually(() => heard.length === 3)
    expect(heard.map(({ data }) => data)).toEqual([1, 2, 3])
    expect(hub.peers[0]?.protocols).toEqual([`weft.v1.${encoding}`, "weft.batch"])
  })
})

it("works with the WebSocket of the ws package, for a Node without its own", async () => {
  const hub = await hubWith()
  for (const encoding of ["json", "msgpack"] as const) {
    const client = clientOf(hub.url, { encoding, WebSocket: WsWebSocket })
    await client.connect()
    expect((await client.request({ type: "echo", data: [encoding] })).data).toEqual([encoding])
  }
})

describe("requests", () => {
  it("rejects with the server's code", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    await client.connect()
    const error = await failure(client.broadcast("nowhere", 1))
    expect({ code: error.code, retryable: error.retryable, text: error.message }).toEqual({
      ...{ code: "not_in_room", retryable: false, text: "not in nowhere" }
    })
  })

  it("rejects with unavailable before there is a link and after it was lost", async () => {
    const hub = await hubWith({ answer: (message) => (message.type === "echo" ? null : undefined) })
    const client = clientOf(hub.url)
    expect((await failure(client.ping())).code).toBe("unavailable")
    await client.connect()
    const waiting = [1, 2, 3].map((data) => failure(client.request({ type: "echo", data })))
    await eventually(() => hub.peers[0]?.received.length === 3)
    hub.cut()
    const errors = await Promise.all(waiting)
    expect(errors.map(({ code, retryable }) => [code, retryable])).toEqual([1, 2, 3].map(() => ["unavailable", true]))
  })

  it("rejects with timeout when no reply comes, and lets a late one pass", async () => {
    const hub = await hubWith({ answer: (message) => (message.type === "echo" ? null : undefined) })
    const client = clientOf(hub.url)
    await client.connect()
    const errors = collect(client, "error")
    expect((await failure(client.request({ type: "echo", data: 1 }, { timeout: 20 }))).code).toBe("timeout")
    const peer = hub.peers[0]
    peer?.send({ type: "echo", id: peer.received[0]?.id, data: 1 })
    await client.ping()
    expect(errors).toEqual([])
  })

  it("bounds the requests that wait", async () => {
    const hub = await hubWith({ answer: () => null })
    const client = clientOf(hub.url)
    await client.connect()
    const waiting = Array.from({ length: 1_000 }, () => failure(client.ping()))
    expect((await failure(client.ping())).code).toBe("limit_reached")
    await client.close()
    expect(new Set((await Promise.all(waiting)).map(({ code }) => code))).toEqual(new Set(["unavailable"]))
  })

  it("does not mix up requests that were given the same id", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url, { ids: () => "same" })
    await client.connect()
    const first = client.ping()
    expect((await failure(client.ping())).code).toBe("conflict")
    expect((await first).id).toBe("same")
  })

  it("leaves no timer behind", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    await client.connect()
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length
    const before = timers()
    await Promise.all(Array.from({ length: 500 }, () => client.ping()))
    expect(timers()).toBeLessThan(before + 100)
  })

  it("bounds the bytes that wait to be sent", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url, { maxBuffered: 100_000 })
    await client.connect()
    const data = "x".repeat(200_000)
    const codes = await Promise.all([1, 2, 3].map(() => client.request({ type: "echo", data }).catch((error: WeftError) => error.code)))
    expect(codes.slice(1)).toEqual(["limit_reached", "limit_reached"])
  })

  it("does not send what the server would close the connection for", async () => {
    const hub = await hubWith({ limits: { message: 100 } })
    const client = clientOf(hub.url)
    await client.connect()
    expect((await failure(client.request({ type: "echo", data: "é".repeat(40) }))).code).toBe("too_large")
    expect((await client.request({ type: "echo", data: "e".repeat(40) })).data).toHaveLength(40)
  })

  it("rejects what can not be encoded", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    await client.connect()
    const loop: Array<unknown> = []
    loop.push(loop)
    expect((await failure(client.request({ type: "echo", data: loop }))).code).toBe("invalid_message")
    expect((await client.request({ type: "echo", data: 1 })).data).toBe(1)
  })

  it("tells of an error that answers no request", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const errors = collect(client, "error")
    await client.connect()
    client.write({ type: "nonsense" })
    expect(await eventually(() => errors[0])).toMatchObject({ code: "unknown_type" })
  })
})

describe("the link", () => {
  it("is made again after a loss, with the rooms that were joined", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const states = collect(client, "state")
    const rejoined = collect(client, "rejoined")
    await client.connect()
    await Promise.all(["a", "b", "c"].map((room) => client.join(room)))
    await client.leave("b")
    hub.cut()
    await eventually(() => rejoined.length === 2)
    expect(states.map(({ state }) => state)).toEqual(["connecting", "open", "waiting", "connecting", "open"])
    expect([...(hub.peers[0]?.rooms ?? [])]).toEqual(["a", "c"])
    expect(client.rooms).toEqual(["a", "c"])
  })

  it("does not go back to a room whose leave was on its way when the link was lost", async () => {
    const hub = await hubWith({ answer: ({ type }) => (type === "leave_room" ? null : undefined) })
    const client = clientOf(hub.url)
    await client.connect()
    await client.join("a")
    await client.join("b")
    const left = failure(client.leave("a"))
    await eventually(() => hub.peers[0]?.received.length === 3)
    hub.cut()
    expect((await left).code).toBe("unavailable")
    const again = await eventually(() => hub.peers.find(({ connection, rooms }) => connection === "c2" && rooms.has("b")))
    expect([...again.rooms]).toEqual(["b"])
  })

  it("survives a restart of the server at the same address", async () => {
    const first = await hubWith()
    const client = clientOf(first.url)
    await client.connect()
    await client.join("lobby")
    await first.stop()
    await eventually(() => client.link.state === "connecting" && client.link.attempt >= 3)
    const second = await hubWith({ port: first.port })
    await eventually(() => second.peers[0]?.rooms.has("lobby"))
    expect((await client.broadcast("lobby", 1)).room).toBe("lobby")
  })

  it.each([
    [4401, "unauthorized"],
    [4403, "forbidden"],
    [4409, "conflict"],
    [1000, "unavailable"]
  ] as const)("is not made again after close %i, and connect rejects with %s", async (code, error) => {
    const hub = await hubWith({ mute: true })
    const client = clientOf(hub.url)
    const connected = failure(client.connect())
    const peer = await eventually(() => hub.peers[0])
    peer.socket.close(code, "so it is")
    expect((await connected).code).toBe(error)
    expect(client.link).toEqual({ state: "closed", code, reason: "so it is" })
    expect(hub.attempts()).toBe(1)
  })

  it("comes back after a bye, not before the time it names", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url, { random: () => 0 })
    const states = collect(client, "state")
    await client.connect()
    const peer = hub.peers[0]
    peer?.send({ type: "bye", code: 1001, reason: "restart", reconnect: true, after: 30 })
    peer?.socket.close(1001)
    await eventually(() => hub.attempts() === 2)
    expect(states).toContainEqual({ state: "waiting", delay: 30, code: 1001, reason: "restart" })
  })

  it("answers heartbeats", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    await client.connect()
    hub.peers[0]?.send({ type: "heartbeat", time: 1 })
    expect(await eventually(() => hub.peers[0]?.received[0])).toEqual({ type: "heartbeat" })
  })

  it("is given up and made again when the server goes silent", async () => {
    const hub = await hubWith({ heartbeat: { interval: 20, timeout: 40 } })
    const client = clientOf(hub.url)
    const states = collect(client, "state")
    await client.connect()
    await eventually(() => hub.attempts() >= 2)
    expect(states.find(({ state }) => state === "waiting")).toMatchObject({ code: 4408 })
  })

  it("gives up an attempt that gets no welcome", async () => {
    const hub = await hubWith({ mute: true })
    const client = clientOf(hub.url, { attemptTimeout: 30 })
    void client.connect()
    await eventually(() => hub.attempts() >= 3)
    expect(client.welcome).toBeUndefined()
  })

  it("ends for good when the server sends what is not of this protocol", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    await client.connect()
    hub.peers[0]?.socket.send("neither JSON nor anything")
    const end = await eventually(() => client.link.state === "closed" && client.link)
    expect(end).toMatchObject({ code: 4400 })
  })

  it("keeps trying while upgrades are refused", async () => {
    const refusals: Array<Refusal> = Array.from({ length: 3 }, () => ({ status: 503, code: "unavailable", message: "draining" }))
    const hub = await hubWith({ refuse: () => refusals.pop() })
    const client = clientOf(hub.url)
    expect((await client.connect()).node).toBe("fake")
    expect(hub.attempts()).toBe(4)
  })

  it("tries a room again that was refused for now, and gives up one that is refused for good", async () => {
    let refused = 0
    const hub = await hubWith({
      answer: (message, peer) => {
        if (message.type !== "join_room" || peer.connection === "c1") return undefined
        if (message.room === "gone") return { type: "error", code: "forbidden", message: "no more", retryable: false }
        return ++refused <= 3 ? { type: "error", code: "rate_limited", message: "slower", retryable: true } : undefined
      }
    })
    const client = clientOf(hub.url)
    const failed = collect(client, "rejoin_failed")
    await client.connect()
    await client.join("gone")
    await client.join("busy")
    hub.cut()
    await eventually(() => refused === 4)
    expect(failed.map(({ room, error }) => [room, error.code])).toEqual([["gone", "forbidden"]])
    expect(client.rooms).toEqual(["busy"])
    expect(hub.peers.map(({ rooms }) => [...rooms])).toEqual([["busy"]])
  })

  it("asks the token function before every attempt and shows the token where no log has it", async () => {
    const hub = await hubWith()
    let asked = 0
    const client = clientOf(hub.url, { token: async () => `t${++asked}` })
    await client.connect()
    expect(hub.peers[0]?.protocols).toEqual(["weft.v1.json", "weft.token.t1"])
    hub.cut()
    const again = await eventually(() => hub.peers.find(({ connection }) => connection === "c2"))
    expect(again.protocols).toEqual(["weft.v1.json", "weft.token.t2"])
  })

  it("takes a token that is not to be had for a failed attempt", async () => {
    const hub = await hubWith()
    let asked = 0
    const client = clientOf(hub.url, { token: () => (++asked < 3 ? Promise.reject(new Error("offline")) : "t") })
    const states = collect(client, "state")
    await client.connect()
    expect(states.filter(({ state }) => state === "waiting")).toHaveLength(2)
    expect(states.find(({ state }) => state === "waiting")).toMatchObject({ reason: "no token: offline" })
    expect(hub.attempts()).toBe(1)
  })

  it("ends with close, which can be called at any time, and connect starts over", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const connected = failure(client.connect())
    await client.close()
    expect((await connected).code).toBe("unavailable")
    await client.connect()
    await client.join("lobby")
    await client.close()
    await client.close()
    await eventually(() => hub.peers.length === 0)
    expect(client.rooms).toEqual([])
    await client.connect()
    expect([...(hub.peers[0]?.rooms ?? [])]).toEqual([])
  })

  it("may be closed by a listener in the middle of a frame, and says no more then", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const heard = collect(client, "message")
    client.on("message", () => void client.close())
    await client.connect()
    hub.peers[0]?.send([1, 2, 3].map((data) => ({ type: "message", data, time: 1 })))
    await eventually(() => hub.peers.length === 0)
    expect(heard).toHaveLength(1)
  })
})

describe("events", () => {
  it("shows every message in both directions, also of types it does not know", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const frames = collect(client, "frame")
    await client.connect()
    hub.peers[0]?.send({ type: "from_the_future", more: true })
    await client.ping()
    expect(frames.map(({ direction, message }) => [direction, (message as { type: string }).type])).toEqual([
      ["in", "welcome"],
      ["out", "ping"],
      ["in", "from_the_future"],
      ["in", "pong"]
    ])
  })

  it("tells of gaps, members and byes until unsubscribed", async () => {
    const hub = await hubWith()
    const client = clientOf(hub.url)
    const gaps: Array<number> = []
    const stop = client.on("gap", ({ dropped }) => gaps.push(dropped))
    const members = collect(client, "member_joined")
    await client.connect()
    const peer = hub.peers[0]
    peer?.send({ type: "gap", dropped: 3 })
    peer?.send({ type: "member_joined", room: "a", member: { connection: "x", since: 1 } })
    await eventually(() => members.length === 1)
    stop()
    peer?.send({ type: "gap", dropped: 4 })
    await client.ping()
    expect(gaps).toEqual([3])
  })
})
