/**
 * A lean WebSocket client on a raw socket, for load: one read buffer for all connections of a thread, frames sent as they
 * were built, payloads handed on undecoded. Not a client for applications.
 */
import net from "node:net"
import tls from "node:tls"
import { clientFrame, closeCode, closeFrame } from "./Frame.ts"
import { FrameError, FrameParser, Opcode } from "./FrameParser.ts"
import { readResponse, type Upgrade, upgradeRequest } from "./Handshake.ts"

/** Where to connect. `host` is the name in the Host header and in TLS. */
export interface Address {
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  readonly host: string
}

/** How a connection ended. `refused`: the status of an upgrade that was turned down (0: the answer was no HTTP or none came). */
export type Ending =
  | { readonly kind: "closed"; readonly code: number }
  | { readonly kind: "refused"; readonly status: number; readonly message: string }
  | { readonly kind: "unreachable"; readonly message: string }
  | { readonly kind: "broken"; readonly message: string }

export interface ClientHandler {
  /** One whole message, text or binary. `buffer[start, end)` is valid only during the call. */
  onMessage: (buffer: Uint8Array, start: number, end: number) => void
  /** After the messages of one read: the moment to write the answers to all of them at once. */
  onFlush: () => void
}

const readSize = 256 * 1024
/** Reads of one thread follow each other, so that all its sockets can share this buffer. */
const shared = Buffer.allocUnsafeSlow(readSize)

export class LoadClient {
  /** May be exchanged at any time; until then messages are dropped. */
  handler: ClientHandler | undefined
  /** Bytes received after the handshake. */
  bytes = 0
  readonly #onOpen: () => void
  readonly #onEnd: (ending: Ending) => void
  readonly #socket: net.Socket
  readonly #parser: FrameParser
  #head: Buffer | undefined = Buffer.alloc(0)
  #fragments: Array<Uint8Array> = []
  #closeCode = 1006
  #open = false
  #saidGoodbye = false
  #ending: Ending | undefined

  /** `onOpen` comes once, after the upgrade; `onEnd` once, whatever happened. */
  constructor(address: Address, upgrade: Upgrade, onOpen: () => void, onEnd: (ending: Ending) => void) {
    this.#onOpen = onOpen
    this.#onEnd = onEnd
    this.#parser = new FrameParser((opcode, fin, buffer, start, end) => this.#frame(opcode, fin, buffer, start, end))
    const request = upgradeRequest(address.host, upgrade)
    if (address.secure) {
      this.#socket = tls.connect({
        host: address.hostname,
        port: address.port,
        servername: net.isIP(address.hostname) ? "" : address.hostname
      })
      this.#socket.on("data", (chunk: Buffer) => this.#read(chunk, chunk.length))
    } else {
      this.#socket = net.connect({
        host: address.hostname,
        port: address.port,
        noDelay: true,
        onread: {
          buffer: shared,
          callback: (length, buffer) => {
            this.#read(buffer, length)
            return true
          }
        }
      })
    }
    this.#socket.once(address.secure ? "secureConnect" : "connect", () => this.#socket.write(request, "latin1"))
    this.#socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#ending ??=
        this.#open || this.#socket.bytesWritten > 0 ? undefined : { kind: "unreachable", message: error.code ?? error.message }
    })
    this.#socket.once("close", () => this.#finish())
  }

  /** Writes bytes of whole frames. */
  send(frames: Uint8Array): void {
    this.#socket.write(frames)
  }

  /** Says goodbye; `onEnd` follows when the server has answered and closed. */
  close(code = 1000): void {
    if (!this.#open) return this.destroy()
    this.#saidGoodbye = true
    this.#socket.write(closeFrame(code))
  }

  /** Drops the connection without a goodbye; by a reset where that goes, which leaves no port waiting here. */
  destroy(): void {
    if (this.#socket instanceof tls.TLSSocket || !this.#open) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  #read(buffer: Uint8Array, length: number): void {
    try {
      if (this.#head !== undefined) return this.#handshake(buffer, length)
      this.bytes += length
      this.#parser.push(buffer, length)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#fail({ kind: "broken", message: error.message })
      return
    }
    this.handler?.onFlush()
  }

  #handshake(buffer: Uint8Array, length: number): void {
    const head = Buffer.concat([this.#head!, buffer.subarray(0, length)])
    const response = readResponse(head)
    if (!response.done) {
      this.#head = head
      return
    }
    if (!response.ok) return this.#fail({ kind: "refused", status: response.status, message: response.message })
    this.#head = undefined
    this.#open = true
    this.#onOpen()
    const rest = head.subarray(response.rest)
    if (rest.length > 0) this.#read(rest, rest.length)
  }

  #frame(opcode: number, fin: boolean, buffer: Uint8Array, start: number, end: number): void {
    if (fin && (opcode === Opcode.text || opcode === Opcode.binary)) {
      this.handler?.onMessage(buffer, start, end)
    } else if (opcode <= Opcode.binary) {
      this.#fragments.push(Uint8Array.prototype.slice.call(buffer, start, end))
      if (!fin) return
      const whole = Buffer.concat(this.#fragments)
      this.#fragments = []
      this.handler?.onMessage(whole, 0, whole.length)
    } else if (opcode === Opcode.ping) {
      this.#socket.write(clientFrame(Opcode.pong, buffer.subarray(start, end)))
    } else if (opcode === Opcode.close) {
      this.#closeCode = closeCode(buffer, start, end)
      if (this.#saidGoodbye) this.#socket.end()
      else this.#socket.end(closeFrame(this.#closeCode === 1005 ? 1000 : this.#closeCode))
    }
  }

  #fail(ending: Ending): void {
    this.#ending ??= ending
    this.#socket.destroy()
  }

  #finish(): void {
    if (this.#ending === undefined && !this.#open) {
      const refused = this.#socket.bytesWritten > 0
      this.#ending = refused
        ? { kind: "refused", status: 0, message: "the connection was closed before the answer to the upgrade" }
        : { kind: "unreachable", message: "closed" }
    }
    this.#onEnd(this.#ending ?? { kind: "closed", code: this.#closeCode })
  }
}

/** The address that a ws:// or wss:// URL names. Throws `TypeError` for any other URL. */
export const addressOf = (url: string): Address => {
  const parsed = new URL(url)
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") throw new TypeError(`${url} is no ws:// or wss:// URL`)
  const secure = parsed.protocol === "wss:"
  const port = parsed.port === "" ? (secure ? 443 : 80) : Number(parsed.port)
  return { secure, hostname: parsed.hostname.replace(/^\[|\]$/g, ""), port, host: parsed.host }
}
