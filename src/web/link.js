// @ts-check
/**
 * One connection to the hub that comes back by itself: welcome, replies by `id`, heartbeats, reconnecting.
 *
 * @import { ClientMessage, ServerMessage, Welcome } from "../wire/Messages.ts"
 * @import { Codec } from "./codec.js"
 *
 * @typedef {{ phase: "connecting" }
 *   | { phase: "open", welcome: Welcome }
 *   | { phase: "waiting", until: number, reason: string }
 *   | { phase: "stopped", reason: string }} LinkState
 *   `until` is the time of the next attempt
 *
 * @typedef {object} Frame
 * @property {"in" | "out"} direction
 * @property {number} time
 * @property {number} size in bytes
 * @property {unknown} value
 * @property {Uint8Array | undefined} bytes of a binary frame
 * @property {boolean} background traffic of the page itself, such as pings
 *
 *
 * @typedef {object} LinkOptions
 * @property {string} url
 * @property {Codec} codec
 * @property {string} token "" for none
 * @property {() => Promise<"ready" | "busy" | "away">} isThere asked when a connection was refused: what of the server
 * @property {(state: LinkState) => void} onState
 * @property {(message: ServerMessage) => void} onMessage gets what is no reply to a request
 * @property {(frame: Frame) => void} onFrame
 */
import { frameSize } from "./codec.js"
import { closeText, reconnectDelay, shouldReconnect } from "./reconnect.js"

const welcomeTimeout = 15_000
const replyTimeout = 15_000
const steadyAfter = 5_000
const watchEvery = 2_000

/** Why a request failed: an error code of the protocol, or `disconnected`: whether it was carried out is not known. */
export class LinkError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/**
 * The server that served this page speaks the protocol, so a known shape is enough to go by.
 * @param {unknown} value
 * @returns {value is ServerMessage}
 */
const isServerMessage = (value) => typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

