import { describe, expect, it } from "vitest"
import { Conversations, mostEntries } from "../../src/web/conversations.js"

const said = (own: boolean, text = "hello") =>
  ({ kind: "message", time: 0, own, sender: "Ada", user: undefined, connection: "c1", data: { text } }) as const

describe("Conversations", () => {
  it("opens the first by itself and the latest left when the open one is removed", () => {
    const conversations = new Conversations()
    const a = conversations.ensure({ kind: "room", name: "a" })
    const b = conversations.ensure({ kind: "room", name: "b" })
    expect(conversations.ensure({ kind: "room", name: "a" })).toBe(a)
    expect(conversations.open).toBe(a)
    conversations.remove(a.key)
    expect(conversations.open).toBe(b)
    conversations.remove(b.key)
    expect(conversations.open).toBeUndefined()
  })

  it("keeps a room, a user and a connection of one name apart, and lists only the rooms as such", () => {
    const conversations = new Conversations()
    for (const kind of ["room", "user", "connection"] as const) conversations.ensure({ kind, name: "x" })
    conversations.ensure({ kind: "everyone" })
    expect(conversations.all()).toHaveLength(4)
    expect(conversations.rooms()).toEqual(["x"])
  })

  it("counts as unread what others said and nobody saw, until it is shown", () => {
    const conversations = new Conversations()
    const room = conversations.ensure({ kind: "room", name: "a" })
    conversations.append(room, said(false), false)
    conversations.append(room, said(true), false)
    conversations.append(room, said(false), true)
    conversations.append(room, { kind: "note", time: 0, level: "info", text: "joined" }, false)
    expect(room.unread).toBe(1)
    conversations.show(room.key)
    expect(room.unread).toBe(0)
  })

  it("keeps the last entries only, with serials that go on", () => {
    const conversations = new Conversations()
    const room = conversations.ensure({ kind: "room", name: "a" })
    for (let i = 0; i < mostEntries + 10; i++) conversations.append(room, said(false, String(i)), true)
    expect(room.entries).toHaveLength(mostEntries)
    expect(room.entries[0]?.serial).toBe(10)
    expect(room.entries.at(-1)?.serial).toBe(mostEntries + 9)
  })

  it("remembers the last name of a connection, and a bounded number of them", () => {
    const conversations = new Conversations()
    conversations.learnName("c0", "Ada")
    conversations.learnName("c0", "Countess")
    expect(conversations.nameOf("c0")).toBe("Countess")
    for (let i = 1; i <= 2000; i++) conversations.learnName(`c${i}`, "x")
    expect(conversations.nameOf("c0")).toBeUndefined()
    expect(conversations.nameOf("c1")).toBe("x")
  })

  it("forgets on a lost connection who is where, not what was said", () => {
    const conversations = new Conversations()
    const room = conversations.ensure({ kind: "room", name: "a" })
    room.joined = true
    room.members = new Map()
    conversations.append(room, said(false), true)
    conversations.disconnected()
    conversations.disconnected()
    expect(room).toMatchObject({ joined: false, wasJoined: true, members: undefined })
    expect(room.entries).toHaveLength(1)
  })
})
