/** What both ways of use have in common: the first connection, and what becomes of the link afterwards. */
import { Redacted } from "effect"
import { handshake } from "../../client/Handshake.ts"
import { type Client, createClient, type LinkState, type ServerMessageOf } from "../../client/index.ts"
import type { Encoding } from "../../wire/Codec.ts"
import { type Failure, failure } from "../Failure.ts"
import { stateLine } from "./Format.ts"
import { probe, type Refusal } from "./Probe.ts"
import { harmless, type Style } from "./Style.ts"
import { shown } from "./Target.ts"

export interface ConnectOptions {
  /** A WebSocket address as `targetOf` gives it. */
  readonly target: string
  /** Joined at the start, in this order. The last one is the current room. */
  readonly rooms: ReadonlyArray<string>
  readonly encoding: Encoding
  readonly token: Redacted.Redacted | undefined
  /** Goes with what is said, as `data.name`. */
  readonly name: string | undefined
  /** Show every message as it is, one line of JSON each. */
  readonly raw: boolean
  /** How long to wait for outstanding replies at the end of input, in milliseconds. */
  readonly linger: number
}

/** Ids of the requests that this program makes: told from those that the user gives to raw messages. */
const idPrefix = "connect-"

export const isOwnId = (id: unknown): boolean => typeof id === "string" && id.startsWith(idPrefix)

const tokenOf = ({ token }: ConnectOptions): string | undefined => (token === undefined ? undefined : Redacted.value(token))

export const clientFor = (options: ConnectOptions): Client => {
  let requests = 0
  return createClient({
    url: options.target,
    encoding: options.encoding,
    token: tokenOf(options),
    ids: () => `${idPrefix}${++requests}`
  })
}

/** What someone says, as `data`. */
export const saying = (text: string, { name }: ConnectOptions): object => (name === undefined ? { text } : { text, name })

const ask = (options: ConnectOptions): Promise<Refusal> =>
  probe(handshake(options.target, { encoding: options.encoding, batch: false, token: tokenOf(options) }))

const isFailedHandshake = (state: LinkState): boolean => "reason" in state && state.reason === "connection failed"

const explain = async (state: Extract<LinkState, { reason: string }>, options: ConnectOptions): Promise<Refusal> =>
  isFailedHandshake(state) ? ask(options) : { text: `${harmless(state.reason)} (${state.code})`, retryable: state.state === "waiting" }

/** Connects for the first time: one attempt. Rejects with a `Failure`. */
export const open = (client: Client, options: ConnectOptions): Promise<ServerMessageOf<"welcome">> =>
  new Promise((resolve, reject) => {
    const stop = client.on("state", (state) => {
      if (state.state === "connecting" || state.state === "idle") return
      stop()
      if (state.state === "open") return void client.connect().then(resolve, reject)
      void client.close()
      explain(state, options).then(({ text }) => reject(failure(`can not connect to ${shown(options.target)}: ${text}`)), reject)
    })
    void client.connect()
  })

/**
 * Tells of losses through `show`, and of an end that no reconnect follows through `fail`: the server closed for good,
 * or refuses a new connection for a reason that stays.
 */
export const watch = (
  client: Client,
  options: ConnectOptions,
  style: Style,
  handlers: { readonly show: (line: string) => void; readonly fail: (error: Failure) => void }
): void => {
  client.on("state", (state) => {
    if (state.state === "closed") return handlers.fail(failure(`closed by the server: ${harmless(state.reason)} (${state.code})`))
    if (!isFailedHandshake(state)) {
      const line = stateLine(state, style)
      return line === undefined ? undefined : handlers.show(line)
    }
    void ask(options).then(({ text, retryable }) => {
      if (!retryable) return handlers.fail(failure(`can not connect again to ${shown(options.target)}: ${text}`))
      // The wait may be over by now.
      return client.link === state ? handlers.show(`can not connect again: ${text}; trying further`) : undefined
    })
  })
}
