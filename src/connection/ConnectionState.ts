/** The decisions of a connection. Pure: states and times in, what to do out. All times in milliseconds. */
import { longestWait } from "../actor/TimerPace.ts"
import type { CloseCode } from "../wire/Codes.ts"

/** What a connection's timer finds. */
export interface Timing {
  /** The last frame from the client. */
  readonly lastFrame: number
  readonly nextHeartbeat: number
  /** Whether the one after it comes after half an interval already. */
  readonly halfNext: boolean
  /** Whether the next heartbeat leaves with what is published next to a room, if that comes before its time. */
  readonly sharesWrite: boolean
  readonly expiresAt: number | undefined
}

export interface HeartbeatOptions {
  readonly interval: number
  readonly timeout: number
}

export type TimerDecision =
  | { readonly decision: "close"; readonly code: CloseCode; readonly reason: string }
  | { readonly decision: "heartbeat" | "share" | "wait"; readonly next: Timing }

const expired: TimerDecision = { decision: "close", code: 4401, reason: "token expired" }
const missed: TimerDecision = { decision: "close", code: 4408, reason: "heartbeat missed" }

/**
 * When a connection that is opened at `now` gets its first heartbeat: in the second half of the first interval. Every other
 * connection gets the second one after half an interval more, so that those that came together, as after a restart, have theirs
 * spread over the whole of each later interval. `phase`, from 0 to below 1, says where.
 */
export const firstHeartbeat = (now: number, interval: number, phase: number): Pick<Timing, "nextHeartbeat" | "halfNext"> =>
  phase < 0.5
    ? { nextHeartbeat: now + interval * (0.5 + phase), halfNext: true }
    : { nextHeartbeat: now + interval * phase, halfNext: false }

/**
 * How long before its time a heartbeat may leave, to share a write with a room's message: a write of its own costs about as much
 * as the delivery of a message, for server and client. A second in 30; where intervals are short, as long as it takes to see it.
 */
const headStart = ({ interval }: HeartbeatOptions): number => Math.max(interval / 30, Math.min(interval / 10, longestWait))

/** From when on a heartbeat may leave. */
const shareFrom = ({ nextHeartbeat }: Timing, heartbeat: HeartbeatOptions): number => nextHeartbeat - headStart(heartbeat)

/** When the timer has to fire next. */
export const nextDue = (timing: Timing, heartbeat: HeartbeatOptions): number =>
  Math.min(
    timing.sharesWrite ? timing.nextHeartbeat : shareFrom(timing, heartbeat),
    timing.lastFrame + heartbeat.timeout,
    timing.expiresAt ?? Infinity
  )

/** What is to come once a heartbeat has left at `now`. */
export const afterHeartbeat = (timing: Timing, { interval }: HeartbeatOptions, now: number): Timing => ({
  ...timing,
  nextHeartbeat: now + (timing.halfNext ? interval / 2 : interval),
  halfNext: false,
  sharesWrite: false
})

/** What the timer does at `now`, and what is to come then. */
export const onTimer = (timing: Timing, heartbeat: HeartbeatOptions, now: number): TimerDecision => {
  if (timing.expiresAt !== undefined && now >= timing.expiresAt) return expired
  if (now - timing.lastFrame >= heartbeat.timeout) return missed
  if (now >= timing.nextHeartbeat) return { decision: "heartbeat", next: afterHeartbeat(timing, heartbeat, now) }
  if (timing.sharesWrite || now < shareFrom(timing, heartbeat)) return { decision: "wait", next: timing }
  return { decision: "share", next: { ...timing, sharesWrite: true } }
}

/** What a client did wrong, as far as a flood of it costs the connection. */
export type Offence = "undecodable" | "invalid" | "rate"

/** How a connection ends when it has used up its mistakes. */
export const floodClose = (offence: Offence): { readonly code: CloseCode; readonly reason: string } =>
  offence === "rate" ? { code: 4429, reason: "too many messages" } : { code: 4400, reason: "too many malformed messages" }
