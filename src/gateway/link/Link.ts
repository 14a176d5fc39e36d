import type { Fiber } from "effect"
import { Actor } from "../../actor/Actor.ts"
import type { Timed } from "../../actor/TimerWheel.ts"
import type { ClientSocket, Seat } from "../../transport/Transport.ts"
import type { Lease } from "../Pool.ts"
import type { Arrived, Route } from "../Route.ts"
import type { Target } from "../Target.ts"
import type { Backend, BackendEnd } from "./Backend.ts"
import { BackendSide } from "./BackendSide.ts"
import { ClientSide } from "./ClientSide.ts"
import type { Connected } from "./connect.ts"
import type { LinkContext } from "./LinkContext.ts"
import type { BackendEvent, ClientClosed, ClientFrame, Close, LinkMessage, Move, Sought } from "./LinkMessages.ts"
import {
  afterBackend,
  afterClient,
  backendLost,
  backendTooSlow,
  clientTooSlow,
  faultOfEnd,
  type Goodbye,
  goingAway,
  idle,
  serverFault,
  tooBig
} from "./LinkState.ts"
import { Recovery, trialTime } from "./Recovery.ts"
import type { Frame } from "./ReplayBuffer.ts"

/** How long a client may read nothing of what stands before its close frame, in milliseconds. */
const closePatience = 5_000

/** Messages that may wait while the actor is not idle; what passes that is never a client's frame. */
const mailbox = 1_024

/** A client that was let in, with the backend that took it. */
export interface AcceptedLink {
  readonly id: string
  readonly route: Route
  readonly arrived: Arrived
  readonly seat: Seat
  readonly connected: Connected
}

/**
 * The actor of one client's way to its backend. Messages pass unread, in order, both ways.
 *
 * Where the route says `reconnect`, what the client sends is kept until the backend has answered a ping that followed it: a
 * pong says that all before it has been read (RFC 6455, section 5.5.3, with TCP's order). When the backend is lost, the
 * client stays; what is kept goes to the next backend first. One that loses the link soon is no better than none: see `Recovery`.
 */
export class Link extends Actor<LinkMessage> implements Timed {
  readonly id: string
  readonly route: Route
  readonly user: string | undefined
  readonly address: string
  readonly since: number
  due = 0
  timerNext: Timed | undefined = undefined
  timerPrevious: Timed | undefined = undefined
  private readonly context: LinkContext
  private readonly client: ClientSide
  private readonly seat: Seat
  /** What another backend would be told; absent where none will be sought. */
  private readonly arrived: Arrived | undefined
  private readonly backend: BackendSide
  /** The subprotocol that the client was told. */
  private readonly protocol: string
  private seeking: Fiber.Fiber<void> | undefined = undefined
  private closing = false
  /** Milliseconds: either way. */
  private lastMessage: number
  /** The search began while the backend was still there. */
  private leaving = false
  /** Absent while the backend is one that has proved itself, or the first. */
  private recovery: Recovery | undefined = undefined

  constructor(context: LinkContext, socket: ClientSocket, { arrived, connected, id, route, seat }: AcceptedLink) {
    super(mailbox)
    const now = context.time.now
    this.context = context
    this.client = new ClientSide(socket, route.settings.buffer)
    this.id = id
    this.route = route
    this.user = arrived.request.user
    this.address = arrived.asker.address
    this.seat = seat
    this.arrived = route.settings.failover.mode === "reconnect" ? arrived : undefined
    this.backend = new BackendSide(context, this, route.settings, connected.lease)
    this.protocol = connected.backend.protocol
    this.since = now
    this.lastMessage = now
  }

  get target(): Target {
    return this.backend.lease.target
  }

  /** Bytes of the client that no backend is known to have read. */
  get keptBytes(): number {
    return this.backend.keptBytes
  }

  /** Called once, when the client's socket is open. */
  begin(backend: Backend): void {
    this.adopt(backend, this.backend.lease)
  }

