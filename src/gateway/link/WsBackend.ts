/** A WebSocket to a backend, once its handshake is over. */
import type { Socket } from "node:net"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import type { Backend, BackendEnd, BackendHandler } from "./Backend.ts"
import { type FrameFault, FrameReader, type FrameSink } from "./FrameReader.ts"
import { binaryFrame, closeFrame, MaskedFrames, pingFrame, pongFrame, textFrame } from "./MaskedFrames.ts"
import type { Frame } from "./ReplayBuffer.ts"

/** Bytes that gather for one write before they are given to the kernel although the turn goes on. */
const flushAt = 65_536

/** How long a backend may take to end the connection once one side has said goodbye, in milliseconds. */
const closeTimeout = 5_000

/** Bytes of pongs that may wait for a backend which reads nothing of them. */
const mostPongs = 65_536

/** More than one pong takes beside its payload. */
const pongOverhead = 8

const nothing = Buffer.alloc(0)

const closePayload = (code: number, reason: string): Buffer => {
  if (code === 1005) return nothing
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return payload
}

/** RFC 6455 has a close code for text that is not UTF-8, which says all that a client has to know. */
const endOf = ({ code, message }: FrameFault): BackendEnd => ({
  code: code === 1007 ? code : 1006,
  reason: "",
  problem:
    code === 1009 ? { type: "too_large", message: "a message of the backend is larger than may pass" } : { type: "protocol", message }
})

const unreadPongs: BackendEnd = {
  code: 1006,
  reason: "",
  problem: { type: "slow", message: "the backend does not read the answers to its pings" }
}

const cutOff: BackendEnd = { code: 1006, reason: "", problem: undefined }

const owner = Symbol("owner")

/** A socket that knows whose it is: its listeners are shared, since idle links are many and each function of its own is memory. */
interface OwnedSocket extends Socket {
  [owner]?: WsBackend
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.onData(chunk)
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.onHalfClosed()
}

function onClose(this: OwnedSocket): void {
  this[owner]?.onClosed()
}

export interface WsBackendOptions {
  /** The subprotocol that the backend chose; empty: none. */
  readonly protocol: string
  /** Bytes of the largest message that is taken from the backend. */
  readonly maxMessage: number
  readonly turnEnd: TurnEnd
}

/** An open WebSocket to a backend. Messages of one read are told together, and what one turn sends leaves in one write. */
export class WsBackend implements Backend, FrameSink {
  readonly protocol: string
  private readonly socket: Socket
  private readonly turnEnd: TurnEnd
  private readonly reader: FrameReader
  private readonly outgoing = new MaskedFrames()
  private scheduled = false
  /** Nobody has said goodbye, and the connection is there. */
  private open = true
  private closed: boolean
  private closeTimer: NodeJS.Timeout | undefined = undefined
  private frames: Array<Frame> | undefined = undefined
  /** Bytes of the pongs since the backend had read everything. */
  private pongs = 0
  /** Who is told; nobody before the start and after the end. */
  private told: BackendHandler | undefined = undefined

  /** `socket` is paused and ignores its errors. */
  constructor(socket: Socket, { maxMessage, protocol, turnEnd }: WsBackendOptions) {
    this.socket = socket
    this.protocol = protocol
    this.turnEnd = turnEnd
    this.reader = new FrameReader(maxMessage)
    this.closed = socket.closed
    const owned: OwnedSocket = socket
    owned[owner] = this
    socket.on("end", onEnd)
    socket.on("close", onClose)
  }

  start(handler: BackendHandler): void {
    this.told = handler
    // Its end may have come before anybody listened.
    if (this.closed) queueMicrotask(() => this.onClosed())
    else this.socket.on("data", onData).resume()
  }

  /** Bytes of the backend. */
  onData(chunk: Buffer): void {
    const fault = this.reader.read(chunk, this)
    this.flushRead()
    if (fault === undefined) return
    this.sayGoodbye(fault.code, "")
    this.socket.end()
    this.end(endOf(fault))
  }

