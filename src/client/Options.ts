import type { Encoding } from "../wire/Codec.ts"
import type { RequestId } from "../wire/Messages.ts"
import { type BackoffOptions, defaultBackoff } from "./Backoff.ts"
import { defaultReconnect, type ReconnectOptions } from "./ClientState.ts"
import { webSocketUrl } from "./Handshake.ts"
import type { TokenSource, WebSocketConstructor } from "./Link.ts"

/** Times in milliseconds, sizes in bytes. */
export interface ClientOptions {
  /** `ws:`, `wss:`, `http:` or `https:`; in a browser also relative to the page. */
  readonly url: string | URL
  /** Default `json`. */
  readonly encoding?: Encoding | undefined
  /** A function is asked before every attempt, so that a fresh token is used; if it fails, so does the attempt. */
  readonly token?: TokenSource | undefined
  /** Asks the server to put several messages into one frame where it has them. Default false. */
  readonly batch?: boolean | undefined
  /** For a Node without a global WebSocket (before 22): the one of the `ws` package. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** Whether to connect again after a lost link. Default true. */
  readonly reconnect?: boolean | undefined
  /** Default: waits of at most 500 ms at first, doubling to at most 30 s. */
  readonly backoff?: Partial<BackoffOptions> | undefined
  /** How long an attempt may take from the token to the `welcome`. Default 10 s. */
  readonly attemptTimeout?: number | undefined
  /** How long a request waits for its reply. Default 10 s. */
  readonly requestTimeout?: number | undefined
  /** Requests that may wait for a reply at once; more are rejected with `limit_reached`. Default 1,000. */
  readonly maxPending?: number | undefined
  /** Bytes that may wait to be sent; more are rejected with `limit_reached`. Default 16 MiB. */
  readonly maxBuffered?: number | undefined
  /** Numbers from 0 (included) to 1 (excluded), for the jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Gives the `id` of the next request. Default: 1, 2, 3, … For those who `write` messages with ids of their own. */
  readonly ids?: (() => RequestId) | undefined
}

/** The options with nothing left open. */
export interface Settings {
  readonly url: string
  readonly encoding: Encoding
  readonly token: TokenSource | undefined
  readonly batch: boolean
  readonly WebSocket: WebSocketConstructor
  readonly reconnect: ReconnectOptions
  readonly attemptTimeout: number
  readonly requestTimeout: number
  readonly maxPending: number
  readonly maxBuffered: number
  readonly random: () => number
  readonly ids: () => RequestId
}

const counter = (): (() => number) => {
  let last = 0
  return () => ++last
}

const pageAddress = (): string | undefined => (typeof location === "undefined" ? undefined : location.href)

const webSocketConstructor = (given: WebSocketConstructor | undefined): WebSocketConstructor => {
  const found = given ?? globalThis.WebSocket
  if (found === undefined) throw new TypeError("this runtime has no WebSocket: pass one as the option `WebSocket`")
  return found
}

/** Fills in the defaults. Throws `TypeError` for an address that is none, or where there is no WebSocket. */
export const settle = (options: ClientOptions): Settings => ({
  url: webSocketUrl(options.url, pageAddress()),
  encoding: options.encoding ?? "json",
  token: options.token,
  batch: options.batch ?? false,
  WebSocket: webSocketConstructor(options.WebSocket),
  reconnect: { ...defaultReconnect, reconnect: options.reconnect ?? true, backoff: { ...defaultBackoff, ...options.backoff } },
  attemptTimeout: options.attemptTimeout ?? 10_000,
  requestTimeout: options.requestTimeout ?? 10_000,
  maxPending: options.maxPending ?? 1_000,
  maxBuffered: options.maxBuffered ?? 16_777_216,
  random: options.random ?? Math.random,
  ids: options.ids ?? counter()
})
