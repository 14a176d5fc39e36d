import type { Fiber } from "effect"
import { Actor } from "../../actor/Actor.ts"
import type { Timed } from "../../actor/TimerWheel.ts"
import type { ClientSocket, Seat } from "../../transport/Transport.ts"
import type { Lease } from "../Pool.ts"
import type { Arrived, Route } from "../Route.ts"
import type { Target } from "../Target.ts"
import type { Backend, BackendEnd, BackendHandler } from "./Backend.ts"
import { BackendWatch, type WatchTimes } from "./BackendWatch.ts"
import type { Connected } from "./connect.ts"
import type { LinkContext } from "./LinkContext.ts"
import type { BackendEvent, ClientClosed, ClientFrame, Close, LinkMessage, Move, Sought } from "./LinkMessages.ts"
import {
  afterBackend,
  afterClient,
  backendLost,
  backendTooSlow,
  clientTooSlow,
  type Goodbye,
  goingAway,
  idle,
  serverFault,
  tooBig
} from "./LinkState.ts"
import { type Frame, ReplayBuffer } from "./ReplayBuffer.ts"

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
 * client stays; what is kept goes to the next backend first.
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
  private readonly socket: ClientSocket
  private readonly seat: Seat
  /** What another backend would be told; absent where none will be sought. */
  private readonly arrived: Arrived | undefined
  private readonly replay: ReplayBuffer | undefined
  private backend: Backend | undefined = undefined
  private lease: Lease
  /** The subprotocol that the client was told. */
  private readonly protocol: string
  private seeking: Fiber.Fiber<void> | undefined = undefined
  private closing = false
  /** Bytes for the client when it was last looked whether it reads them, once the link is closing. */
  private unread = 0
  private paused = false
  private marking = false
  /** Milliseconds: either way. */
  private lastMessage: number
  private readonly watch: BackendWatch
  private readonly watchTimes: WatchTimes
  /** The search began while the backend was still there. */
  private leaving = false

  constructor(context: LinkContext, socket: ClientSocket, { arrived, connected, id, route, seat }: AcceptedLink) {
    super(mailbox)
    const { failover } = route.settings
    const now = context.time.now
    this.context = context
    this.socket = socket
    this.id = id
    this.route = route
    this.user = arrived.request.user
    this.address = arrived.asker.address
    this.seat = seat
    this.arrived = failover.mode === "reconnect" ? arrived : undefined
    this.replay = failover.mode === "reconnect" ? new ReplayBuffer(failover.buffer, failover.preamble) : undefined
    this.lease = connected.lease
    this.protocol = connected.backend.protocol
    this.since = now
    this.lastMessage = now
    this.watch = new BackendWatch(now)
    this.watchTimes = { interval: context.pingInterval, timeout: failover.ping_timeout * 1000 }
  }

  get target(): Target {
    return this.lease.target
  }

  /** Bytes of the client that no backend is known to have read. */
  get keptBytes(): number {
    return this.replay?.bytes ?? 0
  }

  /** Called once, when the client's socket is open. */
  begin(backend: Backend): void {
    this.adopt(backend)
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
        return message.from === this.backend ? this.fromBackend(message) : undefined
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

  private fromClient({ binary, frame }: ClientFrame): undefined {
    const { backend, replay, route } = this
    if (frame.byteLength > route.settings.max_message) {
      route.pool.failed(this.lease, "too_large", "a message of the client is larger than the route allows")
      return this.goodbye(tooBig)
    }
    this.lastMessage = this.context.time.now
    this.target.messagesIn++
    if (replay === undefined) backend?.send(frame, binary)
    else {
      const bytes = Buffer.from(frame.slice(0))
      if (!replay.add({ bytes, binary })) return this.full()
      backend?.send(bytes, binary)
      this.markLater()
    }
    if (backend !== undefined && backend.buffered() > this.mostForBackend) return this.full()
  }

  /**
   * Bytes that may wait for the backend: a message beside the buffer, for one that is larger than that must pass, and a turn
   * of the event loop may bring more of a client than the buffer holds before the backend had a chance to take it. What is
   * sent again waits as well.
   */
  private get mostForBackend(): number {
    const { buffer, failover, max_message } = this.route.settings
    return (this.replay === undefined ? buffer : Math.max(buffer, failover.buffer)) + max_message
  }

  /** More waits for the backend than may. The transport can not make the client wait, so it is told to come again. */
  private full(): undefined {
    this.route.pool.failed(this.lease, "slow", "more waits for the backend than the buffer holds")
    this.goodbye(this.seeking === undefined ? backendTooSlow : backendLost)
  }

  private fromBackend(event: BackendEvent): undefined {
    this.watch.heard(this.context.time.now)
    switch (event.type) {
      case "backend_frames":
        return this.toClient(event.frames)
      case "backend_pong":
        return this.pong(event.payload)
      case "backend_alive":
        this.lastMessage = this.context.time.now
        return
      case "backend_end":
        return this.backendEnded(event.end)
    }
  }

  private toClient(frames: ReadonlyArray<Frame>): undefined {
    const { route, socket } = this
    this.lastMessage = this.context.time.now
    this.target.messagesOut += frames.length
    let dropped = false
    const first = frames[0]
    if (frames.length === 1 && first !== undefined) dropped = socket.sendBytes(first.bytes, first.binary) === "dropped"
    else
      socket.cork(() => {
        for (const { binary, bytes } of frames) dropped = socket.sendBytes(bytes, binary) === "dropped" || dropped
      })
    if (dropped) {
      route.pool.failed(this.lease, "slow", "the client does not read what the backend sends")
      return this.goodbye(clientTooSlow)
    }
    if (!this.paused && socket.buffered() > route.settings.buffer / 2) {
      this.paused = true
      this.backend?.pause()
    }
  }

  private drained(): undefined {
    if (!this.paused || this.socket.buffered() > this.route.settings.buffer / 4) return
    this.paused = false
    // Its pongs waited unread.
    this.watch.heard(this.context.time.now)
    this.backend?.resume()
    this.context.timers.schedule(this, this.nextDue())
  }

  /** A ping follows the messages of this turn, unless one is on its way. */
  private markLater(): void {
    if (this.marking || this.watch.asked) return
    this.marking = true
    this.context.turnEnd.afterRooms(() => void this.offerReply({ type: "mark" }))
  }

  private mark(): undefined {
    this.marking = false
    if (this.backend === undefined || this.watch.asked) return
    this.backend.ping(this.watch.ask(this.context.time.now, this.replay?.last ?? 0))
    this.context.timers.schedule(this, this.nextDue())
  }

  private pong(payload: Uint8Array): undefined {
    const number = this.watch.answered(payload)
    if (number === undefined || this.replay === undefined) return
    this.replay.acknowledge(number)
    if (this.replay.last > number) this.markLater()
  }

  private backendEnded(end: BackendEnd): undefined {
    const { mode } = this.route.settings.failover
    this.backend = undefined
    if (end.problem !== undefined || end.code === 1006) {
      const { message, type } = end.problem ?? { type: "lost" as const, message: "the backend closed without a close frame" }
      this.route.pool.failed(this.lease, type, message)
    }
    const next = afterBackend(mode, end)
    if (next.action === "close") return this.goodbye(next)
    this.context.onChange(this, "backend lost", { code: end.code, ...(end.problem === undefined ? {} : { error: end.problem.message }) })
    this.search()
  }

  /** The backend does not answer: it is as good as gone. */
  private silent(): undefined {
    const { backend } = this
    if (backend === undefined) return
    backend.terminate()
    this.backendEnded({ code: 1006, reason: "", problem: { type: "lost", message: "the backend does not answer pings" } })
  }

  private search(): undefined {
    const { arrived, context, protocol, route } = this
    if (arrived === undefined || this.seeking !== undefined) return
    this.leaving = this.backend !== undefined
    this.seeking = context.seek(route, arrived, { protocol, from: this.target, extra: context.resumed(this.id) }, (found) => {
      if (!this.offerReply({ type: "sought", found }) && found !== undefined) this.refuse(found)
    })
  }

  private sought({ found }: Sought): undefined {
    this.seeking = undefined
    if (found !== undefined) {
      const { backend, lease } = this
      const from = lease.target.id
      backend?.close(goingAway.code, "moved")
      this.route.pool.release(lease)
      this.lease = found.lease
      this.adopt(found.backend)
      this.context.onMoved(this, lease.target)
      this.context.onChange(this, "link moved", { from })
      return
    }
    // A backend that is only to be left is better than none.
    if (this.backend !== undefined) return
    // Lost on the way: the deadline counts from there.
    if (this.leaving) return this.search()
    this.route.pool.failed(this.lease, "unavailable", "no backend was found in time")
    this.goodbye(backendLost)
  }

  /** From now on this is the backend: it gets what the one before it may not have read. */
  private adopt(backend: Backend): void {
    this.backend = backend
    this.paused = false
    this.watch.renew(this.context.time.now)
    backend.start(new BackendEvents(this, backend))
    const frames = this.replay?.replay() ?? []
    for (const { binary, bytes } of frames) backend.send(bytes, binary)
    if (frames.length > 0) this.markLater()
    this.context.timers.schedule(this, this.nextDue())
  }

  private move({ goodbye }: Move): undefined {
    if (this.arrived === undefined) return this.goodbye(goodbye)
    this.search()
  }

  private close({ abrupt = false, goodbye }: Close): undefined {
    this.goodbye(goodbye)
    if (abrupt) this.socket.terminate()
  }

  /** When the timer has to look again. */
  private nextDue(): number {
    const end = this.lastMessage + this.route.settings.timeout * 1000
    // Nobody is asked, or nobody is heard.
    if (this.backend === undefined || this.paused) return end
    return Math.max(this.context.time.now + 1, Math.min(end, this.watch.due(this.watchTimes)))
  }

  private timer(): undefined {
    const { time, timers } = this.context
    if (time.now - this.lastMessage >= this.route.settings.timeout * 1000) return this.goodbye(idle)
    if (this.backend !== undefined && !this.paused) {
      const next = this.watch.next(time.now, this.watchTimes)
      if (next === "give up") this.silent()
      else if (next === "ask") this.mark()
    }
    if (!this.closing) timers.schedule(this, this.nextDue())
  }

  private clientClosed({ code, reason }: ClientClosed): undefined {
    const said = afterClient(code, reason)
    if (said === undefined) this.backend?.terminate()
    else this.backend?.close(said.code, said.reason)
    this.backend = undefined
    this.abandon()
  }

  /** Closes the client's side with these words, and the backend's, if it is there, with going away. */
  private goodbye({ code, reason }: Goodbye): undefined {
    this.closing = true
    this.backend?.close(code === tooBig.code ? code : goingAway.code, "")
    this.leave()
    this.unread = this.socket.buffered()
    this.socket.end(code, reason)
    this.context.timers.schedule(this, this.context.time.now + closePatience)
  }

  /** Who goes on reading gets the time for it. */
  private awaitClose(): void {
    const { context, socket } = this
    const unread = socket.buffered()
    if (unread === 0 || unread >= this.unread) return socket.terminate()
    this.unread = unread
    context.timers.schedule(this, context.time.now + closePatience)
  }

  private refuse({ backend, lease }: Connected): void {
    backend.terminate()
    this.route.pool.release(lease)
  }

  private leave(): void {
    this.backend = undefined
    this.seeking?.interruptUnsafe()
    this.seeking = undefined
    this.route.pool.release(this.lease)
  }

  /** What is left in the mailbox at the end may be a backend that was just found. */
  override stop(): ReadonlyArray<LinkMessage> {
    const rest = super.stop()
    for (const message of rest) if (message.type === "sought" && message.found !== undefined) this.refuse(message.found)
    return rest
  }

  /** The actor has died. */
  crash(): void {
    this.socket.end(serverFault.code, serverFault.reason)
    this.abandon()
  }

  /** The end, told by the client's socket. */
  abandon(): undefined {
    this.closing = true
    this.context.timers.cancel(this)
    this.backend?.terminate()
    this.leave()
    this.context.onEnd(this, this.seat)
  }
}

/** What a backend tells, as messages to its link. A class, since idle links are many and each function of its own is memory. */
class BackendEvents implements BackendHandler {
  private readonly link: Link
  private readonly from: Backend

  constructor(link: Link, from: Backend) {
    this.link = link
    this.from = from
  }

  onFrames(frames: ReadonlyArray<Frame>): void {
    this.link.offerReply({ type: "backend_frames", from: this.from, frames })
  }

  onPing(): void {
    this.link.offerReply({ type: "backend_alive", from: this.from })
  }

  onPong(payload: Uint8Array): void {
    this.link.offerReply({ type: "backend_pong", from: this.from, payload })
  }

  onEnd(end: BackendEnd): void {
    this.link.offerReply({ type: "backend_end", from: this.from, end })
  }
}
