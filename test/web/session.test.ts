import { describe, expect, it } from "vitest"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { type FakeHub, type FakeHubOptions, startFakeHub } from "./fakeHub.ts"
import { linesOf, visit, type Visit } from "./visit.ts"

const hubOf = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const hub = await startFakeHub(options)
  atEnd(() => hub.close())
  return hub
}

const clientOf = (hub: FakeHub, at = 0) => eventually(() => hub.seen[at])

const stands = ({ session }: Visit, room: string, line: string) =>
  eventually(() => linesOf(session.conversations.get({ kind: "room", name: room })).includes(line), {
    message: () => `“${line}” not in ${JSON.stringify(linesOf(session.conversations.get({ kind: "room", name: room })))}`
  })

/** Refuses messages of one type with an `error`. */
const refusing = (refused: string, code: string) => ({
  answer: ((client, { type, id }) => {
    if (type !== refused) return false
    client.send({ type: "error", id, code, message: `no ${refused}`, retryable: false })
    return true
  }) satisfies FakeHubOptions["answer"]
})

describe("talk in rooms", () => {
  it("passes between the encodings, one's own told from others'", async () => {
    const hub = await hubOf()
    const ada = visit(hub, { encoding: "json", name: "Ada" })
    const grace = visit(hub, { encoding: "msgpack" })
    const room = await ada.joined("lobby")
    const same = await grace.joined("lobby")
    await ada.session.say(room, "hello")
    await stands(grace, "lobby", "Ada: hello")
    await grace.session.say(same, "hello back")
    await stands(ada, "lobby", "c2: hello back")
    expect(linesOf(room)).toEqual(["- You joined lobby.", "> hello", "c2: hello back"])
    expect(linesOf(same)).toEqual(["- You joined lobby.", "Ada: hello", "> hello back"])
  })

  it("counts as unread in rooms that are not shown, or while nobody looks", async () => {
    const hub = await hubOf()
    let visible = true
    const ada = visit(hub, { rooms: ["a", "b"], visible: () => visible })
    const grace = visit(hub, { rooms: ["a", "b"] })
    const [a, b] = [await ada.joined("a"), await ada.joined("b")]
    await grace.session.say(await grace.joined("b"), "in b")
    await grace.session.say(await grace.joined("a"), "in a")
    await stands(ada, "a", "c2: in a")
    expect([a.unread, b.unread]).toEqual([0, 1])
    visible = false
    await grace.session.say(await grace.joined("a"), "again")
    await stands(ada, "a", "c2: again")
    expect([a.unread, b.unread]).toEqual([1, 1])
    ada.session.show(b.key)
    expect([a.unread, b.unread]).toEqual([1, 0])
  })

  it("tells what was not sent, and why", async () => {
    const ada = visit(await hubOf(refusing("broadcast", "rate_limited")))
    const room = await ada.joined("lobby")
    expect(await ada.session.say(room, "hello")).toBe(false)
    await stands(ada, "lobby", "! Not sent: no broadcast (rate_limited).")
  })

  it("tells of messages that were skipped", async () => {
    const hub = await hubOf()
    const ada = visit(hub)
    const room = await ada.joined("lobby")
    const client = await clientOf(hub)
    client.send({ type: "gap", room: "lobby", dropped: 12 })
    client.send({ type: "gap", dropped: 1 })
    await stands(ada, "lobby", "! 1 message had to be skipped: this connection was too slow to take them.")
    expect(linesOf(room)).toContain("! 12 messages had to be skipped: this connection was too slow to take them.")
  })

  it("tells what room could not be joined, and joins when asked again", async () => {
    let full = true
    const hub = await hubOf({ answer: (client, message) => full && refusing("join_room", "limit_reached").answer(client, message) })
    const ada = visit(hub)
    await stands(ada, "lobby", "! Could not join lobby: no join_room (limit_reached).")
    expect(ada.session.conversations.open?.joined).toBe(false)
    full = false
    await ada.session.join("lobby")
    expect(linesOf(await ada.joined("lobby"))).toContain("- You joined lobby.")
  })

  it("leaves a room for the server too", async () => {
    const hub = await hubOf()
    const ada = visit(hub, { rooms: ["a", "b"] })
    await ada.joined("b")
    await ada.session.leave(await ada.joined("a"))
    expect(ada.session.conversations.rooms()).toEqual(["b"])
    expect([...(await clientOf(hub)).rooms.keys()]).toEqual(["b"])
  })
})

