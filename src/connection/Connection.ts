import type { Fiber } from "effect"
import { Actor } from "../actor/Actor.ts"
import type { Timed } from "../actor/TimerWheel.ts"
import type { Identity } from "../auth/Auth.ts"
import { makeBucket, makeRate, take, type TokenBucket } from "../limits/TokenBucket.ts"
import { compileGrants, type Grants } from "../room/Permissions.ts"
import type { Room } from "../room/Room.ts"
import type { Evicted, JoinReply, PublishReply, RoomMember } from "../room/RoomMessages.ts"
import { userRoom } from "../room/RoomNames.ts"
import type { Accepted, ClientSocket, Seat } from "../transport/Transport.ts"
import type { Encoding } from "../wire/Codec.ts"
import { type ErrorCode, shouldReconnect } from "../wire/Codes.ts"
import type { RequestId, Sender, ServerMessage } from "../wire/Messages.ts"
import { errorReply } from "../wire/replies.ts"
import type { ConnectionMessage, DirectDelivery, Disconnect, Malformed, Oversized, Settled } from "./ConnectionMessages.ts"
import { type ConnectionContext, limitsView } from "./ConnectionContext.ts"
import { firstHeartbeat, floodClose, type Offence } from "./ConnectionState.ts"
import { Outgoing } from "./Outgoing.ts"
import { handleRequest } from "./requests.ts"
import { handlePublished, handleTimer, heartbeatOptions, scheduleTimer } from "./timer.ts"

/** How many malformed or excess messages a client may send: ten a second, and a hundred at once. */
const mistakeRate = makeRate(10, 10)

/** How long a client that is behind gets to read its close frame, in milliseconds. */
const closePatience = 5_000

/** How many messages a client may still send to a connection that is being closed. */
const closingBudget = 1_000

const tooSlow: Disconnect = { type: "@disconnect", code: 4413, reason: "too slow" }

/** The actor of one client's connection. Its state is its own; the rest of the server knows it by `sender` and by messages. */
export class Connection extends Actor<ConnectionMessage> implements RoomMember, Timed {
  readonly context: ConnectionContext
  readonly socket: ClientSocket
  readonly encoding: Encoding
  readonly batch: boolean
  readonly address: string
  readonly session: string
  readonly sender: Sender
  readonly connectedAt: number
  /** Rooms that it is in or about to be in; undefined: the room has not answered yet. */
  readonly rooms = new Map<string, Room | undefined>()
  identity: Identity
  grants: Grants
  pendingCalls = 0
  calls: Set<Fiber.Fiber<void>> | undefined = undefined
  /** The last frame from the client. Written by the edge: a clock, not a message. */
  lastFrame: number
  readonly outgoing: Outgoing
  /** The bytes of the message that is being offered, as long as they are valid. Absent for one that had to wait or came with others. */
  frame: ArrayBuffer | undefined = undefined
  due = 0
  timerNext: Timed | undefined = undefined
  timerPrevious: Timed | undefined = undefined
  private readonly seat: Seat
  /** Absent where no rate is limited. */
  readonly rate: TokenBucket | undefined
  private mistakes: TokenBucket | undefined = undefined
  nextHeartbeat: number
  halfNext: boolean
  /** Whether a room has been asked to say when it publishes, so that the next heartbeat may share the write. */
  sharesWrite = false
  /** Whether it has been told to close, or is gone. */
  closing = false
  private sentWhileClosing = 0

  constructor(context: ConnectionContext, socket: ClientSocket, accepted: Accepted, id: string, session: string) {
    super(context.settings.limits.mailbox)
    const now = context.clock.currentTimeMillisUnsafe()
    const { user } = accepted.identity
    this.context = context
    this.socket = socket
    this.encoding = accepted.encoding
    this.batch = accepted.batch
    this.address = accepted.address
    this.session = session
    this.sender = user === undefined ? { connection: id } : { connection: id, user }
    this.identity = accepted.identity
    this.grants = compileGrants(accepted.identity.rooms)
    this.outgoing = new Outgoing(context.outgoing, socket, accepted.encoding === "json" ? context.json : context.msgpack, accepted.batch)
    this.connectedAt = now
    this.lastFrame = now
    const { nextHeartbeat, halfNext } = firstHeartbeat(now, heartbeatOptions({ context }).interval, Math.random())
    this.nextHeartbeat = nextHeartbeat
    this.halfNext = halfNext
    this.seat = accepted.seat
    const { rate, rate_per_user: perUser, rate_per_address: perAddress } = context.settings.limits
    this.rate = rate > 0 || perUser > 0 || perAddress > 0 ? context.limits.connectionBucket(now) : undefined
  }