  /** The backend sends nothing any more. The socket does the same once all is written, which must not take for ever. */
  onHalfClosed(): void {
    this.endSoon()
    this.end(cutOff)
  }

  onClosed(): void {
    this.open = false
    this.closed = true
    clearTimeout(this.closeTimer)
    // A connection that was cut may have left something to read.
    if (this.told !== undefined && this.socket.readableLength > 0) {
      const rest: unknown = this.socket.read()
      if (Buffer.isBuffer(rest)) this.onData(rest)
    }
    this.end(cutOff)
  }

  onMessage(bytes: Uint8Array, isBinary: boolean): void {
    const frame = { bytes, binary: isBinary }
    if (this.frames === undefined) this.frames = [frame]
    else this.frames.push(frame)
  }

  onPing(payload: Uint8Array): void {
    this.pong(payload)
    this.told?.onPing()
  }

  onPong(payload: Uint8Array): void {
    this.told?.onPong(payload)
  }

  onCloseFrame(code: number, reason: string): void {
    this.flushRead()
    this.sayGoodbye(code, reason)
    this.socket.end()
    this.end({ code, reason, problem: undefined })
  }

  /** Tells of the end, once. */
  private end(end: BackendEnd): void {
    this.flushRead()
    const { told } = this
    this.told = undefined
    told?.onEnd(end)
  }

  private flushRead(): void {
    const { frames } = this
    if (frames === undefined) return
    this.frames = undefined
    this.told?.onFrames(frames)
  }

  private pong(payload: Uint8Array): void {
    if (!this.open) return
    if (this.buffered() === 0) this.pongs = 0
    this.pongs += payload.length + pongOverhead
    this.outgoing.add(payload, pongFrame)
    this.flushLater()
    if (this.pongs <= mostPongs) return
    this.flush()
    if (this.buffered() === 0) return
    this.terminate()
    this.end(unreadPongs)
  }

  send(bytes: ArrayBuffer | Uint8Array, isBinary: boolean): void {
    if (!this.open) return
    this.outgoing.add(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes, isBinary ? binaryFrame : textFrame)
    if (this.outgoing.size > flushAt) this.flush()
    else this.flushLater()
  }

  ping(payload: string): void {
    if (!this.open) return
    this.outgoing.add(Buffer.from(payload, "latin1"), pingFrame)
    this.flushLater()
  }

  private flushLater(): void {
    if (this.scheduled) return
    this.scheduled = true
    // Made anew each time: kept, it would be memory of each idle link.
    this.turnEnd.afterConnections(() => {
      this.scheduled = false
      this.flush()
    })
  }

  /** Gives the socket what has gathered. */
  private flush(): void {
    if (this.outgoing.size === 0) return
    const pieces = this.outgoing.take()
    if (!this.socket.writable) return
    if (pieces.length === 1 && pieces[0] !== undefined) this.socket.write(pieces[0])
    else {
      this.socket.cork()
      for (const piece of pieces) this.socket.write(piece)
      this.socket.uncork()
    }
  }

  buffered(): number {
    return this.socket.writableLength + this.outgoing.size
  }

  pause(): void {
    if (this.open) this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(code: number, reason: string): void {
    this.sayGoodbye(code, reason)
  }

  /** Sends the one close frame of this side, unless it has been sent. Nothing may follow it (RFC 6455, section 5.5.1). */
  private sayGoodbye(code: number, reason: string): void {
    if (!this.open) return
    this.outgoing.add(closePayload(code, reason), closeFrame)
    this.flush()
    this.endSoon()
  }

  /** The connection ends soon, if not by the backend then by the clock. */
  private endSoon(): void {
    this.open = false
    // One that is paused would not see the answer.
    this.socket.resume()
    this.closeTimer ??= setTimeout(() => this.socket.destroy(), closeTimeout)
  }

  terminate(): void {
    // What was sent in this turn goes before, as far as the kernel takes it.
    this.flush()
    this.open = false
    this.socket.destroy()
  }
}