it("joins its rooms again after a lost connection and says what that means", async () => {
  const hub = await hubOf()
  const ada = visit(hub, { rooms: ["a", "b"] })
  await ada.joined("a")
  await ada.joined("b")
  ;(await clientOf(hub)).close(4500)
  await stands(ada, "a", "- Connected again. What was said in between is not shown here.")
  await stands(ada, "b", "- Connected again. What was said in between is not shown here.")
  expect([...((await clientOf(hub, 1)).rooms.keys() ?? [])].toSorted()).toEqual(["a", "b"])
})

describe("members", () => {
  it("are asked for at the join, and again when someone unknown speaks", async () => {
    const hub = await hubOf()
    const ada = visit(hub)
    const room = await ada.joined("lobby")
    const grace = visit(hub, { name: "Grace" })
    await grace.session.say(await grace.joined("lobby"), "hello")
    await eventually(() => room.members?.size === 2)
    expect([...(room.members?.values() ?? [])].map((member) => ada.session.nameOf(member))).toEqual(["c1", "Grace"])
  })

  it("come and go with the events of rooms that send them", async () => {
    const hub = await hubOf()
    const ada = visit(hub)
    const room = await ada.joined("lobby")
    const client = await clientOf(hub)
    const member = { connection: "c9", user: "grace", since: 1 }
    client.send({ type: "member_joined", room: "lobby", member })
    await stands(ada, "lobby", "- grace joined.")
    expect(room.members?.get("c9")).toEqual(member)
    client.send({ type: "member_left", room: "lobby", member })
    await stands(ada, "lobby", "- grace left.")
    expect(room.members?.has("c9")).toBe(false)
  })

  it("of a room that hides them are not shown, with the reason", async () => {
    const ada = visit(await hubOf(refusing("presence", "forbidden")))
    const { conversations } = ada.session
    await eventually(() => conversations.open?.membersError === "no presence (forbidden)")
    expect(conversations.open).toMatchObject({ joined: true, count: 1, members: undefined })
  })
})

describe("direct messages", () => {
  it("go to a connection, and the answer comes to the same conversation", async () => {
    const hub = await hubOf()
    const ada = visit(hub, { name: "Ada" })
    const grace = visit(hub, { name: "Grace" })
    await ada.joined("lobby")
    await grace.joined("lobby")
    ada.session.begin({ kind: "connection", name: "c2" })
    const { open } = ada.session.conversations
    if (open === undefined) throw new Error("nothing is open")
    await ada.session.say(open, "psst")
    const theirs = await eventually(() => grace.session.conversations.get({ kind: "connection", name: "c1" }))
    expect(linesOf(theirs)).toEqual(["Ada: psst"])
    expect(theirs.unread).toBe(1)
    await grace.session.say(theirs, "yes?")
    await eventually(() => linesOf(open).length === 2)
    expect(linesOf(open)).toEqual(["> psst", "Grace: yes?"])
    expect(ada.session.titleOf(open)).toBe("Grace")
  })

  it("that reach nobody say so", async () => {
    const ada = visit(await hubOf())
    await ada.joined("lobby")
    ada.session.begin({ kind: "connection", name: "gone" })
    const { open } = ada.session.conversations
    if (open === undefined) throw new Error("nothing is open")
    await ada.session.say(open, "psst")
    expect(linesOf(open)).toEqual(["> psst", "! Nobody is connected there now."])
  })

  it("of a user, of everyone and of the server have each a conversation of their own", async () => {
    const hub = await hubOf()
    const ada = visit(hub)
    await ada.joined("lobby")
    const client = await clientOf(hub)
    client.send({ type: "direct", data: { text: "as user" }, time: 1, from: { connection: "c9", user: "grace" } })
    client.send({ type: "message", data: { text: "to all" }, time: 1, from: { connection: "c9" } })
    client.send({ type: "direct", data: { answer: 42 }, time: 1 })
    const { conversations } = ada.session
    await eventually(() => conversations.get({ kind: "server" }))
    expect(linesOf(conversations.get({ kind: "user", name: "grace" }))).toEqual(["grace: as user"])
    expect(linesOf(conversations.get({ kind: "everyone" }))).toEqual(["c9: to all"])
    expect(linesOf(conversations.get({ kind: "server" }))).toEqual(['Server: {"answer":42}'])
  })
})

it("passes on errors that answer nothing", async () => {
  const hub = await hubOf()
  const { problems, until } = visit(hub)
  await until("open")
  ;(await clientOf(hub)).send({ type: "error", code: "rate_limited", message: "slow down", retryable: true })
  await eventually(() => problems.length > 0)
  expect(problems).toEqual(["slow down (rate_limited)"])
})

it("measures round trips", async () => {
  const { session } = visit(await hubOf())
  await eventually(() => session.latency.last !== undefined)
  expect(session.latency.last).toBeGreaterThan(0)
})
