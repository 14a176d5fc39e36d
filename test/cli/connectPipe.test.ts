import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Outstanding } from "../../src/cli/connect/Outstanding.ts"
import { type FakeHub, type FakeHubOptions, startFakeHub } from "../client/fakeHub.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { connectOptions, start } from "./connectRun.ts"
import { fakePipes } from "./connectTerminal.ts"

const hubWith = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const hub = await startFakeHub(options)
  atEnd(hub.stop)
  return hub
}

const types = (frames: ReadonlyArray<Record<string, unknown>>): ReadonlyArray<unknown> => frames.map(({ type }) => type)

describe("weft connect through pipes", () => {
  it.each(["json", "msgpack"] as const)("says lines of text, sends lines of JSON, and prints what comes as JSON (%s)", async (encoding) => {
    const hub = await hubWith()
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url, { rooms: ["lobby"], name: "ada", encoding }), pipes.io)
    pipes.feed('hello\n\n{"type":"echo","data":{"n":1},"id":"mine"}\n{"no":"type"}\nlast without a line end')
    pipes.end()
    expect(await ended).toBe("ok")
    expect(types(pipes.frames())).toEqual(["welcome", "joined", "message", "ack", "echo", "message", "ack", "message", "ack"])
    expect(pipes.frames().flatMap(({ type, data }) => (type === "message" ? [data] : []))).toEqual([
      { text: "hello", name: "ada" },
      { text: '{"no":"type"}', name: "ada" },
      { text: "last without a line end", name: "ada" }
    ])
    expect(pipes.frames().find(({ type }) => type === "echo")).toEqual({ type: "echo", data: { n: 1 }, id: "mine" })
    expect(pipes.errors()).toBe(`connected to ${hub.url}: connection c1, node fake, ${encoding}\njoined lobby: 1 member\n`)
  })

  it("says text in the room that a line before has joined", async () => {
    const hub = await hubWith()
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url, { rooms: ["a"] }), pipes.io)
    pipes.feed('in a\n{"type":"join_room","room":"b"}\nin b\n')
    pipes.end()
    expect(await ended).toBe("ok")
    const said = pipes.frames().flatMap(({ type, room, data }) => (type === "message" ? [[room, data]] : []))
    expect(said).toEqual([
      ["a", { text: "in a" }],
      ["b", { text: "in b" }]
    ])
  })

  it("sends ten thousand lines, in order, and never runs more than 256 ahead of the replies", async () => {
    const due: Array<unknown> = []
    let ahead = 0
    const hub = await hubWith({
      answer: ({ type, data }) => {
        if (type !== "echo") return undefined
        ahead = Math.max(ahead, due.push(data))
        return null
      }
    })
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url), pipes.io)
    for (let i = 1; i <= 10_000; i++) pipes.feed(`{"type":"echo","data":${i}}\n`)
    pipes.end()
    let answered = 0
    while (answered < 10_000) {
      await eventually(() => due.length === Math.min(256, 10_000 - answered))
      for (const data of due.splice(0)) {
        answered++
        hub.peers[0]?.send({ type: "echo", data })
      }
    }
    expect(await ended).toBe("ok")
    expect(ahead).toBe(256)
    const echoed = pipes.frames().flatMap(({ type, data }) => (type === "echo" ? [data] : []))
    expect(echoed).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
  })

  it("hides heartbeats unless every message is asked for", async () => {
    const hub = await hubWith()
    for (const raw of [false, true]) {
      const pipes = fakePipes()
      const { ended } = start(connectOptions(hub.url, { raw }), pipes.io)
      await eventually(() => types(pipes.frames()).includes("welcome"))
      hub.peers[0]?.send({ type: "heartbeat", time: 1 })
      pipes.feed('{"type":"ping"}\n')
      pipes.end()
      expect(await ended).toBe("ok")
      expect(types(pipes.frames())).toEqual(raw ? ["welcome", "heartbeat", "pong"] : ["welcome", "pong"])
      await eventually(() => hub.peers.length === 0)
    }
  })

  it("waits for outstanding replies as long as it is told to, and ends in order", async () => {
    const hub = await hubWith({ answer: ({ type }) => (type === "echo" ? null : undefined) })
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url, { linger: 20 }), pipes.io)
    pipes.feed('{"type":"echo","data":1}\n{"type":"heartbeat"}\n{"type":"ping"}\n')
    await eventually(() => types(pipes.frames()).includes("pong"))
    pipes.end()
    expect(await ended).toBe("ok")
    expect(pipes.errors()).toContain("1 replies did not come within 0.02 s\n")
  })

  it("ends with a failure when text was not taken", async () => {
    const refusal = { type: "error", code: "forbidden", message: "read only", retryable: false }
    const hub = await hubWith({ answer: ({ type }) => (type === "broadcast" ? refusal : undefined) })
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url, { rooms: ["a"] }), pipes.io)
    pipes.feed("hello\n")
    pipes.end()
    expect(await ended).toBe("weft: not everything was sent and accepted")
    expect(pipes.errors()).toContain("error forbidden: read only\n")
    expect(pipes.frames().at(-1)).toMatchObject({ type: "error", code: "forbidden" })
  })

  it("ends with a failure for text without a room and for a room that can not be joined", async () => {
    const refusal = { type: "error", code: "forbidden", message: "staff only", retryable: false }
    const hub = await hubWith({ answer: ({ type }) => (type === "join_room" ? refusal : undefined) })
    const [first, second] = [fakePipes(), fakePipes()]
    const roomless = start(connectOptions(hub.url), first.io)
    first.feed("hello\n")
    expect(await roomless.ended).toBe("weft: text needs a room: name one with --room")
    expect(await start(connectOptions(hub.url, { rooms: ["staff"] }), second.io).ended).toBe(
      "weft: can not join staff: forbidden: staff only"
    )
  })

  it("goes on after a lost link, and does not hide what was lost", async () => {
    const hub = await hubWith({ answer: ({ type, data }) => (type === "echo" && data === "lost" ? null : undefined) })
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url, { rooms: ["a"] }), pipes.io)
    pipes.feed('{"type":"echo","data":"lost"}\n')
    await eventually(() => hub.peers[0]?.received.some(({ type }) => type === "echo"))
    hub.cut()
    await eventually(() => pipes.errors().includes("1 replies are lost with the connection\n"))
    pipes.feed('{"type":"ping"}\n')
    await eventually(() => types(pipes.frames()).includes("pong"))
    await eventually(() => pipes.errors().includes("joined a again: 1 member\n"))
    pipes.feed("still here\n")
    await eventually(() => types(pipes.frames()).includes("message"))
    pipes.end()
    expect(await ended).toBe("weft: not everything was sent and accepted")
  })

  it("ends quietly when nobody reads its output any more", async () => {
    const hub = await hubWith()
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url), pipes.io)
    await eventually(() => types(pipes.frames()).includes("welcome"))
    pipes.stdout.destroy(new Error("EPIPE"))
    expect(await ended).toBe("ok")
    await eventually(() => hub.peers.length === 0)
  })
})

