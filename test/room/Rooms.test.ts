import { Clock, Effect } from "effect"
import { describe, expect, it } from "vitest"
import { defaultPolicy } from "../../src/actor/RestartState.ts"
import { Counters } from "../../src/observe/Counters.ts"
import type { RoomMember, RoomReply } from "../../src/room/RoomMessages.ts"
import { Rooms } from "../../src/room/Rooms.ts"
import type { ClientSocket } from "../../src/transport/Transport.ts"
import { TurnEnd } from "../../src/transport/TurnEnd.ts"
import type { Codec } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import type { ServerMessage } from "../../src/wire/Messages.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"
import { eventually } from "../support/eventually.ts"

/** Encoding fails as often as it is told to. */
class BrokenCodec implements Codec<string> {
  failures = 0
  readonly encoding = "json"
  readonly binary = false
  readonly decode = jsonCodec().decode
  readonly encodeShared = (value: unknown): string => this.encode(value)
  encode(value: unknown): string {
    if (this.failures > 0) {
      this.failures--
      throw new Error("encoding failed")
    }
    return JSON.stringify(value)
  }
}

const socket: ClientSocket = {
  cork: () => true,
  send: () => "sent",
  sendBytes: () => "sent",
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  publish: () => true,
  buffered: () => 0,
  end: () => undefined,
  terminate: () => undefined
}

class Member implements RoomMember {
  readonly sender: { readonly connection: string }
  readonly info = undefined
  readonly socket = socket
  readonly encoding = "json"
  readonly batch = false
  readonly replies: Array<RoomReply> = []
  /** What the client is told in answer to its requests. */
  get answers(): ReadonlyArray<ServerMessage> {
    return this.replies.flatMap((message) => ("reply" in message ? [message.reply] : []))
  }
  constructor(connection: string) {
    this.sender = { connection }
  }
  offerReply(message: RoomReply): boolean {
    this.replies.push(message)
    return true
  }
}

const makeRooms = () => {
  const codec = new BrokenCodec()
  const counters = new Counters()
  const rooms = new Rooms({
    publisher: { publish: () => undefined },
    json: codec,
    msgpack: msgpackCodec(),
    turnEnd: new TurnEnd(),
    clock: Effect.runSync(Clock.Clock),
    elapsed: () => 0,
    counters,
    mailbox: 4,
    blocks: [],
    fork: Effect.runFork
  })
  return { codec, counters, rooms }
}

const publish = (data: unknown, from: RoomMember) =>
  ({ type: "publish", data, from: from.sender, except: undefined, replyTo: from, id: 1 }) as const

describe("a room", () => {
  it("starts with its first member and ends with its last", () => {
    const { rooms } = makeRooms()
    const [ada, bob] = [new Member("ada"), new Member("bob")]
    for (const member of [ada, bob]) rooms.open("r").offer({ type: "join", member, recover: undefined, id: 1 })
    expect(rooms.size).toBe(1)
    const room = rooms.get("r")
    for (const member of [ada, bob]) room?.offer({ type: "leave", member, quiet: false, id: 2 })
    expect(rooms.size).toBe(0)
    expect(room?.offer(publish(1, ada))).toBe(false)
    expect(rooms.open("r")).not.toBe(room)
  })

  it("tells a member that asked of the next publish, and nobody else", async () => {
    const { rooms } = makeRooms()
    const [ada, bob] = [new Member("ada"), new Member("bob")]
    const room = rooms.open("r")
    room.offer({ type: "join", member: ada, recover: undefined, id: 1 })
    for (const member of [ada, bob]) room.offer({ type: "await_publish", member })
    const told = ({ replies }: Member): number => replies.filter(({ type }) => type === "@published").length
    expect(told(ada)).toBe(0)
    room.offer(publish(1, ada))
    await eventually(() => told(ada) === 1)
    room.offer(publish(2, ada))
    await eventually(() => ada.answers.length === 3)
    await new Promise((resolve) => setImmediate(resolve))
    expect([told(ada), told(bob)]).toEqual([1, 0])
  })

  it("that dies is started again with its members, and takes what came meanwhile", async () => {
    const { rooms, codec, counters } = makeRooms()
    const ada = new Member("ada")
    const room = rooms.open("r")
    room.offer({ type: "join", member: ada, recover: undefined, id: 1 })
    codec.failures = 1
    room.offer(publish("lost with the life that it ended", ada))
    expect(room.offer(publish("kept", ada))).toBe(true)
    expect(ada.answers.at(-1)).toMatchObject({ type: "error", code: "internal", id: 1 })
    await eventually(() => ada.answers.at(-1)?.type === "ack")
    expect(rooms.get("r")).toBe(room)
    expect(room.state.members.has(ada)).toBe(true)
    expect(counters.restarts.get("room")).toBe(1)
    expect(ada.replies.at(-1)).toMatchObject({ own: expect.stringContaining("kept") as unknown, reply: { type: "ack", id: 1 } })
  })

  it("that dies again and again is given up, and its members are told", async () => {
    const { rooms, codec, counters } = makeRooms()
    const ada = new Member("ada")
    const room = rooms.open("r")
    room.offer({ type: "join", member: ada, recover: undefined, id: 1 })
    codec.failures = 1000
    await eventually(() => {
      room.offer(publish("fails", ada))
      return ada.replies.at(-1)?.type === "@evicted"
    })
    expect(counters.restarts.get("room")).toBe(defaultPolicy.intensity)
    expect(rooms.size).toBe(0)
    codec.failures = 0
    rooms.open("r").offer({ type: "join", member: ada, recover: undefined, id: 2 })
    expect(ada.replies.at(-1)).toMatchObject({ type: "@join_reply", reply: { type: "joined", members: 1 } })
  })

  it("that can not keep up refuses what is beyond its mailbox", () => {
    const { rooms, codec } = makeRooms()
    const ada = new Member("ada")
    const room = rooms.open("r")
    room.offer({ type: "join", member: ada, recover: undefined, id: 1 })
    codec.failures = 1
    room.offer(publish("fails, and the room pauses", ada))
    expect([1, 2, 3, 4, 5].map((n) => room.offer(publish(n, ada)))).toEqual([true, true, true, true, false])
  })
})
