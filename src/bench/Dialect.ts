/**
 * How a server wants to be spoken to. The load engine knows sockets, counts and time; everything else about a server stands
 * in its dialect. Weft's own is `WeftDialect.ts`; another server's is a module that exports `dialect: MakeDialect`.
 */
import type { Encoding } from "../wire/Codec.ts"
import type { Upgrade } from "./Handshake.ts"

/** One connection's place in a scenario. */
export interface Seat {
  /** Counts over all connections of the run. */
  readonly index: number
  readonly role: "idle" | "echo" | "subscriber" | "publisher"
  /** Empty: none is joined. */
  readonly room: string
}

/** What is counted: replies to echoes, deliveries of published messages, replies to presence requests, acks of publishes. */
export type Kind = "echo" | "message" | "presence" | "ack"

/** A request and the waiting for its answer. `receive` says true when the answer has come and throws `DialectError` when it is a no. */
export interface Exchange {
  readonly send?: Uint8Array
  readonly receive: (buffer: Uint8Array, start: number, end: number) => boolean
}

/** What a closer look at a frame found. */
export interface Look {
  /** Messages of the kinds that were asked for. */
  readonly count: number
  /** What else was in it and is to be reported: `error rate_limited`, `gap`. */
  readonly notices?: ReadonlyArray<string>
  /** Frames that the server wants now: the answer to a heartbeat. */
  readonly reply?: Uint8Array
}

/**
 * The number of messages in a frame, told by as few of its bytes as possible; negative when that does not do and `look` is
 * to be asked.
 */
export type Counter = (buffer: Uint8Array, start: number, end: number) => number

/** The server refused, or said what the dialect does not know. */
export class DialectError extends Error {}

/** All byte results are whole client frames, ready to be written. */
export interface Dialect {
  readonly upgrade: (seat: Seat) => Upgrade
  /** From the upgrade to a usable session. Absent: usable at once. */
  readonly open?: (seat: Seat) => Exchange
  /** Into `seat.room`. Absent: the upgrade did it. */
  readonly join?: (seat: Seat) => Exchange
  /** Whether `echo` and `presence` differ from seat to seat; else they are built once for all. */
  readonly perSeat: boolean
  /** `count` (at least 1) requests at once. Each is answered by one message with its text. */
  readonly echo: (seat: Seat, count: number, text: string) => Uint8Array
  /** `count` messages to everyone in `seat.room`. */
  readonly publish: (seat: Seat, count: number, text: string) => Uint8Array
  /** Who is in `seat.room`. Absent: the server has no presence. */
  readonly presence?: (seat: Seat, count: number) => Uint8Array
  /** A counter for one connection; it may keep what it has seen. */
  readonly counter: (kind: Kind) => Counter
  readonly look: (kinds: ReadonlyArray<Kind>, buffer: Uint8Array, start: number, end: number) => Look
  /** The texts of the published messages in a frame; costs a decode. */
  readonly texts: (buffer: Uint8Array, start: number, end: number) => ReadonlyArray<string>
  /** Whether who publishes gets the message too, if a member. */
  readonly hearsItself: boolean
}

/** Everything that a dialect may need to know; plain data, since it crosses threads. */
export interface DialectOptions {
  /** Path and query of the URL that was given. */
  readonly path: string
  readonly encoding: Encoding
  /** Arrays of messages in one frame, both ways. */
  readonly batch: boolean
  /** A token for every connection, or the secret to mint one for each. */
  readonly token?: string
  readonly secret?: string
}

export type MakeDialect = (options: DialectOptions) => Dialect
