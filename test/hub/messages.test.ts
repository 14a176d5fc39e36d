import { describe, expect, it } from "vitest"
import { connect, start } from "./support.ts"

describe.each(["json", "msgpack"] as const)("a client that speaks %s", (encoding) => {
  it("is welcomed with what it needs to know", async () => {
    const { welcome } = await connect(await start(), { encoding })
    expect(welcome).toEqual({
      type: "welcome",
      connection: expect.stringMatching(/^[\w-]{16}$/),
      session: expect.stringMatching(/^[\w-]{24}$/),
      node: "node-1",
      resumed: false,
      rooms: [],
      heartbeat: { interval: 30_000, timeout: 60_000 },
      limits: { message: 524_288, room_name: 128, rooms: 128, batch: 64, depth: 64, rate: 0 }
    })
  })

  it("gets an answer with the id of its request to ping, echo, status and heartbeat", async () => {
    const client = await connect(await start(), { encoding })
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong", time: expect.any(Number) })
    const data = { text: "Grüße 🌍", n: [1, -2.5, null, true], deep: { a: { b: [] } } }
    expect(await client.request({ type: "echo", data })).toMatchObject({ type: "echo", data })
    expect(await client.request({ type: "status" })).toMatchObject({
      type: "status",
      connection: client.welcome["connection"],
      session: client.welcome["session"],
      node: "node-1",
      rooms: [],
      connected_at: expect.any(Number)
    })
    expect(await client.request({ type: "heartbeat" })).toMatchObject({ type: "ack" })
  })

  it("gets no answer to a heartbeat without an id, and answers without an id to requests without one", async () => {
    const client = await connect(await start(), { encoding })
    client.send({ type: "heartbeat" })
    client.send({ type: "ping" })
    client.send({ type: "echo", data: 1, id: "a string" })
    await client.next((message) => message["id"] === "a string")
    expect(client.messages).toEqual([{ type: "pong", time: expect.any(Number) }])
  })

  it("talks in a room: everyone in it gets the message, the sender too, and an ack", async () => {
    const server = await start()
    const [ada, bob, outsider] = await Promise.all([connect(server, { encoding }), connect(server), connect(server, { encoding })])
    expect(await ada.request({ type: "join_room", room: "chat" })).toMatchObject({
      type: "joined",
      room: "chat",
      epoch: "",
      seq: 0,
      members: 1
    })
    expect(await bob.request({ type: "join_room", room: "chat" })).toMatchObject({ type: "joined", members: 2 })
    expect(await ada.request({ type: "broadcast", room: "chat", data: { text: "hi" } })).toMatchObject({ type: "ack", room: "chat" })
    const expected = {
      type: "message",
      room: "chat",
      data: { text: "hi" },
      time: expect.any(Number),
      from: { connection: ada.welcome["connection"] }
    }
    expect(await bob.next("message")).toEqual(expected)
    expect(await ada.next("message")).toEqual(expected)
    expect(await outsider.settle()).toEqual([])
  })

  it("can leave itself out of its own broadcast", async () => {
    const server = await start()
    const [ada, bob] = await Promise.all([connect(server, { encoding }), connect(server, { encoding })])
    for (const client of [ada, bob]) await client.request({ type: "join_room", room: "chat" })
    await ada.request({ type: "broadcast", room: "chat", data: 1, exclude_self: true })
    await bob.next("message")
    expect(await ada.settle()).toEqual([])
  })

  it("reads who is in a room it is in", async () => {
    const server = await start()
    const [ada, bob] = await Promise.all([connect(server, { encoding }), connect(server)])
    for (const client of [ada, bob]) await client.request({ type: "join_room", room: "chat" })
    const reply = await ada.request({ type: "presence", room: "chat" })
    expect(reply).toMatchObject({
      type: "presence",
      room: "chat",
      members: [
        { connection: ada.welcome["connection"], since: expect.any(Number) },
        { connection: bob.welcome["connection"], since: expect.any(Number) }
      ]
    })
    expect((await bob.request({ type: "status" }))["rooms"]).toEqual(["chat"])
  })

  it("sends to one connection, and hears when there is none", async () => {
    const server = await start()
    const [ada, bob] = await Promise.all([connect(server, { encoding }), connect(server)])
    expect(await ada.request({ type: "send", to: { connection: bob.welcome["connection"] }, data: "psst" })).toMatchObject({
      type: "ack",
      delivered: 1
    })
    expect(await bob.next("direct")).toEqual({
      type: "direct",
      data: "psst",
      time: expect.any(Number),
      from: { connection: ada.welcome["connection"] }
    })
    expect(await ada.request({ type: "send", to: { connection: "nobody" }, data: 1 })).toMatchObject({
      type: "error",
      code: "not_found",
      retryable: false
    })
    expect(await ada.request({ type: "send", to: { user: "nobody" }, data: 1 })).toMatchObject({ type: "ack", delivered: 0 })
  })

  it("puts up to 64 messages in one frame, and gets each answered", async () => {
    const client = await connect(await start(), { encoding })
    client.send(Array.from({ length: 64 }, (_, id) => ({ type: "ping", id })))
    for (let id = 0; id < 64; id++) expect((await client.next("pong"))["id"]).toBe(id)
    client.send([])
    expect(await client.next("error")).toMatchObject({ code: "invalid_message" })
    client.send(Array.from({ length: 65 }, () => ({ type: "ping" })))
    expect(await client.next("error")).toMatchObject({ code: "invalid_message" })
    client.send([{ type: "ping", id: 1 }, [{ type: "ping", id: 2 }], { type: "ping", id: 3 }])
    expect([await client.next("pong"), await client.next("error"), await client.next("pong")]).toMatchObject([
      { id: 1 },
      { code: "invalid_message" },
      { id: 3 }
    ])
  })

  it("gets several messages in one frame when it asks for that, each room in order", async () => {
    const server = await start()
    const reader = await connect(server, { encoding, protocols: [`weft.v1.${encoding}`, "weft.batch"] })
    const writer = await connect(server)
    for (const client of [reader, writer]) await client.request({ type: "join_room", room: "chat" })
    const framesBefore = reader.frames
    writer.send(Array.from({ length: 60 }, (_, n) => ({ type: "broadcast", room: "chat", data: n })))
    for (let n = 0; n < 60; n++) expect((await reader.next("message"))["data"]).toBe(n)
    expect(reader.frames - framesBefore).toBeLessThan(10)
    reader.send(Array.from({ length: 60 }, (_, id) => ({ type: "echo", data: id, id: `e${id}` })))
    for (let id = 0; id < 60; id++) expect((await reader.next("echo"))["data"]).toBe(id)
    expect(reader.frames - framesBefore).toBeLessThan(20)
  })

  it("gets a batch of echoes back in order with what stands around it", async () => {
    const reader = await connect(await start(), { encoding, protocols: [`weft.v1.${encoding}`, "weft.batch"] })
    const echoes = (from: number, extra: object = {}) =>
      Array.from({ length: 3 }, (_, n) => ({ type: "echo", id: from + n, data: { n }, ...extra }))
    reader.send([{ type: "ping", id: 1 }])
    reader.send(echoes(10))
    reader.send([{ type: "ping", id: 2 }, ...echoes(20)])
    reader.send(echoes(30, { note: "mine" }))
    reader.send([...echoes(40), { type: "echo" }])
    const replies = []
    for (let n = 0; n < 15; n++) replies.push(await reader.next(() => true))
    expect(replies.map(({ type, id, note }) => (note === undefined ? [type, id] : "a field of the sender's own"))).toEqual([
      ["pong", 1],
      ["echo", 10],
      ["echo", 11],
      ["echo", 12],
      ["pong", 2],
      ["echo", 20],
      ["echo", 21],
      ["echo", 22],
      ["echo", 30],
      ["echo", 31],
      ["echo", 32],
      ["echo", 40],
      ["echo", 41],
      ["echo", 42],
      ["error", undefined]
    ])
  })

  it("spends its rate on every echo of a batch", async () => {
    const server = await start({ limits: { rate: 0.001, burst: 3_000 } })
    const reader = await connect(server, { encoding, protocols: [`weft.v1.${encoding}`, "weft.batch"] })
    reader.send(Array.from({ length: 5 }, (_, id) => ({ type: "echo", id, data: id })))
    const types = []
    for (let n = 0; n < 5; n++) types.push((await reader.next(() => true))["type"])
    expect(types).toEqual(["echo", "echo", "echo", "error", "error"])
  })

  it("is told of its mistakes and keeps its connection", async () => {
    const client = await connect(await start(), { encoding })
    const mistakes: ReadonlyArray<readonly [object, string]> = [
      [{ type: "nonsense" }, "unknown_type"],
      [{ type: "__proto__" }, "unknown_type"],
      [{ type: "constructor" }, "unknown_type"],
      [{ type: "join_room" }, "invalid_message"],
      [{ type: "join_room", room: "" }, "invalid_message"],
      [{ type: "join_room", room: "x".repeat(129) }, "invalid_message"],
      [{ type: "join_room", room: "a\u0000b" }, "invalid_message"],
      [{ type: "join_room", room: "@somebody" }, "forbidden"],
      [{ type: "leave_room", room: "elsewhere" }, "not_in_room"],
      [{ type: "broadcast", room: "elsewhere", data: 1 }, "not_in_room"],
      [{ type: "broadcast", data: 1 }, "forbidden"],
      [{ type: "presence", room: "elsewhere" }, "not_in_room"],
      [{ type: "history", room: "elsewhere" }, "not_in_room"],
      [{ type: "call", method: "nothing" }, "not_found"],
      [{ type: "auth", token: "x" }, "unavailable"]
    ]
    for (const [message, code] of mistakes) {
      const reply = await client.request({ ...message })
      expect([message, reply]).toMatchObject([
        message,
        { type: "error", code, message: expect.any(String), retryable: expect.any(Boolean) }
      ])
    }
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })
})

