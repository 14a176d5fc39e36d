import type { LinkState } from "./ClientState.ts"
import { Driver } from "./Driver.ts"
import { Emitter } from "./Emitter.ts"
import type { ClientEvents, ServerMessageOf } from "./Events.ts"
import { type ClientOptions, settle } from "./Options.ts"
import type { Reply, Request } from "./Requests.ts"

export interface RequestOptions {
  /** How long to wait for the reply, in milliseconds. Default: the client's `requestTimeout`. */
  readonly timeout?: number | undefined
}

export interface PublishOptions {
  /** A `broadcast` that is repeated with the same key is published once, in rooms with history. */
  readonly key?: string | undefined
  /** Do not send the message to this connection itself. */
  readonly exclude_self?: boolean | undefined
}

/**
 * One client of a Weft server. Keeps its link up: answers heartbeats, notices a server that went silent, connects
 * again after a loss and joins its rooms again. Requests are rejected with `unavailable` while there is no link and
 * when it is lost before the reply; whether the server has acted on them is then unknown.
 */
export class Client {
  readonly #emitter = new Emitter<ClientEvents>()
  readonly #driver: Driver

  /** Throws `TypeError` for a `url` that is no WebSocket address, or where there is no WebSocket. */
  constructor(options: ClientOptions) {
    this.#driver = new Driver(settle(options), this.#emitter)
  }

  /** Where the link stands. */
  get link(): LinkState {
    return this.#driver.state.link
  }

  /** The rooms that this client is in, or joins again as soon as there is a link. */
  get rooms(): ReadonlyArray<string> {
    return [...this.#driver.state.rooms.keys()]
  }

  /** The `welcome` of the present or last connection. */
  get welcome(): ServerMessageOf<"welcome"> | undefined {
    return this.#driver.welcome
  }

  /** Calls `listener` for every event of this name until the returned function is called. */
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * Connects, unless connected, and keeps trying. Resolves at the `welcome`; rejects with a `WeftError` when the client
   * is closed or the server says not to come back. Cuts a wait between attempts short.
   */
  connect(): Promise<ServerMessageOf<"welcome">> {
    return this.#driver.connect()
  }

  /** Closes the link and forgets the rooms. Resolves when the socket is closed, within a second. */
  close(): Promise<void> {
    return this.#driver.close()
  }

  /** Sends a request and gives its reply. Rejects with a `WeftError`. */
  request<const M extends Request>(message: M, options: RequestOptions = {}): Promise<Reply<M["type"]>> {
    return this.#driver.request(message, options.timeout)
  }

  /**
   * Sends a message as it is, and looks out for no reply: whatever comes back is a `frame`. Throws a `WeftError`:
   * `unavailable` without a link, `invalid_message` for what can not be encoded, `too_large` and `limit_reached`.
   */
  write(message: object): void {
    this.#driver.write(message)
  }

  join(room: string): Promise<Reply<"join_room">> {
    return this.request({ type: "join_room", room })
  }

  leave(room: string): Promise<Reply<"leave_room">> {
    return this.request({ type: "leave_room", room })
  }

  /** Publishes to a room. */
  broadcast(room: string, data: unknown, options: PublishOptions = {}): Promise<Reply<"broadcast">> {
    return this.request({ ...publishing(options), type: "broadcast", room, data })
  }

  /** Publishes to everyone connected, which takes a permission of its own. */
  broadcastAll(data: unknown, options: PublishOptions = {}): Promise<Reply<"broadcast">> {
    return this.request({ ...publishing(options), type: "broadcast", data })
  }

  /** Sends to all connections of a user, or to one connection. */
  send(to: { readonly user: string } | { readonly connection: string }, data: unknown): Promise<Reply<"send">> {
    return this.request({ type: "send", to, data })
  }

  /** Who is in a room. */
  presence(room: string): Promise<Reply<"presence">> {
    return this.request({ type: "presence", room })
  }

  /** Calls a method of the server and gives the data of its result. */
  async call(method: string, data?: unknown, options: RequestOptions = {}): Promise<unknown> {
    const result = await this.request({ type: "call", method, data }, options)
    return result.data
  }

  status(): Promise<Reply<"status">> {
    return this.request({ type: "status" })
  }

  ping(): Promise<Reply<"ping">> {
    return this.request({ type: "ping" })
  }
}

const publishing = ({ key, exclude_self }: PublishOptions): { key?: string; exclude_self?: boolean } => ({
  ...(key === undefined ? {} : { key }),
  ...(exclude_self === undefined ? {} : { exclude_self })
})

/** A client of the server at `options.url`. It connects when told to: `await client.connect()`. */
export const createClient = (options: ClientOptions): Client => new Client(options)
