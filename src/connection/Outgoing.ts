import { ownTopic } from "../room/Topics.ts"
import { Outbox } from "../transport/Outbox.ts"
import type { ClientSocket, Publisher } from "../transport/Transport.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import type { Codec } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { DroppedCount } from "./DroppedCount.ts"

export interface OutgoingContext {
  readonly publisher: Publisher
  readonly turnEnd: TurnEnd
  /** Bytes that may wait in the socket, and as many again in answers that did not fit there. */
  readonly limit: number
}

type Frame = string | Uint8Array

/**
 * The way to one client. What is published to rooms does not pass here; what is meant for this connection alone does.
 *
 * A client may be behind by `limit` bytes. Past that, messages that can be missed are skipped, counted, and told as `gap`
 * once the client reads again; answers are held, for a request without an answer would wait for ever. Held answers have the same bound.
 */
export class Outgoing {
  private readonly context: OutgoingContext
  private readonly socket: ClientSocket
  private readonly codec: Codec
  private readonly outbox: Outbox | undefined
  private skippedCount: DroppedCount | undefined = undefined
  private held: Array<Frame> | undefined = undefined
  private heldBytes = 0
  private ending: { readonly code: number; readonly reason: string } | undefined = undefined

  constructor(context: OutgoingContext, socket: ClientSocket, codec: Codec, batch: boolean) {
    this.context = context
    this.socket = socket
    this.codec = codec
    this.outbox = batch ? new Outbox(codec, this.writeShared, context.turnEnd.afterConnections) : undefined
  }

  /** Whether `drained` has something to do. */
  get waits(): boolean {
    return this.skippedCount !== undefined || this.held !== undefined || this.ending !== undefined
  }

  /** Sends what may be missed. False: it was. */
  notify(message: ServerMessage): boolean {
    if (this.outbox !== undefined) {
      this.outbox.add(message)
      return true
    }
    return this.notifyWith(this.codec.encodeShared(message))
  }

  /** As `notify`, for a message that is encoded already. */
  notifyWith(frame: Frame): boolean {
    this.outbox?.flush()
    return this.held === undefined && this.socket.send(frame) !== "dropped"
  }

  /**
   * As `notify`, in one write with what was published to rooms in this turn. A direct send would first write that out, within
   * a cork too: uWebSockets.js ends it with the last of the published frames.
   */
  notifyAlong(message: ServerMessage): void {
    if (this.outbox !== undefined) return this.outbox.add(message)
    if (this.held !== undefined) return
    this.socket.subscribe(ownTopic)
    this.context.publisher.publish(ownTopic, this.codec.encodeShared(message), this.codec.binary)
    this.socket.unsubscribe(ownTopic)
  }

  /** Sends what must not be missed. False: more answers are held than the bound allows. */
  reply(message: ServerMessage): boolean {
    if (this.outbox !== undefined) this.outbox.add(message)
    else this.writeShared(this.codec.encodeShared(message))
    return this.heldBytes <= this.context.limit
  }

  /** As `reply`, for a frame that is only valid now. */
  replyWith(frame: ArrayBuffer): boolean {
    const { binary } = this.codec
    this.outbox?.flush()
    if (this.held !== undefined || this.socket.sendBytes(frame, binary) === "dropped")
      this.hold(binary ? new Uint8Array(frame.slice(0)) : new TextDecoder().decode(frame))
    return this.heldBytes <= this.context.limit
  }

  /** Several messages go in one frame at the end of the turn; this sends them now. */
  flush(): void {
    this.outbox?.flush()
  }

  /** Counts a message that this client will not get. True: it is the first one since the client was last told. */
  skipped(room: string | undefined): boolean {
    const first = this.skippedCount === undefined
    this.skippedCount ??= new DroppedCount()
    this.skippedCount.add(room)
    return first
  }

  /** The client has read something: tells it what it missed, then what was held for it, then closes if that was asked for. */
  drained(): undefined {
    if (this.socket.buffered() > this.context.limit) return
    const { skippedCount, held } = this
    this.skippedCount = undefined
    for (const [room, count] of skippedCount?.counts() ?? [])
      this.writeShared(
        this.codec.encodeShared(room === undefined ? { type: "gap", dropped: count } : { type: "gap", room, dropped: count })
      )
    this.held = undefined
    this.heldBytes = 0
    for (const frame of held ?? []) this.writeShared(frame)
    if (this.ending !== undefined && this.held === undefined) this.socket.end(this.ending.code, this.ending.reason)
  }

  /**
   * Says goodbye and closes, as soon as the client has read enough for the close frame to fit. False: that is not now, and
   * whoever asked should not wait for ever.
   */
  end(bye: ServerMessage, code: number, reason: string): boolean {
    if (this.ending !== undefined) return false
    if (this.outbox !== undefined) {
      this.outbox.add(bye)
      this.outbox.flush()
    } else this.writeShared(this.codec.encodeShared(bye))
    this.ending = { code, reason }
    if (this.held !== undefined || this.socket.buffered() > this.context.limit) return false
    this.socket.end(code, reason)
    return true
  }

  private readonly writeShared = (frame: Frame): void => {
    if (this.held !== undefined || this.socket.send(frame) === "dropped") this.hold(typeof frame === "string" ? frame : frame.slice())
  }

  private hold(frame: Frame): void {
    this.held ??= []
    this.held.push(frame)
    this.heldBytes += frame.length
  }
}