/** A subprotocol may hold only these characters (RFC 9110, token); any other token has to travel in the query. */
const fitsSubprotocol = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export class Link {
  #options
  /** @type {WebSocket | undefined} */
  #socket
  /** @type {LinkState} */
  #state = { phase: "stopped", reason: "" }
  #attempt = 0
  #everWelcomed = false
  /** @type {Extract<ServerMessage, { type: "bye" }> | undefined} */
  #bye
  #lastFrame = 0
  #nextId = 1
  /** @type {Map<number, { resolve: (reply: ServerMessage) => void, reject: (error: LinkError) => void, timer: ReturnType<typeof setTimeout>, background: boolean }>} */
  #pending = new Map()
  /** @type {Set<ReturnType<typeof setTimeout>>} */
  #timers = new Set()

  /** @param {LinkOptions} options */
  constructor(options) {
    this.#options = options
  }

  get state() {
    return this.#state
  }

  /** Connects, unless it is connected already; cuts a wait for the next attempt short. */
  connect() {
    if (this.#socket !== undefined) return
    this.#clearTimers()
    const { url, codec, token } = this.#options
    const inProtocol = token !== "" && fitsSubprotocol.test(token)
    const target = new URL(url)
    if (token !== "" && !inProtocol) target.searchParams.set("token", token)
    const socket = new WebSocket(target, inProtocol ? [codec.subprotocol, `weft.token.${token}`] : [codec.subprotocol])
    socket.binaryType = "arraybuffer"
    socket.onmessage = (event) => this.#received(socket, event.data)
    socket.onclose = (event) => this.#closed(socket, event.code, event.reason)
    // Not every implementation follows up a failed handshake with `close`; where one does, that comes too late to matter.
    socket.onerror = () => this.#state.phase === "connecting" && this.#closed(socket, 1006, "")
    this.#socket = socket
    this.#bye = undefined
    this.#after(welcomeTimeout, () => this.#abandon(socket))
    this.#enter({ phase: "connecting" })
  }

  /** Closes the connection for good. */
  stop(reason = "") {
    const socket = this.#socket
    this.#socket = undefined
    this.#clearTimers()
    this.#failPending()
    socket?.close(1000)
    this.#enter({ phase: "stopped", reason })
  }

  /**
   * Sends a message that asks for no reply. False: not connected, nothing was sent.
   * @param {ClientMessage} message
   */
  send(message, background = false) {
    const socket = this.#socket
    if (socket === undefined || this.#state.phase !== "open" || socket.readyState !== WebSocket.OPEN) return false
    const frame = this.#options.codec.encode(message)
    const bytes = typeof frame === "string" ? undefined : frame
    socket.send(frame)
    this.#options.onFrame({ direction: "out", time: Date.now(), size: frameSize(frame), value: message, bytes, background })
    return true
  }

  /**
   * Sends a message and waits for its reply. Fails with a `LinkError`: the server's `error`, `timeout`, or `disconnected`.
   * @param {ClientMessage} message
   * @returns {Promise<ServerMessage>}
   */
  request(message, background = false) {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (!this.send({ ...message, id }, background)) return reject(new LinkError("unsent", "there is no connection"))
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(new LinkError("timeout", "the server did not answer in time"))
      }, replyTimeout)
      this.#pending.set(id, { resolve, reject, timer, background })
    })
  }

  /**
   * @param {WebSocket} socket
   * @param {string | ArrayBuffer} data
   */
  #received(socket, data) {
    if (socket !== this.#socket) return
    this.#lastFrame = Date.now()
    const { codec, onFrame, onMessage } = this.#options
    /** @type {unknown} */
    let value
    try {
      value = codec.decode(data)
    } catch {
      return this.stop("The server sent a frame that can not be decoded")
    }
    const size = frameSize(data)
    const bytes = typeof data === "string" ? undefined : new Uint8Array(data)
    const message = isServerMessage(value) ? value : undefined
    const pending = message !== undefined && "id" in message && typeof message.id === "number" ? this.#take(message.id) : undefined
    const background = message?.type === "heartbeat" || (pending?.background ?? false)
    onFrame({ direction: "in", time: this.#lastFrame, size, value, bytes, background })
    if (message === undefined) return
    if (pending !== undefined) {
      if (message.type === "error") pending.reject(new LinkError(message.code, message.message))
      else pending.resolve(message)
      return
    }
    if (message.type === "welcome") return this.#welcomed(socket, message)
    if (message.type === "heartbeat") return void this.send({ type: "heartbeat" }, true)
    if (message.type === "bye") this.#bye = message
    onMessage(message)
  }

  /**
   * @param {WebSocket} socket
   * @param {Welcome} welcome
   */
  #welcomed(socket, welcome) {
    this.#clearTimers()
    this.#everWelcomed = true
    this.#after(steadyAfter, () => (this.#attempt = 0))
    if (welcome.heartbeat.timeout > 0) this.#watch(socket, welcome.heartbeat.timeout)
    this.#enter({ phase: "open", welcome })
  }

  /**
   * Gives the connection up when nothing came from the server for `timeout` ms.
   * @param {WebSocket} socket
   * @param {number} timeout
   */
  #watch(socket, timeout) {
    this.#after(watchEvery, () => {
      if (Date.now() - this.#lastFrame > timeout) this.#abandon(socket)
      else this.#watch(socket, timeout)
    })
  }

  /**
   * Treats the connection as lost without waiting for the other side, which may be gone.
   * @param {WebSocket} socket
   */
  #abandon(socket) {
    socket.close(4408)
    this.#closed(socket, 4408, "")
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   * @param {string} reason
   */
  async #closed(socket, code, reason) {
    if (socket !== this.#socket) return
    const refused = this.#state.phase === "connecting"
    const bye = this.#bye
    this.#socket = undefined
    this.#clearTimers()
    this.#failPending()
    if (!(bye?.reconnect ?? shouldReconnect(code))) return this.#enter({ phase: "stopped", reason: closeText(code, bye?.reason ?? reason) })
    if (!refused) return this.#wait(closeText(code, bye?.reason ?? reason), code, bye?.after)
    const there = await this.#options.isThere()
    if (this.#socket !== undefined || this.#state.phase !== "connecting") return
    if (there === "away") return this.#wait("The server can not be reached", code)
    if (there === "busy") return this.#wait("The server is not ready", code)
    const why = "The server refused the connection: it may ask for a token, or have reached a limit"
    if (this.#everWelcomed) return this.#wait(why, code)
    this.#enter({ phase: "stopped", reason: why })
  }

  /**
   * @param {string} reason
   * @param {number} code
   * @param {number} [after]
   */
  #wait(reason, code, after) {
    const delay = reconnectDelay({ attempt: this.#attempt++, code, after, random: Math.random() })
    this.#after(delay, () => this.connect())
    this.#enter({ phase: "waiting", until: Date.now() + delay, reason })
  }

  /** @param {LinkState} state */
  #enter(state) {
    this.#state = state
    this.#options.onState(state)
  }

  /** @param {number} id */
  #take(id) {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    clearTimeout(pending.timer)
    this.#pending.delete(id)
    return pending
  }

  #failPending() {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(new LinkError("disconnected", "the connection was lost"))
  }

  /**
   * @param {number} ms
   * @param {() => void} run
   */
  #after(ms, run) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    this.#timers.add(timer)
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