  protected receive(message: LinkMessage): undefined {
    if (this.closing) return this.whileClosing(message)
    switch (message.type) {
      case "frame":
        return this.fromClient(message)
      case "backend_frames":
      case "backend_pong":
      case "backend_alive":
      case "backend_end":
        return this.backend.is(message.from) ? this.fromBackend(message) : undefined
      case "mark":
        return this.mark()
      case "drained":
        return this.drained()
      case "alive":
        this.lastMessage = this.context.time.now
        return
      case "timer":
        return this.timer()
      case "sought":
        return this.sought(message)
      case "move":
        return this.move(message)
      case "close":
        return this.close(message)
      case "client_closed":
        return this.clientClosed(message)
    }
  }

  private whileClosing(message: LinkMessage): undefined {
    if (message.type === "client_closed") this.abandon()
    else if (message.type === "timer") this.awaitClose()
    else if (message.type === "sought" && message.found !== undefined) this.refuse(message.found)
  }

  private fromClient(message: ClientFrame): undefined {
    const { pool, settings } = this.route
    if (message.frame.byteLength > settings.max_message) {
      pool.failed(this.backend.lease, "too_large", "a message of the client is larger than the route allows")
      return this.goodbye(tooBig)
    }
    this.lastMessage = this.context.time.now
    this.target.messagesIn++
    if (!this.backend.send(message)) return this.full()
  }

  /** More waits for the backend than may. The transport can not make the client wait, so it is told to come again. */
  private full(): undefined {
    this.route.pool.failed(this.backend.lease, "slow", "more waits for the backend than the buffer holds")
    this.goodbye(this.backend.present ? backendTooSlow : backendLost)
  }

  private fromBackend(event: BackendEvent): undefined {
    this.backend.heard()
    switch (event.type) {
      case "backend_frames":
        return this.toClient(event.frames)
      case "backend_pong":
        return this.backend.pong(event.payload) ? this.answered() : undefined
      case "backend_alive":
        this.lastMessage = this.context.time.now
        return
      case "backend_end":
        return this.backendEnded(event.end)
    }
  }

  private toClient(frames: ReadonlyArray<Frame>): undefined {
    this.lastMessage = this.context.time.now
    this.target.messagesOut += frames.length
    if (!this.client.send(frames)) {
      this.route.pool.failed(this.backend.lease, "slow", "the client does not read what the backend sends")
      return this.goodbye(clientTooSlow)
    }
    if (this.backend.paused || !this.client.behind) return
    this.backend.pause()
    // Its answer would wait unread for as long as the client likes, and with it whoever waits for the circuit.
    this.answered()
  }

  private drained(): undefined {
    if (!this.backend.paused || !this.client.caughtUp) return
    this.backend.resume()
    this.context.timers.schedule(this, this.nextDue())
  }

  private mark(): undefined {
    this.backend.mark()
    this.context.timers.schedule(this, this.nextDue())
  }

  private backendEnded(end: BackendEnd): undefined {
    const { mode } = this.route.settings.failover
    const { now } = this.context.time
    this.settle()
    this.backend.lost()
    const fault = faultOfEnd(mode, end, this.recovery?.onTrial !== true && now - this.since >= trialTime)
    if (fault !== undefined) this.route.pool.failed(this.backend.lease, fault.type, fault.message)
    const next = afterBackend(mode, end)
    if (next.action === "close") return this.goodbye(next)
    this.context.onChange(this, "backend lost", { code: end.code, ...(end.problem === undefined ? {} : { error: end.problem.message }) })
    this.recovery ??= new Recovery()
    this.recovery.lost(now)
    this.search()
  }

  /** The backend does not answer: it is as good as gone. */
  private silent(): undefined {
    this.backend.terminate()
    this.backendEnded({ code: 1006, reason: "", problem: { type: "lost", message: "the backend does not answer pings" } })
  }

  private search(): undefined {
    const { arrived, context, protocol, route } = this
    if (arrived === undefined || this.seeking !== undefined) return
    this.settle()
    this.leaving = this.backend.present
    const { deadline } = route.settings.failover
    const left = this.leaving || this.recovery === undefined ? deadline * 1000 : this.recovery.left(context.time.now, deadline)
    if (left === 0) return this.unsaved("no backend kept the link until the deadline")
    const round = this.recovery?.round ?? 0
    this.seeking = context.seek(
      route,
      arrived,
      { protocol, from: this.target, extra: context.resumed(this.id), round, left },
      (outcome) => {
        if (!this.offerReply({ type: "sought", ...outcome }) && outcome.found !== undefined) this.refuse(outcome.found)
      }
    )
  }

