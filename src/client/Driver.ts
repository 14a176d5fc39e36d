import type { Codec } from "../wire/Codec.ts"
import { jsonCodec } from "../wire/JsonCodec.ts"
import { msgpackCodec } from "../wire/MsgpackCodec.ts"
import type { ClientType } from "../wire/Messages.ts"
import { type ClientCommand, type ClientEvent, type ClientState, initialState, type LinkState, step } from "./ClientState.ts"
import type { Emitter } from "./Emitter.ts"
import type { ClientEvents, ServerMessageOf } from "./Events.ts"
import { isServerMessage, isUsable } from "./Incoming.ts"
import { Link } from "./Link.ts"
import { Liveness } from "./Liveness.ts"
import type { Settings } from "./Options.ts"
import { Pending } from "./Pending.ts"
import type { Reply, Request } from "./Requests.ts"
import { Timers } from "./Timers.ts"
import type { UnknownMessage } from "./UnknownMessage.ts"
import { closedError, WeftError } from "./WeftError.ts"

interface Waiter {
  readonly resolve: (welcome: ServerMessageOf<"welcome">) => void
  readonly reject: (error: WeftError) => void
}

/** What the server wraps around a client's data must not count against the depth that it allows clients. */
const maxDepth = 1_024

const codecOf = (settings: Settings): Codec => (settings.encoding === "json" ? jsonCodec({ maxDepth }) : msgpackCodec({ maxDepth }))

const utf8 = new TextEncoder()

const longerThan = (frame: string | Uint8Array, limit: number): boolean =>
  typeof frame !== "string" ? frame.length > limit : frame.length * 3 > limit && utf8.encode(frame).length > limit

/** Carries out what `ClientState.ts` decides, with one link at a time, and turns what comes in into replies and events. */
export class Driver {
  readonly #settings: Settings
  readonly #emitter: Emitter<ClientEvents>
  readonly #codec: Codec
  readonly #pending: Pending
  readonly #timers = new Timers()
  readonly #liveness = new Liveness()
  #waiters: Array<Waiter> = []
  #state: ClientState = initialState
  #link: Link | undefined
  #welcome: ServerMessageOf<"welcome"> | undefined
  #closed: Promise<void> = Promise.resolve()

  constructor(settings: Settings, emitter: Emitter<ClientEvents>) {
    this.#settings = settings
    this.#emitter = emitter
    this.#codec = codecOf(settings)
    this.#pending = new Pending(settings.maxPending)
  }

  get state(): ClientState {
    return this.#state
  }

  get welcome(): ServerMessageOf<"welcome"> | undefined {
    return this.#welcome
  }

