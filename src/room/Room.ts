import type { Clock, Effect } from "effect"
import { Actor } from "../actor/Actor.ts"
import type { RoomBlock } from "../config/Settings.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { errorReply, withId } from "../wire/replies.ts"
import { Fanout, type FanoutContext } from "./Fanout.ts"
import type { Denial } from "./Permissions.ts"
import {
  type AwaitPublish,
  type Join,
  type Leave,
  type Publish,
  publishedEvent,
  type ReadPresence,
  type RoomMember,
  type RoomMessage
} from "./RoomMessages.ts"
import { decideJoin, memberView, presenceView, type RoomState } from "./RoomState.ts"
import { roomTopics } from "./Topics.ts"

export interface RoomContext extends FanoutContext {
  readonly clock: Clock.Clock
  /** How many messages may wait for one room. */
  readonly mailbox: number
  /** The last member has left. */
  readonly onEmpty: (room: Room) => void
}

/** A room without history has no numbering of its own. */
const unnumbered = { epoch: "", seq: 0 } as const

const failed: Denial = { code: "internal", message: "the room failed" }

/** The actor of one room. It lives while it has members. */
export class Room extends Actor<RoomMessage> {
  readonly state: RoomState
  private readonly context: RoomContext
  private readonly fanout: Fanout

  constructor(name: string, block: RoomBlock, context: RoomContext) {
    super(context.mailbox)
    this.state = { name, block, members: new Map() }
    this.context = context
    this.fanout = new Fanout(context, roomTopics(name))
  }

  protected receive(message: RoomMessage): Effect.Effect<void> | undefined {
    try {
      this.handle(message)
    } catch (defect) {
      // The life ends with it, but whoever asked is told.
      this.refuse(message, failed)
      throw defect
    }
    if (this.state.members.size === 0) this.context.onEmpty(this)
    return undefined
  }

  private handle(message: RoomMessage): undefined {
    switch (message.type) {
      case "publish":
        this.publish(message)
        return
      case "join":
        this.join(message)
        return
      case "leave":
        this.leave(message)
        return
      case "presence":
        this.presence(message)
        return
      case "await_publish":
        this.awaitPublish(message)
    }
  }

  private join(joining: Join): void {
    const { member, id, recover } = joining
    const { name, members } = this.state
    const decided = decideJoin(this.state, member)
    if (decided.decision === "refuse") {
      this.refuse(joining, decided.denial)
      return
    }
    const now = this.context.clock.currentTimeMillisUnsafe()
    if (decided.decision === "join") {
      members.set(member, now)
      // The newcomer hears of itself by `joined`, not by the event.
      if (this.state.block.join_leave) this.fanout.notify({ type: "member_joined", room: name, member: memberView(member, now) })
    }
    const recovered = recover === undefined ? {} : { recovered: false }
    const reply: ServerMessage = { type: "joined", ...withId(id), room: name, ...unnumbered, members: members.size, ...recovered }
    member.offerReply({ type: "@join_reply", name, room: this, reply })
    if (decided.decision === "join") this.fanout.add(member)
  }

  private leave({ member, id, quiet }: Leave): void {
    const { name, members, block } = this.state
    const since = members.get(member)
    if (since !== undefined) {
      members.delete(member)
      this.fanout.remove(member)
      if (block.join_leave) this.fanout.notify({ type: "member_left", room: name, member: memberView(member, since) })
    }
    if (!quiet) member.offerReply({ type: "@reply", reply: { type: "left", ...withId(id), room: name } })
  }

  private publish({ data, from, except, replyTo, id }: Publish): void {
    const room = this.state.name
    const time = this.context.clock.currentTimeMillisUnsafe()
    const message: ServerMessage = from === undefined ? { type: "message", room, data, time } : { type: "message", room, data, time, from }
    if (replyTo === undefined) return void this.fanout.broadcast({ message, except })
    const publisher = this.state.members.has(replyTo) ? replyTo : undefined
    const own = this.fanout.broadcast({ message, except, publisher })
    const reply: ServerMessage = id === undefined ? { type: "ack", room } : { type: "ack", id, room }
    replyTo.offerReply(own === undefined ? { type: "@reply", reply } : { type: "@publish_reply", room, own, reply })
  }

  private presence({ respond }: ReadPresence): void {
    respond(presenceView(this.state))
  }

  private awaitPublish({ member }: AwaitPublish): void {
    if (this.state.members.has(member)) this.fanout.awaitPublish(member, () => void member.offerReply(publishedEvent))
  }

  /** Answers a message that is not carried out. */
  private refuse(message: RoomMessage, denial: Denial): void {
    const { name } = this.state
    if (message.type === "await_publish") return
    if (message.type === "presence") return message.respond(denial)
    const reply = errorReply(message.id, denial.code, denial.message)
    if (message.type === "join") {
      this.state.members.delete(message.member)
      message.member.offerReply({ type: "@join_reply", name, room: undefined, reply })
    }
    if (message.type === "publish") message.replyTo?.offerReply({ type: "@reply", reply })
    if (message.type === "leave" && !message.quiet) message.member.offerReply({ type: "@reply", reply })
  }

  /** For a room that is given up: every member is told that it is not in the room any more, and who waits for an answer gets one. */
  evictAll(): void {
    for (const message of this.stop()) this.refuse(message, failed)
    const members: ReadonlyArray<RoomMember> = Array.from(this.state.members.keys())
    this.state.members.clear()
    for (const member of members) {
      this.fanout.remove(member)
      member.offerReply({ type: "@evicted", name: this.state.name })
    }
    this.context.onEmpty(this)
  }
}
