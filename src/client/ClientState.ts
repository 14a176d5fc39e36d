/**
 * The decisions of the client: when to dial, how long to wait, which rooms to join again. Pure; `Client.ts` carries
 * the commands out.
 */
import { shouldReconnect } from "../wire/Codes.ts"
import type { ServerMessageOf } from "./Events.ts"
import { type BackoffOptions, defaultBackoff, fullJitter, maxTimer } from "./Backoff.ts"

/** Where the link stands, as told by the `state` event. */
export type LinkState =
  | { readonly state: "idle" }
  /** Dialling. `attempt` counts the attempts since the last connection that held; the first is 1. */
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "open"; readonly connection: string; readonly session: string }
  /** The link is gone for the reason given; the next attempt comes in `delay` milliseconds. */
  | { readonly state: "waiting"; readonly delay: number; readonly code: number; readonly reason: string }
  /** Gone for good: by `close()`, or because the server said not to come back. `connect()` starts over. */
  | { readonly state: "closed"; readonly code: number; readonly reason: string }

export interface ClientState {
  readonly link: LinkState
  /** Losses in a row, failed attempts included, since a connection last held. */
  readonly failures: number
  /** The rooms to be in, each with how often joining it again failed on this link. */
  readonly rooms: ReadonlyMap<string, number>
  /** The rooms whose leave the server has not answered yet: a `joined` that was on its way does not count. */
  readonly leaving: ReadonlySet<string>
  /** What the server announced for the close to come. */
  readonly bye: ServerMessageOf<"bye"> | undefined
}

export type ClientEvent =
  | { readonly event: "connect" }
  | { readonly event: "close" }
  /** The time to wait is over. */
  | { readonly event: "retry" }
  | { readonly event: "welcomed"; readonly welcome: ServerMessageOf<"welcome"> }
  | { readonly event: "byed"; readonly bye: ServerMessageOf<"bye"> }
  /** The connection has held for `steady` milliseconds. */
  | { readonly event: "held" }
  /** `random` from 0 (included) to 1 (excluded). */
  | { readonly event: "lost"; readonly code: number; readonly reason: string; readonly random: number }
  | { readonly event: "joined"; readonly room: string }
  /** A leave was sent. */
  | { readonly event: "leaving"; readonly room: string }
  /** The server took us out of the room, or answered the leave. */
  | { readonly event: "left"; readonly room: string }
  | { readonly event: "refused"; readonly room: string; readonly retryable: boolean; readonly random: number }
  | { readonly event: "rejoin"; readonly room: string }

export type ClientCommand =
  | { readonly do: "dial" }
  /** Ends whatever belongs to the link: socket, timers, pending requests. */
  | { readonly do: "release"; readonly reason: string }
  | { readonly do: "retry_in"; readonly delay: number }
  | { readonly do: "hold_for"; readonly delay: number }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "rejoin_in"; readonly room: string; readonly delay: number }

export interface ReconnectOptions {
  /** Whether to connect again at all after a link is lost. */
  readonly reconnect: boolean
  readonly backoff: BackoffOptions
  /** How long a connection has to hold, in milliseconds, before its loss counts as the first in a row again. */
  readonly steady: number
  /** The least wait, in milliseconds, after the server closed with 4429 (too many) and named no time. */
  readonly later: number
}

export const defaultReconnect: ReconnectOptions = {
  reconnect: true,
  backoff: defaultBackoff,
  steady: 5_000,
  later: 5_000
}

export type Step = readonly [state: ClientState, commands: ReadonlyArray<ClientCommand>]

export const initialState: ClientState = { link: { state: "idle" }, failures: 0, rooms: new Map(), leaving: new Set(), bye: undefined }

const isDialling = (state: ClientState): boolean => state.link.state === "connecting"
const isUp = (state: ClientState): boolean => isDialling(state) || state.link.state === "open"

const dial = (state: ClientState): Step => [
  { ...state, link: { state: "connecting", attempt: state.failures + 1 }, leaving: new Set(), bye: undefined },
  [{ do: "dial" }]
]

const withRoom = (state: ClientState, room: string, refusals: number): ClientState => ({
  ...state,
  rooms: new Map(state.rooms).set(room, refusals)
})

const withoutRoom = (state: ClientState, room: string): ClientState => {
  const rooms = new Map(state.rooms)
  rooms.delete(room)
  return { ...state, rooms }
}

