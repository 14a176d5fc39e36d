import { Clock, Effect } from "effect"
import { Actor } from "../../src/actor/Actor.ts"
import { builtInRoom } from "../../src/config/Settings.ts"
import { Counters } from "../../src/observe/Counters.ts"
import { Room } from "../../src/room/Room.ts"
import type { RoomMember } from "../../src/room/RoomMessages.ts"
import type { ClientSocket } from "../../src/transport/Transport.ts"
import { TurnEnd } from "../../src/transport/TurnEnd.ts"
import type { Encoding } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"
import type { Part } from "./measure.ts"

class Counting extends Actor<number> {
  sum = 0
  protected receive(message: number): undefined {
    this.sum += message
  }
}

/** Its fiber waits in its mailbox. */
const idle = (): Counting => {
  const actor = new Counting(1024)
  Effect.runFork(actor.run())
  return actor
}

const counting = idle()

const socket: ClientSocket = {
  cork: () => true,
  send: () => "sent",
  sendBytes: () => "sent",
  subscribe: () => {},
  unsubscribe: () => {},
  publish: () => true,
  buffered: () => 0,
  end: () => {},
  terminate: () => {}
}

const member = (encoding: Encoding): RoomMember => ({
  sender: { connection: `c-${encoding}`, user: "ann" },
  info: undefined,
  socket,
  encoding,
  batch: false,
  offerReply: () => true
})

const data = { text: "x".repeat(64) }

/** A room whose members' sockets do nothing, so that what is timed is ours: mailbox, message, one encoding per kind of member. */
const roomOf = (...encodings: ReadonlyArray<Encoding>): Room => {
  const room = new Room("bench-1", builtInRoom, {
    publisher: { publish: () => {} },
    json: jsonCodec(),
    msgpack: msgpackCodec(),
    turnEnd: new TurnEnd(),
    clock: Effect.runSync(Clock.Clock),
    counters: new Counters(),
    elapsed: () => performance.now(),
    mailbox: 1024,
    onEmpty: () => {}
  })
  Effect.runFork(room.run())
  for (const encoding of encodings) room.offer({ type: "join", member: member(encoding), id: undefined, recover: undefined })
  return room
}

const publish = (name: string, room: Room): Part => {
  const replyTo = member("json")
  return { name, run: () => room.offer({ type: "publish", data, from: replyTo.sender, except: undefined, replyTo, id: 1 }) }
}

export const actors: ReadonlyArray<Part> = [
  { name: "mailbox: offer to an idle actor, received", run: () => counting.offer(1) },
  publish("room: publish, JSON members", roomOf("json")),
  publish("room: publish, MessagePack members", roomOf("msgpack")),
  publish("room: publish, both", roomOf("json", "msgpack"))
]
