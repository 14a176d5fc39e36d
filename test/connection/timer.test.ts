import { Clock, Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { TimerWheel } from "../../src/actor/TimerWheel.ts"
import { resolve, SettingsFile } from "../../src/config/Settings.ts"
import type { Connection } from "../../src/connection/Connection.ts"
import type { ConnectionContext } from "../../src/connection/ConnectionContext.ts"
import { Connections } from "../../src/connection/Connections.ts"
import { Limits } from "../../src/limits/Limits.ts"
import { Counters } from "../../src/observe/Counters.ts"
import { Rooms } from "../../src/room/Rooms.ts"
import type { ClientSocket } from "../../src/transport/Transport.ts"
import { TurnEnd } from "../../src/transport/TurnEnd.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"

const interval = 30_000

/** A hub without sockets whose clock stands still until it is put on. */
const makeHub = () => {
  let now = 1_000_000
  const clock: Clock.Clock = { ...Effect.runSync(Clock.Clock), currentTimeMillisUnsafe: () => now }
  const settings = resolve(Schema.decodeSync(SettingsFile)({}), "node", false)
  const [json, msgpack, counters, turnEnd] = [jsonCodec(), msgpackCodec(), new Counters(), new TurnEnd()]
  const topics = new Map<string, Set<Array<string>>>()
  const publisher = {
    publish: (topic: string, frame: string | Uint8Array) => {
      for (const received of topics.get(topic) ?? []) received.push(`published ${typeOf(frame)}`)
    }
  }
  const typeOf = (frame: string | Uint8Array): string => String((json.decode(Buffer.from(frame)) as { readonly type: unknown }).type)
  const limits = new Limits(settings.limits)
  const fanout = { publisher, json, msgpack, turnEnd, counters, elapsed: () => performance.now() }
  const rooms = new Rooms({ ...fanout, clock, mailbox: 16, blocks: settings.room, fork: Effect.runFork })
  const timers = new TimerWheel<Connection>(10, now, (connection) => connections.onTimer(connection))
  const context: ConnectionContext = {
    ...{ settings, clock, counters, limits, rooms, timers, json, msgpack, node: "node", handlers: {}, time: { now }, fork: Effect.runFork },
    outgoing: { publisher, turnEnd, limit: 1_000_000 },
    refresh: () => Effect.never,
    get connections() {
      return connections
    }
  }
  const connections: Connections = new Connections(context, fanout, { fork: Effect.runFork, onDefect: () => undefined })

  const connect = () => {
    const received: Array<string> = []
    const send = (frame: string | Uint8Array): "sent" => {
      received.push(typeOf(frame))
      return "sent"
    }
    const topic = (name: string): Set<Array<string>> => {
      const subscribers = topics.get(name) ?? new Set()
      topics.set(name, subscribers)
      return subscribers
    }
    const socket: ClientSocket = {
      ...{ send, sendBytes: () => "sent", cork: () => true, publish: () => true, buffered: () => 0, end: () => {}, terminate: () => {} },
      subscribe: (name) => void topic(name).add(received),
      unsubscribe: (name) => void topic(name).delete(received)
    }
    const seat = { address: limits.acquireAddress("192.0.2.1", now), user: undefined }
    const accepted = { identity: {}, address: "192.0.2.1", encoding: "json", batch: false, session: undefined, seat } as const
    const connection = connections.open(socket, accepted)
    return { connection, received, take: () => received.splice(0) }
  }

  /** Lets time pass, in which all clients are heard of. */
  const pass = (milliseconds: number): void => {
    for (const end = now + milliseconds; now < end;) {
      now = Math.min(end, now + 100)
      for (const connection of connections.all()) connection.lastFrame = now
      timers.advance(now)
    }
  }
  /** Until the first two, which come sooner, are past. */
  const settle = (connection: Connection): void => {
    pass(interval)
    pass(connection.nextHeartbeat + 100 - now)
  }
  const publish = async (): Promise<void> => {
    rooms.get("r")?.offer({ type: "publish", data: 1, from: undefined, except: undefined, replyTo: undefined, id: undefined })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { connect, pass, settle, publish }
}

describe("a heartbeat", () => {
  it("leaves with what the room publishes shortly before its time, once", async () => {
    const { connect, pass, settle, publish } = makeHub()
    const { connection, take } = connect()
    connection.offer({ type: "join_room", room: "r" })
    settle(connection)
    take()
    const after = connection.nextHeartbeat - interval
    for (const n of [1, 2, 3]) {
      pass(connection.nextHeartbeat - 1_500 - connection.lastFrame)
      await publish()
      expect(take()).toEqual(["published message"])
      pass(1_000)
      await publish()
      expect(take()).toEqual(["published message", "published heartbeat"])
      pass(20_000)
      await publish()
      expect(take()).toEqual(["published message"])
      expect(connection.nextHeartbeat - after).toBeGreaterThan((n * interval * 29) / 30)
    }
  })

  it("leaves at its time where the room publishes nothing, or there is none", async () => {
    const { connect, pass, settle, publish } = makeHub()
    for (const room of ["r", undefined]) {
      const { connection, take } = connect()
      if (room !== undefined) connection.offer({ type: "join_room", room })
      settle(connection)
      take()
      pass(connection.nextHeartbeat - 100 - connection.lastFrame)
      expect(take()).toEqual([])
      pass(200)
      expect(take()).toEqual(["heartbeat"])
      await publish()
      expect(take()).toEqual(room === undefined ? [] : ["published message"])
    }
  })

  it("comes from the connection itself when it has left the room that it was to leave with", async () => {
    const { connect, pass, settle, publish } = makeHub()
    const [leaving, staying] = [connect(), connect()]
    for (const { connection } of [leaving, staying]) connection.offer({ type: "join_room", room: "r" })
    settle(leaving.connection)
    pass(leaving.connection.nextHeartbeat - 500 - leaving.connection.lastFrame)
    leaving.connection.offer({ type: "leave_room", room: "r" })
    leaving.take()
    await publish()
    expect(leaving.take()).toEqual([])
    pass(600)
    expect(leaving.take()).toEqual(["heartbeat"])
  })
})