  get id(): string {
    return this.sender.connection
  }

  get user(): string | undefined {
    return this.sender.user
  }

  get info(): unknown {
    return this.identity.info
  }

  /** The rooms that the client is in, its own user's room first. */
  roomNames(): ReadonlyArray<string> {
    const names = this.user === undefined ? [] : [userRoom(this.user)]
    for (const [name, room] of this.rooms) if (room !== undefined) names.push(name)
    return names
  }

  /** Called once, when the socket is open: greets the client and starts the clock. */
  begin(): void {
    const { settings, node } = this.context
    const { user } = this
    this.reply({
      type: "welcome",
      connection: this.id,
      session: this.session,
      ...(user === undefined ? {} : { user }),
      node,
      resumed: false,
      rooms: [],
      heartbeat: heartbeatOptions(this),
      limits: limitsView(settings)
    })
    scheduleTimer(this)
  }

  protected receive(message: ConnectionMessage): undefined {
    if (this.closing) return this.whileClosing(message)
    switch (message.type) {
      case "@closed":
        return this.abandon()
      case "@reply":
        return this.reply(message.reply)
      case "@publish_reply":
        return this.publishReply(message)
      case "@join_reply":
        return this.joinReply(message)
      case "@echoes":
        return this.replyWith(message.frame, message.count)
      case "@direct":
        return this.direct(message)
      case "@malformed":
        return this.malformed(message)
      case "@oversized":
        return this.oversized(message)
      case "@settled":
        return this.settled(message)
      case "@timer":
        return handleTimer(this)
      case "@drained":
        return this.outgoing.drained()
      case "@published":
        return handlePublished(this)
      case "@evicted":
        return this.evicted(message)
      case "@disconnect":
        return this.disconnect(message)
      default:
        if (this.withinRates(message.id)) handleRequest(this, message)
    }
  }

  /** Nothing but the end is of interest any more, and a room that let the connection in too late. */
  private whileClosing(message: ConnectionMessage): undefined {
    if (message.type === "@closed") this.abandon()
    else if (message.type === "@drained") this.outgoing.drained()
    else if (message.type === "@timer") this.socket.terminate()
    // A client that goes on sending is not waiting for its close frame.
    else if ((!message.type.startsWith("@") || message.type === "@echoes") && ++this.sentWhileClosing > closingBudget)
      this.socket.terminate()
    else if (message.type === "@join_reply") message.room?.offerReply({ type: "leave", member: this, id: undefined, quiet: true })
  }

  /** Answers a request. A client that does not read its answers is too slow, whatever the rooms do. */
  reply(message: ServerMessage): undefined {
    this.context.counters.sent(this.encoding)
    if (!this.outgoing.reply(message)) this.disconnect(tooSlow)
  }

  /** As `reply`, with a frame of `count` messages in this connection's encoding. */
  replyWith(frame: ArrayBuffer, count = 1): undefined {
    this.context.counters.sent(this.encoding, count)
    if (!this.outgoing.replyWith(frame)) this.disconnect(tooSlow)
  }

  /** Sends what may be missed by a client that is too slow. */
  notify(message: ServerMessage): boolean {
    this.context.counters.sent(this.encoding)
    return this.outgoing.notify(message)
  }

  /** As `notify`, together with what rooms publish in this turn. */
  notifyAlong(message: ServerMessage): void {
    this.context.counters.sent(this.encoding)
    this.outgoing.notifyAlong(message)
  }

  /** Tells the client that its request failed. `retryable` where this failure is of another kind than its code's usual one. */
  fail(id: RequestId | undefined, code: ErrorCode, message: string, retryable?: boolean): undefined {
    this.context.counters.error(code)
    this.reply(errorReply(id, code, message, retryable))
  }