  connect(): Promise<ServerMessageOf<"welcome">> {
    if (this.#state.link.state === "open" && this.#welcome !== undefined) return Promise.resolve(this.#welcome)
    const welcomed = new Promise<ServerMessageOf<"welcome">>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    // Who does not wait for the connection learns of its end from the `state` event.
    welcomed.catch(() => {})
    this.#apply({ event: "connect" })
    return welcomed
  }

  close(): Promise<void> {
    this.#apply({ event: "close" })
    return this.#closed
  }

  request<const M extends Request>(message: M, timeout = this.#settings.requestTimeout): Promise<Reply<M["type"]>> {
    if (this.#pending.full) return Promise.reject(new WeftError("limit_reached", `${this.#pending.size} requests wait for their reply`))
    const id = this.#settings.ids()
    if (this.#pending.has(id)) return Promise.reject(new WeftError("conflict", `a request with the id ${id} waits for its reply`))
    try {
      this.write({ ...message, id })
    } catch (error) {
      return Promise.reject(error)
    }
    if (message.type === "leave_room") this.#apply({ event: "leaving", room: message.room })
    const type: M["type"] & ClientType = message.type
    return this.#pending.add(id, type, timeout)
  }

  write(message: object): void {
    const link = this.#link
    if (link === undefined || this.#state.link.state !== "open") throw new WeftError("unavailable", "not connected")
    if (link.buffered > this.#settings.maxBuffered) throw new WeftError("limit_reached", `${link.buffered} bytes wait to be sent`)
    const frame = this.#encode(message)
    const limit = this.#welcome?.limits?.message ?? 0
    if (limit > 0 && longerThan(frame, limit)) throw new WeftError("too_large", `the server takes messages of at most ${limit} bytes`)
    if (this.#emitter.heard("frame")) this.#emitter.emit("frame", { direction: "out", message })
    link.send(frame)
  }

  #encode(message: unknown): string | Uint8Array<ArrayBuffer> {
    try {
      return this.#codec.encode(message)
    } catch (error) {
      throw new WeftError("invalid_message", error instanceof Error ? error.message : "can not be encoded")
    }
  }

  #apply(event: ClientEvent): void {
    const before = this.#state.link
    const [state, commands] = step(this.#state, event, this.#settings.reconnect)
    this.#state = state
    for (const command of commands) this.#run(command)
    if (state.link === before) return
    this.#emitter.emit("state", state.link)
    this.#tellWaiters(state.link)
  }

  #run(command: ClientCommand): void {
    switch (command.do) {
      case "dial":
        return this.#dial()
      case "release":
        return this.#release(command.reason)
      case "retry_in":
        return this.#timers.set("retry", command.delay, () => this.#apply({ event: "retry" }))
      case "hold_for":
        return this.#timers.set("hold", command.delay, () => this.#apply({ event: "held" }))
      case "join":
        return this.#rejoin(command.room)
      case "rejoin_in":
        return this.#timers.set(`join ${command.room}`, command.delay, () => this.#apply({ event: "rejoin", room: command.room }))
    }
  }

  #dial(): void {
    const { url, token, batch, WebSocket, attemptTimeout } = this.#settings
    const link: Link = new Link(
      { url, token, batch, WebSocket, codec: this.#codec },
      {
        frame: (messages) => {
          this.#liveness.heard()
          for (const message of messages) if (this.#link === link) this.#receive(message)
        },
        lost: (code, reason) => this.#lost(code, reason)
      }
    )
    this.#link = link
    this.#timers.set("attempt", attemptTimeout, () => this.#lost(1006, `no welcome within ${attemptTimeout} ms`))
  }

  #lost(code: number, reason: string): void {
    this.#apply({ event: "lost", code, reason, random: this.#settings.random() })
  }

  #release(reason: string): void {
    this.#timers.clearAll()
    this.#liveness.stop()
    const link = this.#link
    this.#link = undefined
    if (link !== undefined) this.#closed = link.drop()
    this.#pending.rejectAll(new WeftError("unavailable", reason))
  }

  #rejoin(room: string): void {
    this.request({ type: "join_room", room }).then(
      (joined) => this.#emitter.emit("rejoined", joined),
      (error: unknown) => {
        const known = error instanceof WeftError ? error : new WeftError("internal", String(error))
        const wanted = this.#state.rooms.has(room)
        this.#apply({ event: "refused", room, retryable: known.retryable, random: this.#settings.random() })
        if (wanted && !known.retryable) this.#emitter.emit("rejoin_failed", { room, error: known })
      }
    )
  }

  #receive(message: UnknownMessage): void {
    if (this.#emitter.heard("frame")) this.#emitter.emit("frame", { direction: "in", message })
    if (!isServerMessage(message)) return
    switch (message.type) {
      case "welcome":
        return this.#welcomed(message)
      case "bye":
        this.#apply({ event: "byed", bye: message })
        return this.#emitter.emit("bye", message)
      case "heartbeat":
        this.#answerHeartbeat()
        return this.#emitter.emit("heartbeat", message)
      case "message":
        return this.#emitter.emit("message", message)
      case "direct":
        return this.#emitter.emit("direct", message)
      case "gap":
        return this.#emitter.emit("gap", message)
      case "member_joined":
        return this.#emitter.emit("member_joined", message)
      case "member_left":
        return this.#emitter.emit("member_left", message)
      case "joined":
      case "left":
        this.#apply({ event: message.type, room: message.room })
    }
    if (!this.#pending.settle(message) && message.type === "error") this.#emitter.emit("error", message)
  }

  #welcomed(welcome: ServerMessageOf<"welcome">): void {
    if (!isUsable(welcome)) return this.#lost(4400, "the server's welcome is not of this protocol")
    this.#welcome = welcome
    this.#timers.clear("attempt")
    this.#liveness.start(welcome.heartbeat.timeout, () => this.#lost(4408, `nothing heard for ${welcome.heartbeat.timeout} ms`))
    this.#apply({ event: "welcomed", welcome })
    this.#emitter.emit("welcome", welcome)
  }

  #answerHeartbeat(): void {
    try {
      this.write({ type: "heartbeat" })
    } catch {
      // Nothing goes out at present: what waits to be sent is an answer as good.
    }
  }

  #tellWaiters(link: LinkState): void {
    if (link.state !== "open" && link.state !== "closed") return
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve, reject } of waiters) {
      if (link.state === "closed") reject(closedError(link.code, link.reason))
      else if (this.#welcome !== undefined) resolve(this.#welcome)
    }
  }
}