const withLeaving = (state: ClientState, room: string, leaving: boolean): ClientState => {
  const all = new Set(state.leaving)
  if (leaving) all.add(room)
  else all.delete(room)
  return { ...state, leaving: all }
}

const welcomed = (state: ClientState, welcome: ServerMessageOf<"welcome">, options: ReconnectOptions): Step => {
  const restored = new Set(welcome.rooms)
  const missing = [...state.rooms.keys()].filter((room) => !restored.has(room))
  return [
    {
      ...state,
      link: { state: "open", connection: welcome.connection, session: welcome.session },
      rooms: new Map([...state.rooms.keys()].map((room) => [room, 0]))
    },
    [{ do: "hold_for", delay: options.steady }, ...missing.map((room) => ({ do: "join", room }) as const)]
  ]
}

/** The least wait that the server asks for. */
const notBefore = (state: ClientState, code: number, options: ReconnectOptions): number => {
  const after = state.bye?.after
  if (after !== undefined && after >= 0) return after
  return code === 4429 ? options.later : 0
}

/** A `bye` says more than the close after it: whether and when to come back, and why. */
const lost = (state: ClientState, code: number, reason: string, random: number, options: ReconnectOptions): Step => {
  const why = { code: state.bye?.code ?? code, reason: state.bye?.reason ?? reason }
  const release = { do: "release", reason: `the link was lost: ${why.reason} (${why.code})` } as const
  if (!options.reconnect || !(state.bye?.reconnect ?? shouldReconnect(code))) {
    return [{ ...state, link: { state: "closed", ...why }, failures: 0, bye: undefined }, [release]]
  }
  const delay = Math.min(notBefore(state, why.code, options) + fullJitter(state.failures, random, options.backoff), maxTimer)
  return [
    { ...state, link: { state: "waiting", delay, ...why }, failures: state.failures + 1, bye: undefined },
    [release, { do: "retry_in", delay }]
  ]
}

const refused = (state: ClientState, event: Extract<ClientEvent, { event: "refused" }>, options: ReconnectOptions): Step => {
  const refusals = state.rooms.get(event.room)
  if (refusals === undefined || state.link.state !== "open") return [state, []]
  if (!event.retryable) return [withoutRoom(state, event.room), []]
  return [
    withRoom(state, event.room, refusals + 1),
    [{ do: "rejoin_in", room: event.room, delay: fullJitter(refusals, event.random, options.backoff) }]
  ]
}

/** Decides what follows from an event. Events that come too late for the state they were meant for change nothing. */
export const step = (state: ClientState, event: ClientEvent, options: ReconnectOptions): Step => {
  switch (event.event) {
    case "connect":
      if (isUp(state)) return [state, []]
      if (state.link.state !== "waiting") return dial({ ...state, failures: 0 })
      return prepend({ do: "release", reason: "connecting at once" }, dial(state))
    case "retry":
      return state.link.state === "waiting" ? dial(state) : [state, []]
    case "close":
      if (state.link.state === "closed") return [{ ...state, rooms: new Map() }, []]
      return [
        { ...initialState, link: { state: "closed", code: 1000, reason: "closed by the client" } },
        [{ do: "release", reason: "the client was closed" }]
      ]
    case "welcomed":
      return isDialling(state) ? welcomed(state, event.welcome, options) : [state, []]
    case "byed":
      return isUp(state) ? [{ ...state, bye: event.bye }, []] : [state, []]
    case "held":
      return state.link.state === "open" ? [{ ...state, failures: 0 }, []] : [state, []]
    case "lost":
      return isUp(state) ? lost(state, event.code, event.reason, event.random, options) : [state, []]
    case "joined":
      return state.link.state === "open" && !state.leaving.has(event.room) ? [withRoom(state, event.room, 0), []] : [state, []]
    case "leaving":
      return [withLeaving(withoutRoom(state, event.room), event.room, true), []]
    case "left":
      return [withLeaving(withoutRoom(state, event.room), event.room, false), []]
    case "refused":
      return refused(state, event, options)
    case "rejoin":
      return state.link.state === "open" && state.rooms.has(event.room) ? [state, [{ do: "join", room: event.room }]] : [state, []]
  }
}

const prepend = (command: ClientCommand, [state, commands]: Step): Step => [state, [command, ...commands]]