describe("what this version does not have", () => {
  it("is answered clearly: history and keys are unavailable, recovery was none", async () => {
    const client = await connect(await start(), { query: "?session=of-long-ago" })
    expect(client.welcome["resumed"]).toBe(false)
    expect(await client.request({ type: "join_room", room: "chat", recover: { epoch: "x", seq: 5 } })).toMatchObject({
      type: "joined",
      recovered: false
    })
    expect(await client.request({ type: "history", room: "chat" })).toMatchObject({ code: "unavailable" })
    expect(await client.request({ type: "broadcast", room: "chat", data: 1, key: "k" })).toMatchObject({ code: "unavailable" })
  })
})

describe("bytes in data", () => {
  it("reach MessagePack clients as bin and JSON clients as base64", async () => {
    const server = await start()
    const [sender, packed, text] = await Promise.all([
      connect(server, { encoding: "msgpack" }),
      connect(server, { encoding: "msgpack" }),
      connect(server)
    ])
    for (const client of [sender, packed, text]) await client.request({ type: "join_room", room: "r" })
    const bytes = new Uint8Array([0, 1, 254, 255])
    await sender.request({ type: "broadcast", room: "r", data: { bytes } })
    expect(await text.next("message")).toMatchObject({ data: { bytes: "AAH+/w==" } })
    const { data } = await packed.next("message")
    expect(Buffer.from((data as { bytes: Uint8Array }).bytes)).toEqual(Buffer.from(bytes))
  })
})

describe("an echo", () => {
  it("comes back as it was sent, without fields that are not of the protocol", async () => {
    const client = await connect(await start())
    const texts: Array<string> = []
    client.ws.on("message", (data: Buffer) => texts.push(data.toString()))
    client.ws.send('{ "id":1, "data":[1.50, 12345678901234567890, "\\u00e9"], "type":"echo" }')
    client.ws.send('{"type":"echo","data":1,"id":2,"extra":true}')
    await client.settle()
    expect(texts.slice(0, 2)).toEqual([
      '{ "id":1, "data":[1.50, 12345678901234567890, "\\u00e9"], "type":"echo" }',
      '{"type":"echo","id":2,"data":1}'
    ])
  })
})
