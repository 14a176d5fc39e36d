/** WebSockets to backends, by the `ws` library. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { Effect } from "effect"
import WebSocket from "ws"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { GatewayErrorType } from "../GatewayError.ts"
import type { Backend, BackendEnd, BackendHandler, DialFailure } from "./Backend.ts"
import { makeMaskKeys } from "./maskKeys.ts"
import { binaryFrame, MaskedFrames, maxPayload, pingFrame, textFrame } from "./MaskedFrames.ts"
import type { Frame } from "./ReplayBuffer.ts"

export interface DialRequest {
  /** Scheme, host and port of the backend: http, https, ws or wss. */
  readonly url: URL
  /** Path and query, sent as they are. */
  readonly path: string
  /** Names in lower case, one character per byte. The offered subprotocols are among them. */
  readonly headers: ReadonlyMap<string, string>
  /** Milliseconds for the connection and the handshake, all in all. */
  readonly timeout: number
  /** Bytes of the largest message that is taken from the backend. */
  readonly maxMessage: number
}

export interface Dialled {
  readonly backend: Backend
  /** Header lines of the backend's answer, in order. */
  readonly headers: ReadonlyArray<readonly [string, string]>
}

/** Bytes of a refusal that are passed on. */
const maxRefusal = 65_536

/** How long a backend may take to answer a close frame, in milliseconds. */
const closeTimeout = 5_000

/** Bytes that gather for one write before they are given to the kernel although the turn goes on. */
const flushAt = 65_536

const generateMask = makeMaskKeys()

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

class WsBackend implements Backend {
  readonly protocol: string
  private readonly ws: WebSocket
  private readonly socket: Socket
  private readonly turnEnd: TurnEnd
  private readonly outgoing = new MaskedFrames()
  private scheduled = false
  private frames: Array<Frame> = []

  constructor(ws: WebSocket, socket: Socket, protocol: string, turnEnd: TurnEnd) {
    this.ws = ws
    this.socket = socket
    this.protocol = protocol
    this.turnEnd = turnEnd
  }

  start(handler: BackendHandler): void {
    const { socket, ws } = this
    let problem: BackendEnd["problem"]
    let ended = false
    const end = (code: number, reason: string): void => {
      if (ended) return
      ended = true
      this.flushRead(handler)
      handler.onEnd({ code, reason, problem })
    }
    ws.on("message", (data: Buffer, isBinary) => void this.frames.push({ bytes: data, binary: isBinary }))
    // Added after the library's own listener, which reads the messages of the chunk: all of them are here now.
    socket.on("data", () => this.flushRead(handler))
    ws.on("ping", () => handler.onPing())
    ws.on("pong", (payload: Buffer) => handler.onPong(payload))
    ws.on("error", (error: Error & { readonly code?: string }) => {
      problem = problemOf(error)
      // The library now waits for the backend to close; nobody else needs to.
      end(closeCodes.get(error.code) ?? 1006, "")
    })
    ws.on("close", (code, reason) => end(code, reason.toString()))
    // Its end may have come before anybody listened.
    if (ws.readyState === WebSocket.CLOSED) queueMicrotask(() => end(1006, ""))
    else ws.resume()
  }

  private flushRead(handler: BackendHandler): void {
    if (this.frames.length === 0) return
    const { frames } = this
    this.frames = []
    handler.onFrames(frames)
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

const headerLines = ({ rawHeaders }: IncomingMessage): ReadonlyArray<readonly [string, string]> => {
  const lines: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i]?.toLowerCase() ?? "", rawHeaders[i + 1] ?? ""])
  return lines
}

const failed = (failure: BackendFailure): DialFailure => ({ outcome: "failed", failure })

/** Reads what a backend says with its refusal, the beginning of it if that is long. */
const readRefusal = (response: IncomingMessage, done: (refusal: DialFailure) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = (): void => {
    done({ outcome: "refused", status: response.statusCode ?? 502, headers: headerLines(response), body: Buffer.concat(chunks) })
    response.destroy()
  }
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, maxRefusal - size))
    size += chunk.length
    if (size >= maxRefusal) finish()
  })
  response.on("end", finish)
  response.on("error", finish)
}

const offers = (headers: ReadonlyMap<string, string>, protocol: string): boolean =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").some((offered) => offered.trim() === protocol)

/** Between handshake and `start`: the end that follows is seen there. */
const ignore = (): void => undefined

/**
 * Opens a WebSocket to a backend: the subprotocols are the client's business and the backend's, redirects are refusals, and
 * nothing is compressed. Fails with what the backend said instead, or with what went wrong. An interruption leaves nothing
 * open.
 */
export const dial = (request: DialRequest, turnEnd: TurnEnd): Effect.Effect<Dialled, DialFailure> =>
  Effect.callback<Dialled, DialFailure>((resume) => {
    const { headers, maxMessage, path, url } = request
    let protocol = ""
    let answer: IncomingMessage | undefined
    // The library's types do not know all of its options.
    const options: WebSocket.ClientOptions & { readonly closeTimeout: number } = {
      headers: Object.fromEntries(headers),
      perMessageDeflate: false,
      maxPayload: maxMessage,
      closeTimeout,
      generateMask,
      // The library parses its address as a URL, which would change a path.
      finishRequest: (upgrade) => {
        upgrade.path = path
        upgrade.end()
      }
    }
    let ws: WebSocket
    try {
      ws = new WebSocket(`${url.protocol.replace("http", "ws")}//${url.host}`, [], options)
    } catch {
      // Of all that it is given, only the headers come from outside.
      return resume(Effect.fail({ outcome: "unsendable" }))
    }
    ws.on("upgrade", (response) => {
      answer = response
      protocol = response.headers["sec-websocket-protocol"] ?? ""
      // The library would refuse an answer without a subprotocol, which is the client's to judge.
      delete response.headers["sec-websocket-protocol"]
    })
    ws.on("unexpected-response", (_, response) => readRefusal(response, (refusal) => resume(Effect.fail(refusal))))
    // Stays: an aborted handshake reports an error too.
    ws.on("error", (error) => resume(Effect.fail(failed(failureOf(error)))))
    ws.on("open", () => {
      ws.pause()
      if (answer === undefined || (protocol !== "" && !offers(headers, protocol))) {
        ws.terminate()
        resume(Effect.fail(failed({ type: "protocol", message: "the backend chose a subprotocol that was not offered" })))
        return
      }
      // The handshake's listeners would keep its request, its answer and its fiber for as long as the connection lasts.
      ws.removeAllListeners()
      ws.on("error", ignore)
      resume(Effect.succeed({ backend: new WsBackend(ws, answer.socket, protocol, turnEnd), headers: headerLines(answer) }))
    })
    return Effect.sync(() => ws.terminate())
  }).pipe(
    Effect.timeoutOrElse({
      duration: request.timeout,
      orElse: () => Effect.fail(failed({ type: "timeout", message: "the handshake was not answered in time" }))
    })
  )