  private sought({ found, round }: Sought): undefined {
    this.seeking = undefined
    this.settle()
    if (found !== undefined) {
      const { lease } = this.backend
      this.backend.close(goingAway.code, "moved")
      this.route.pool.release(lease)
      this.recovery ??= new Recovery()
      this.recovery.found(this.context.time.now, round)
      this.adopt(found.backend, found.lease)
      this.backend.markLater()
      this.context.onMoved(this, lease.target)
      this.context.onChange(this, "link moved", { from: lease.target.id })
      return
    }
    // A backend that is only to be left is better than none.
    if (this.backend.present) return
    // Lost on the way: the deadline counts from there.
    if (this.leaving) return this.search()
    this.unsaved("no backend was found in time")
  }

  private unsaved(why: string): undefined {
    this.route.pool.failed(this.backend.lease, "unavailable", why)
    this.goodbye(backendLost)
  }

  private adopt(backend: Backend, lease: Lease): void {
    this.backend.adopt(backend, lease)
    this.context.timers.schedule(this, this.nextDue())
  }

  /** The backend has answered a ping, or can not be heard for all that it has said. */
  private answered(): undefined {
    if (this.recovery === undefined) return
    this.recovery.answers()
    this.settle()
    this.context.timers.schedule(this, this.nextDue())
  }

  /** Trusts the backend on trial, if it has proved itself by now. */
  private settle(): void {
    if (this.recovery?.proved(this.context.time.now) !== true) return
    this.recovery = undefined
    this.route.pool.proved(this.backend.lease)
  }

  private move({ goodbye }: Move): undefined {
    if (this.arrived === undefined) return this.goodbye(goodbye)
    this.search()
  }

  private close({ abrupt = false, goodbye }: Close): undefined {
    this.goodbye(goodbye)
    if (abrupt) this.client.terminate()
  }

  /** When the timer has to look again. */
  private nextDue(): number {
    const end = this.lastMessage + this.route.settings.timeout * 1000
    const due = Math.min(end, this.backend.due ?? end, this.recovery?.due ?? end)
    return due === end ? end : Math.max(this.context.time.now + 1, due)
  }

  private timer(): undefined {
    const { time, timers } = this.context
    if (time.now - this.lastMessage >= this.route.settings.timeout * 1000) return this.goodbye(idle)
    this.settle()
    if (!this.backend.look()) this.silent()
    if (!this.closing) timers.schedule(this, this.nextDue())
  }

  private clientClosed({ code, reason }: ClientClosed): undefined {
    const said = afterClient(code, reason)
    if (said !== undefined) this.backend.close(said.code, said.reason)
    this.abandon()
  }

  /** Closes the client's side with these words, and the backend's, if it is there, with going away. */
  private goodbye(words: Goodbye): undefined {
    this.closing = true
    this.backend.close(words.code === tooBig.code ? words.code : goingAway.code, "")
    this.leave()
    this.client.end(words)
    this.context.timers.schedule(this, this.context.time.now + closePatience)
  }

  /** Who goes on reading gets the time for it. */
  private awaitClose(): void {
    if (this.client.reads()) this.context.timers.schedule(this, this.context.time.now + closePatience)
  }

  private refuse({ backend, lease }: Connected): void {
    backend.terminate()
    this.route.pool.release(lease)
  }

  private leave(): void {
    this.seeking?.interruptUnsafe()
    this.seeking = undefined
    this.route.pool.release(this.backend.lease)
  }

  /** What is left in the mailbox at the end may be a backend that was just found. */
  override stop(): ReadonlyArray<LinkMessage> {
    const rest = super.stop()
    for (const message of rest) if (message.type === "sought" && message.found !== undefined) this.refuse(message.found)
    return rest
  }

  /** The actor has died. */
  crash(): void {
    this.client.end(serverFault)
    this.abandon()
  }

  /** The end, told by the client's socket. */
  abandon(): undefined {
    this.closing = true
    this.context.timers.cancel(this)
    this.backend.terminate()
    this.leave()
    this.context.onEnd(this, this.seat)
  }
}
