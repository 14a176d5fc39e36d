import type { ProxyRoute } from "../../config/proxy.ts"
import type { Lease } from "../Pool.ts"
import type { Backend, BackendEnd, BackendHandler } from "./Backend.ts"
import { BackendWatch, type WatchTimes } from "./BackendWatch.ts"
import type { LinkContext } from "./LinkContext.ts"
import type { ClientFrame, LinkMessage } from "./LinkMessages.ts"
import { shrinks } from "./LinkState.ts"
import { type Frame, ReplayBuffer } from "./ReplayBuffer.ts"

/** Where the link hears of its backend. */
interface Mailbox {
  offerReply(message: LinkMessage): boolean
}

/**
 * The backend's side of a link: which backend it is, what it may not have read yet, and whether it lives. Where the route says
 * `reconnect`, what the client sends is kept until the backend has answered a ping that followed it.
 */
export class BackendSide {
  private readonly context: Pick<LinkContext, "time" | "turnEnd">
  private readonly mailbox: Mailbox
  private readonly settings: ProxyRoute
  private readonly replay: ReplayBuffer | undefined
  private readonly watch: BackendWatch
  private readonly watchTimes: WatchTimes
  private backend: Backend | undefined = undefined
  private current: Lease
  private waits = false
  private marking = false
  /** Bytes that were kept when the backend was lost. */
  private keptAtLoss = 0
  /** Bytes that waited for the backend when it was last looked whether it reads. */
  private unread = 0

  constructor(context: LinkContext, mailbox: Mailbox, settings: ProxyRoute, lease: Lease) {
    const { failover } = settings
    this.context = context
    this.mailbox = mailbox
    this.settings = settings
    this.current = lease
    this.replay = failover.mode === "reconnect" ? new ReplayBuffer(failover.preamble) : undefined
    this.watch = new BackendWatch(context.time.now)
    this.watchTimes = { interval: context.pingInterval, timeout: failover.ping_timeout * 1000 }
  }

  /** Of the present backend, or of the last one. */
  get lease(): Lease {
    return this.current
  }

  get present(): boolean {
    return this.backend !== undefined
  }

  /** It is not read, since the client does not read. */
  get paused(): boolean {
    return this.waits
  }

  /** Bytes of the client that no backend is known to have read. */
  get keptBytes(): number {
    return this.replay?.bytes ?? 0
  }

  is(backend: Backend): boolean {
    return backend === this.backend
  }

  /** From now on this is the backend: it gets what the one before it may not have read, which `markLater` asks about. */
  adopt(backend: Backend, lease: Lease): void {
    this.backend = backend
    this.current = lease
    this.waits = false
    this.watch.renew(this.context.time.now)
    backend.start(new BackendEvents(this.mailbox, backend))
    const frames = this.replay?.replay() ?? []
    for (const { binary, bytes } of frames) backend.send(bytes, binary)
  }

  /** A message of the client, which is copied. False: more waits than may. */
  send({ binary, frame }: ClientFrame): boolean {
    const { backend, replay } = this
    if (replay === undefined) backend?.send(frame, binary)
    else {
      const bytes = Buffer.from(frame.slice(0))
      if (!replay.add({ bytes, binary }, this.mostKept)) return false
      backend?.send(bytes, binary)
      this.markLater()
    }
    return backend === undefined || backend.buffered() <= this.most
  }

  /**
   * Bytes that may wait for the backend, and that may be kept for it: a message beside the buffers, for one that is larger
   * must pass. The backend can answer nothing before the turn of the event loop is over, and a turn brings all that one
   * client has sent so far: so this is also how large a burst may be that a backend takes which keeps up.
   */
  private get most(): number {
    const { buffer, failover, max_message } = this.settings
    return (this.replay === undefined ? 0 : failover.buffer) + buffer + max_message
  }

  /** While no backend is there, a buffer more than what was on its way to the last one. */
  private get mostKept(): number {
    return this.present ? this.most : Math.min(this.most, this.keptAtLoss + this.settings.failover.buffer)
  }

  /** The backend has said something. */
  heard(): void {
    this.watch.heard(this.context.time.now)
  }

  /** A ping follows the messages of this turn, unless one is on its way. */
  markLater(): void {
    if (this.marking || this.watch.asked) return
    this.marking = true
    this.context.turnEnd.afterRooms(() => void this.mailbox.offerReply({ type: "mark" }))
  }

  /** Asks the backend how far it has read, unless it has been asked. */
  mark(): void {
    this.marking = false
    if (this.backend === undefined || this.watch.asked) return
    this.unread = this.backend.buffered()
    this.backend.ping(this.watch.ask(this.context.time.now, this.replay?.last ?? 0))
  }

  /** False: it answers nothing that was asked. */
  pong(payload: Uint8Array): boolean {
    const number = this.watch.answered(payload)
    if (number === undefined) return false
    if (this.replay !== undefined) {
      this.replay.acknowledge(number)
      if (this.replay.last > number) this.markLater()
    }
    return true
  }

  pause(): void {
    this.waits = true
    this.backend?.pause()
  }

  resume(): void {
    this.waits = false
    // Its pongs waited unread.
    this.heard()
    this.backend?.resume()
  }

  /** When `look` has something to do. Undefined: nobody is asked, or nobody is heard. */
  get due(): number | undefined {
    return this.backend === undefined || this.waits ? undefined : this.watch.due(this.watchTimes)
  }

  /** Asks the backend whether it is there, if it was quiet for long. False: it has been asked, and neither answers nor reads. */
  look(): boolean {
    if (this.due === undefined) return true
    const next = this.watch.next(this.context.time.now, this.watchTimes)
    if (next === "ask") this.mark()
    if (next !== "give up") return true
    if (!this.reads()) return false
    this.heard()
    return true
  }

  /** Whether it has read of what stands before the ping since the last look. What the kernel holds is not seen. */
  private reads(): boolean {
    const unread = this.backend?.buffered() ?? 0
    const reads = shrinks(this.unread, unread)
    this.unread = unread
    return reads
  }

  /** It is gone by itself. */
  lost(): void {
    this.backend = undefined
    this.keptAtLoss = this.keptBytes
  }

  close(code: number, reason: string): void {
    this.backend?.close(code, reason)
    this.backend = undefined
  }

  /** Cuts it off without a word. */
  terminate(): void {
    this.backend?.terminate()
    this.lost()
  }
}

/** What a backend tells, as messages to its link. A class, since idle links are many and each function of its own is memory. */
class BackendEvents implements BackendHandler {
  private readonly mailbox: Mailbox
  private readonly from: Backend

  constructor(mailbox: Mailbox, from: Backend) {
    this.mailbox = mailbox
    this.from = from
  }

  onFrames(frames: ReadonlyArray<Frame>): void {
    this.mailbox.offerReply({ type: "backend_frames", from: this.from, frames })
  }

  onPing(): void {
    this.mailbox.offerReply({ type: "backend_alive", from: this.from })
  }

  onPong(payload: Uint8Array): void {
    this.mailbox.offerReply({ type: "backend_pong", from: this.from, payload })
  }

  onEnd(end: BackendEnd): void {
    this.mailbox.offerReply({ type: "backend_end", from: this.from, end })
  }
}