  private joinReply({ name, room, reply }: JoinReply): undefined {
    if (room === undefined) {
      this.rooms.delete(name)
      if (reply.type === "error") this.context.counters.error(reply.code)
    } else this.rooms.set(name, room)
    this.reply(reply)
    // The room's messages take another way to the socket: what is joined has to be told before they come.
    this.outgoing.flush()
  }

  private publishReply({ room, own, reply }: PublishReply): undefined {
    if (!this.outgoing.notifyWith(own)) this.skipped(room)
    this.reply(reply)
  }

  private evicted({ name }: Evicted): undefined {
    this.rooms.delete(name)
    this.fail(undefined, "internal", `the room ${JSON.stringify(name)} failed; join it again`)
  }

  private direct({ direct }: DirectDelivery): undefined {
    if (!this.notify(direct)) this.skipped(undefined)
  }

  /** Counts a message that this client will not get. */
  skipped(room: string | undefined): void {
    this.context.counters.dropped()
    if (this.outgoing.skipped(room)) this.context.counters.slowConsumer()
  }

  private malformed({ offence, refusal }: Malformed): undefined {
    this.fail(refusal.id, refusal.error, refusal.message)
    this.offend(offence)
  }

  private oversized({ limit }: Oversized): undefined {
    this.fail(undefined, "too_large", `a message has at most ${limit} bytes`)
    this.disconnect({ type: "@disconnect", code: 1009, reason: "message too big" })
  }

  private settled({ reply, identity }: Settled): undefined {
    this.pendingCalls--
    if (identity !== undefined) {
      this.identity = identity
      this.grants = compileGrants(identity.rooms)
      scheduleTimer(this)
    }
    if (reply.type === "error") this.context.counters.error(reply.code)
    this.reply(reply)
  }

  private withinRates(id: RequestId | undefined): boolean {
    if (this.rate === undefined) return true
    const { limits, clock } = this.context
    const over = limits.takeMessage(this.rate, this.seat.address, this.seat.user, clock.currentTimeMillisUnsafe())
    if (over === "ok") return true
    this.fail(id, "rate_limited", `too many messages for this ${over}`)
    this.offend("rate")
    return false
  }

  private offend(offence: Offence): void {
    const now = this.context.clock.currentTimeMillisUnsafe()
    this.mistakes ??= makeBucket(now, mistakeRate)
    if (!take(this.mistakes, now, mistakeRate)) this.disconnect({ type: "@disconnect", ...floodClose(offence) })
  }

  /** Says `bye` and closes. The rest follows when the socket reports that it is closed. */
  disconnect({ code, reason, after, abrupt = false }: Disconnect): undefined {
    if (this.closing) return
    this.closing = true
    if (code === 4413) this.context.counters.slowConsumer()
    const bye: ServerMessage = { type: "bye", code, reason, reconnect: shouldReconnect(code), ...(after === undefined ? {} : { after }) }
    this.leaveRooms()
    if (abrupt) {
      this.outgoing.notify(bye)
      this.outgoing.flush()
      this.socket.terminate()
      return
    }
    if (this.outgoing.end(bye, code, reason)) return
    const { timers, clock } = this.context
    timers.schedule(this, clock.currentTimeMillisUnsafe() + closePatience)
  }

  /** Leaves everything that knows this connection. For its own end, and for the registry when the actor has died. */
  abandon(): undefined {
    const { timers, limits, clock, connections } = this.context
    const now = clock.currentTimeMillisUnsafe()
    this.closing = true
    timers.cancel(this)
    this.leaveRooms()
    for (const fiber of this.calls ?? []) fiber.interruptUnsafe()
    if (!connections.remove(this)) return
    limits.releaseAddress(this.seat.address, now)
    if (this.seat.user !== undefined) limits.releaseUser(this.seat.user, now)
  }

  private leaveRooms(): void {
    for (const room of this.rooms.values()) room?.offerReply({ type: "leave", member: this, id: undefined, quiet: true })
    this.rooms.clear()
  }
}
