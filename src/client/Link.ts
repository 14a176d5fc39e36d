import type { Codec } from "../wire/Codec.ts"
import { handshake } from "./Handshake.ts"
import { messagesOf } from "./Incoming.ts"
import type { UnknownMessage } from "./UnknownMessage.ts"

/** As much of a WebSocket as the client uses. Browsers, Node and the `ws` package have it. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: "open" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void
}

export type WebSocketConstructor = new (url: string, protocols: Array<string>) => WebSocketLike

/** A token, or what fetches one; asked before every attempt. */
export type TokenSource = string | (() => string | Promise<string>)

export interface LinkOptions {
  readonly url: string
  readonly codec: Codec
  readonly batch: boolean
  readonly token: TokenSource | undefined
  readonly WebSocket: WebSocketConstructor
}

export interface LinkHandlers {
  /** The messages of one frame, in order. */
  readonly frame: (messages: ReadonlyArray<UnknownMessage>) => void
  /** The link is gone. Called once, and never after `drop`. 1006 where the other side gave no code. */
  readonly lost: (code: number, reason: string) => void
}

const utf8 = new TextEncoder()

/** How long `drop` waits for the other side's half of the close, in milliseconds. */
const closingTime = 1_000

/** One WebSocket from the dialling to its end. Knows frames and codecs, and nothing of what the messages mean. */
export class Link {
  readonly #options: LinkOptions
  #handlers: LinkHandlers | undefined
  #socket: WebSocketLike | undefined
  #opened = false

  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.#options = options
    this.#handlers = handlers
    void this.#dial()
  }

  /** Bytes that are accepted and not yet with the operating system. */
  get buffered(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  /** Sends one encoded message. Nothing happens on a link that is not open. */
  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#opened && this.#handlers !== undefined) this.#socket?.send(frame)
  }

  /** Gives the link up: no handler is called from here on. Resolves when an open socket is closed, or after a second. */
  drop(): Promise<void> {
    this.#handlers = undefined
    const socket = this.#socket
    if (socket === undefined || !this.#opened) {
      socket?.close()
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, closingTime)
      socket.addEventListener("close", () => {
        clearTimeout(timer)
        resolve()
      })
      socket.close(1000)
    })
  }

  async #dial(): Promise<void> {
    const { codec, batch, token: source } = this.#options
    let token: string | undefined
    try {
      token = typeof source === "function" ? await source() : source
    } catch (error) {
      return this.#lost(1006, `no token: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (this.#handlers === undefined) return
    const { url, protocols } = handshake(this.#options.url, { encoding: codec.encoding, batch, token })
    this.#attach(new this.#options.WebSocket(url, protocols))
  }

  #attach(socket: WebSocketLike): void {
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () => {
      this.#opened = true
    })
    socket.addEventListener("error", () => {
      // Node 22 says no more about a failed handshake: there the close event does not follow.
      if (!this.#opened) this.#lost(1006, "connection failed")
    })
    socket.addEventListener("message", (event) => this.#read(event.data))
    socket.addEventListener("close", (event) => {
      this.#opened = false
      this.#lost(event.code, event.reason || "connection lost")
    })
  }

  #read(data: unknown): void {
    const messages = this.#decode(data)
    if (messages !== undefined) return this.#handlers?.frame(messages)
    this.#socket?.close(4400, "undecodable frame")
    this.#lost(4400, "the server sent a frame that is not of this protocol")
  }

  #decode(data: unknown): ReadonlyArray<UnknownMessage> | undefined {
    try {
      if (typeof data === "string") return messagesOf(this.#options.codec.decode(utf8.encode(data)))
      if (data instanceof ArrayBuffer) return messagesOf(this.#options.codec.decode(new Uint8Array(data)))
    } catch {
      // Undecodable, as is any other kind of frame.
    }
    return undefined
  }

  #lost(code: number, reason: string): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.lost(code, reason)
  }
}
