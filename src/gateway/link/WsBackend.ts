/** A WebSocket to a backend, by the `ws` library. */
import type { Socket } from "node:net"
import WebSocket from "ws"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import { failureOf } from "../BackendFailure.ts"
import type { GatewayErrorType } from "../GatewayError.ts"
import type { Backend, BackendEnd, BackendHandler } from "./Backend.ts"
import { binaryFrame, MaskedFrames, maxPayload, pingFrame, textFrame } from "./MaskedFrames.ts"
import type { Frame } from "./ReplayBuffer.ts"

/** Bytes that gather for one write before they are given to the kernel although the turn goes on. */
const flushAt = 65_536

const text = { binary: false }
const binary = { binary: true }

/** More than the limit, and more than can be counted. */
const tooLarge: ReadonlySet<string | undefined> = new Set(["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH"])

const problemOf = (error: Error & { readonly code?: string }): { readonly type: GatewayErrorType; readonly message: string } =>
  tooLarge.has(error.code)
    ? { type: "too_large", message: "a message of the backend is larger than the route allows" }
    : error.code?.startsWith("WS_ERR_") === true
      ? { type: "protocol", message: error.message }
      : { type: "lost", message: failureOf(error).message }

/** Faults that RFC 6455 has a close code for, which says all that a client has to know. The backend gets it from the library. */
const closeCodes: ReadonlyMap<string | undefined, number> = new Map([["WS_ERR_INVALID_UTF8", 1007]])

/** The library's WebSocket, which knows whose it is: its listeners are shared, since idle links are many and each function of its own is memory. */
export class BackendSocket extends WebSocket {
  owner: WsBackend | undefined = undefined
}

const ownerOf = (ws: WebSocket): WsBackend | undefined => (ws instanceof BackendSocket ? ws.owner : undefined)

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  // Of the forms that the library knows, the one that it uses unless told otherwise.
  if (Buffer.isBuffer(data)) ownerOf(this)?.read({ bytes: data, binary: isBinary })
}

function onPing(this: WebSocket): void {
  ownerOf(this)?.told?.onPing()
}

function onPong(this: WebSocket, payload: Buffer): void {
  ownerOf(this)?.told?.onPong(payload)
}

function onError(this: WebSocket, error: Error & { readonly code?: string }): void {
  // The library now waits for the backend to close; nobody else needs to.
  ownerOf(this)?.end(closeCodes.get(error.code) ?? 1006, "", problemOf(error))
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  ownerOf(this)?.end(code, reason.toString())
}

/** An open WebSocket to a backend. Messages of one read are told together, and what one turn sends leaves in one write. */
export class WsBackend implements Backend {
  readonly protocol: string
  private readonly ws: BackendSocket
  private readonly socket: Socket
  private readonly turnEnd: TurnEnd
  private readonly outgoing = new MaskedFrames()
  private scheduled = false
  private frames: Array<Frame> | undefined = undefined
  /** Who is told; nobody before the start and after the end. */
  told: BackendHandler | undefined = undefined

  constructor(ws: BackendSocket, socket: Socket, protocol: string, turnEnd: TurnEnd) {
    this.ws = ws
    this.socket = socket
    this.protocol = protocol
    this.turnEnd = turnEnd
  }

  start(handler: BackendHandler): void {
    const { socket, ws } = this
    this.told = handler
    ws.owner = this
    ws.on("message", onMessage)
    // Added after the library's own listener, which reads the messages of the chunk: all of them are here now.
    socket.on("data", this.flushRead)
    ws.on("ping", onPing)
    ws.on("pong", onPong)
    ws.on("error", onError)
    ws.on("close", onClose)
    // Its end may have come before anybody listened.
    if (ws.readyState === WebSocket.CLOSED) queueMicrotask(() => this.end(1006, ""))
    else ws.resume()
  }

  read(frame: Frame): void {
    if (this.frames === undefined) this.frames = [frame]
    else this.frames.push(frame)
  }

  /** Tells of the end, once. */
  end(code: number, reason: string, problem?: BackendEnd["problem"]): void {
    this.flushRead()
    const { told } = this
    this.told = undefined
    told?.onEnd({ code, reason, problem })
  }

  private readonly flushRead = (): void => {
    const { frames } = this
    if (frames === undefined) return
    this.frames = undefined
    this.told?.onFrames(frames)
  }

  send(bytes: ArrayBuffer | Uint8Array, isBinary: boolean): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    if (bytes.byteLength > maxPayload) {
      this.flush()
      this.ws.send(bytes, isBinary ? binary : text)
      return
    }
    this.outgoing.add(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes, isBinary ? binaryFrame : textFrame)
    if (this.outgoing.size > flushAt) this.flush()
    else this.flushLater()
  }

  ping(payload: string): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    this.outgoing.add(Buffer.from(payload, "latin1"), pingFrame)
    this.flushLater()
  }

  private flushLater(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.turnEnd.afterConnections(this.flushScheduled)
  }

  private readonly flushScheduled = (): void => {
    this.scheduled = false
    this.flush()
  }

  /** Gives the socket what has gathered. The library writes the frames that it makes itself to the same socket, so they keep their place. */
  private flush(): void {
    if (this.outgoing.size === 0) return
    const pieces = this.outgoing.take()
    // Nothing may follow a close frame (RFC 6455, section 5.5.1), and the library answers the backend's by itself.
    if (this.ws.readyState !== WebSocket.OPEN || !this.socket.writable) return
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
    this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }

  close(code: number, reason: string): void {
    this.flush()
    // One that is paused would not see the answer.
    this.ws.resume()
    if (code === 1005) this.ws.close()
    else this.ws.close(code, reason)
  }

  terminate(): void {
    // What was sent in this turn goes before, as far as the kernel takes it.
    this.flush()
    this.ws.terminate()
  }
}
