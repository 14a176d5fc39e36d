import { describe, expect, it } from "vitest"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { closeCodes } from "../../src/wire/Codes.ts"
import { type FakeHub, type FakeHubOptions, startFakeHub } from "./fakeHub.ts"
import { visit } from "./visit.ts"

const hubOf = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const hub = await startFakeHub(options)
  atEnd(() => hub.close())
  return hub
}

const clientOf = (hub: FakeHub, at = 0) => eventually(() => hub.seen[at])

describe("connecting", () => {
  it.each(["json", "msgpack"] as const)("asks for %s and talks in it", async (encoding) => {
    const hub = await hubOf()
    const { joined, frames } = visit(hub, { encoding })
    await joined("lobby")
    expect((await clientOf(hub)).subprotocols).toEqual([`weft.v1.${encoding}`])
    expect(frames.every(({ bytes }) => (bytes !== undefined) === (encoding === "msgpack"))).toBe(true)
  })

  it("hands the token over as a subprotocol", async () => {
    const hub = await hubOf()
    await visit(hub, { token: "aaa.bbb-_.ccc" }).until("open")
    expect((await clientOf(hub)).subprotocols).toEqual(["weft.v1.json", "weft.token.aaa.bbb-_.ccc"])
  })

  it("puts a token into the query that no subprotocol may be called", async () => {
    const hub = await hubOf()
    await visit(hub, { token: "a b=c" }).until("open")
    expect((await clientOf(hub)).subprotocols).toEqual(["weft.v1.json"])
    expect(new URL((await clientOf(hub)).url, "ws://x").searchParams.get("token")).toBe("a b=c")
  })

  it("counts and shows every frame both ways, its own traffic marked", async () => {
    const hub = await hubOf()
    const { joined, frames } = visit(hub)
    await joined("lobby")
    await eventually(() => frames.some(({ value }) => (value as { type: string }).type === "pong"))
    const seen = frames.map(
      ({ direction, background, value }) => `${direction} ${(value as { type: string }).type}${background ? " *" : ""}`
    )
    expect(seen).toEqual(expect.arrayContaining(["in welcome", "out join_room", "in joined", "out ping *", "in pong *", "in presence"]))
    for (const { size, value } of frames) expect(size).toBe(JSON.stringify(value).length)
  })
})

describe("when the connection ends", () => {
  it.each(Object.entries(closeCodes).map(([code, { reconnect }]) => [Number(code), reconnect] as const))(
    "with %i, connecting again: %s",
    async (code, reconnect) => {
      const hub = await hubOf()
      const { until, states } = visit(hub)
      await until("open")
      ;(await clientOf(hub)).close(code)
      const next = await eventually(() => states.find(({ phase }) => phase === "waiting" || phase === "stopped"))
      expect(next.phase).toBe(reconnect ? "waiting" : "stopped")
    }
  )

  it("does what `bye` says, whatever the code, and waits as long as it asks", async () => {
    const hub = await hubOf()
    const { until, session } = visit(hub)
    await until("open")
    const asked = Date.now() + 60_000
    const client = await clientOf(hub)
    client.send({ type: "bye", code: 1001, reason: "drain", reconnect: true, after: 60_000 })
    client.close(1001)
    await until("waiting")
    expect(session.state.phase === "waiting" && session.state.until).toBeGreaterThanOrEqual(asked)
    session.connect()
    await until("open")
    const again = await clientOf(hub, 1)
    again.send({ type: "bye", code: 1001, reason: "for good", reconnect: false })
    again.close(1001)
    await until("stopped")
    expect(session.state.phase === "stopped" && session.state.reason).toContain("for good")
  })

  it("comes back when the server does", async () => {
    const first = await hubOf()
    const { until, session } = visit(first, { there: "away" })
    await until("open")
    await first.close()
    await eventually(() => session.state.phase === "waiting" && session.state.reason.includes("can not be reached"))
    const second = await hubOf({ port: first.port })
    await until("open")
    expect(second.seen).toHaveLength(1)
  })

  it("gives a server up that keeps the connection but says nothing for the heartbeat's timeout", async () => {
    const hub = await hubOf({ heartbeat: { interval: 10, timeout: 20 }, answer: () => true })
    const { states, until } = visit(hub)
    await until("open")
    const waiting = await eventually(() => states.find(({ phase }) => phase === "waiting"))
    expect(waiting).toMatchObject({ reason: "The server did not answer in time" })
  })

  it("fails what was asked and not answered", async () => {
    const hub = await hubOf({ answer: (client, { type }) => (type === "broadcast" ? (client.close(1001), true) : false) })
    const { joined, session } = visit(hub)
    const room = await joined("lobby")
    expect(await session.say(room, "are you there?")).toBe(true)
    expect(room.entries.at(-1)).toMatchObject({ level: "warning", text: expect.stringContaining("are you there?") })
  })
})

describe("a refused connection", () => {
  it("is not tried again before it was ever let in", async () => {
    const hub = await hubOf({ refuse: () => 401 })
    const { until, session } = visit(hub)
    await until("connecting")
    await until("stopped")
    expect(session.state.phase === "stopped" && session.state.reason).toContain("token")
  })

  it.each(["busy", "away"] as const)("is tried again when the server is %s", async (there) => {
    let refusals = 2
    const hub = await hubOf({ refuse: () => (refusals-- > 0 ? 503 : undefined) })
    await visit(hub, { there }).until("open")
    expect(refusals).toBe(-1)
  })

  it("is tried again after it was let in once", async () => {
    let refusing = false
    const hub = await hubOf({ refuse: () => (refusing ? 503 : undefined) })
    const { until, states } = visit(hub)
    await until("open")
    refusing = true
    ;(await clientOf(hub)).close(1001)
    const refused = await eventually(() => states.filter(({ phase }) => phase === "waiting")[1])
    expect(refused).toMatchObject({ reason: expect.stringContaining("refused") })
    refusing = false
    await until("open")
  })
})

it("answers a heartbeat", async () => {
  const hub = await hubOf()
  await visit(hub).until("open")
  const client = await clientOf(hub)
  client.send({ type: "heartbeat", time: 1 })
  expect(await eventually(() => client.received.find(({ type }) => type === "heartbeat"))).toEqual({ type: "heartbeat" })
})

it("stops at a frame that can not be decoded", async () => {
  const hub = await hubOf()
  const { until, session } = visit(hub)
  await until("open")
  ;(await clientOf(hub)).sendFrame("{")
  await until("stopped")
  expect(session.state.phase === "stopped" && session.state.reason).toContain("decoded")
})