describe("a connection that does not come about", () => {
  it.each([
    [{ status: 401, code: "unauthorized", message: "the token has expired" }, "HTTP 401 unauthorized: the token has expired"],
    [{ status: 503, code: "unavailable", message: "draining", retryAfter: 7 }, "HTTP 503 unavailable: draining (retry after 7 s)"],
    [{ status: 429, code: "limit_reached", message: "too many" }, "HTTP 429 limit_reached: too many"],
    [{ status: 403, code: "evil\u001b[2J", message: "a\nb" }, "HTTP 403 evil\\x1b[2J: a\\nb"]
  ])("is told with status and body: %j", async (refusal, text) => {
    const hub = await hubWith({ refuse: () => refusal })
    const pipes = fakePipes()
    expect(await start(connectOptions(hub.url), pipes.io).ended).toBe(`weft: can not connect to ${hub.url}: ${text}`)
  })

  it("is told when nothing listens, without the query, which may hold a token", async () => {
    const hub = await hubWith()
    await hub.stop()
    const pipes = fakePipes()
    expect(await start(connectOptions(`${hub.url}?token=secret`), pipes.io).ended).toBe(
      `weft: can not connect to ${hub.url}: connection refused: nothing listens there`
    )
  })

  it("is told when it is closed before the welcome", async () => {
    const hub = await hubWith({ mute: true })
    const pipes = fakePipes()
    const { ended } = start(connectOptions(hub.url), pipes.io)
    const peer = await eventually(() => hub.peers[0])
    peer.socket.close(4429, "too many")
    expect(await ended).toBe(`weft: can not connect to ${hub.url}: too many (4429)`)
  })
})

describe("Outstanding", () => {
  it("counts every request down with its reply, with and without ids", () => {
    const id = fc.option(fc.oneof(fc.integer(), fc.string({ maxLength: 16 })), { nil: undefined })
    fc.assert(
      fc.property(fc.array(id), (ids) => {
        const outstanding = new Outstanding()
        for (const each of ids) outstanding.sent({ type: "ping", ...(each === undefined ? {} : { id: each }) })
        expect(outstanding.count).toBe(ids.length)
        for (const each of ids.toReversed()) outstanding.received({ type: "pong", ...(each === undefined ? {} : { id: each }) })
        expect(outstanding.count).toBe(0)
      })
    )
  })

  it("takes what the server sends by itself for no reply", () => {
    const outstanding = new Outstanding()
    outstanding.sent({ type: "ping" })
    for (const type of ["message", "direct", "heartbeat", "gap", "welcome", "bye", "member_joined"]) outstanding.received({ type })
    expect(outstanding.count).toBe(1)
  })

  it("lets those who wait go on when enough came, and when all is lost", async () => {
    const outstanding = new Outstanding()
    for (const id of [1, 2, 3]) outstanding.sent({ type: "ping", id })
    const order: Array<string> = []
    const waits = [outstanding.atMost(2, 1e9).then(() => order.push("two")), outstanding.atMost(0, 1e9).then(() => order.push("none"))]
    outstanding.received({ type: "pong", id: 2 })
    await waits[0]
    expect(order).toEqual(["two"])
    expect(outstanding.lost()).toBe(2)
    await Promise.all(waits)
    expect(order).toEqual(["two", "none"])
  })
})
