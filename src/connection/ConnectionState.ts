/** The decisions of a connection. Pure: states and times in, what to do out. All times in milliseconds. */
import type { CloseCode } from "../wire/Codes.ts"

/** What a connection's timer finds. */
export interface Timing {
  /** The last frame from the client. */
  readonly lastFrame: number
  readonly nextHeartbeat: number
  readonly expiresAt: number | undefined
}

export interface HeartbeatOptions {
  readonly interval: number
  readonly timeout: number
}

export type TimerDecision =
  | { readonly decision: "close"; readonly code: CloseCode; readonly reason: string }
  | { readonly decision: "heartbeat" | "wait"; readonly due: number }

const expired: TimerDecision = { decision: "close", code: 4401, reason: "token expired" }
const missed: TimerDecision = { decision: "close", code: 4408, reason: "heartbeat missed" }

/**
 * When a connection that is opened at `now` gets its first heartbeat: in the second half of the first interval, at the place
 * that `phase`, from 0 to 1, says. Clients that came together, as after a restart, do not get all later ones together too.
 */
export const firstHeartbeat = (now: number, interval: number, phase: number): number => now + interval * (1 - phase / 2)

/** When the timer has to fire next. */
export const nextDue = (timing: Timing, heartbeat: HeartbeatOptions): number =>
  Math.min(timing.nextHeartbeat, timing.lastFrame + heartbeat.timeout, timing.expiresAt ?? Infinity)

/** What the timer does at `now`, and when it fires again. */
export const onTimer = (timing: Timing, heartbeat: HeartbeatOptions, now: number): TimerDecision => {
  if (timing.expiresAt !== undefined && now >= timing.expiresAt) return expired
  if (now - timing.lastFrame >= heartbeat.timeout) return missed
  if (now < timing.nextHeartbeat) return { decision: "wait", due: nextDue(timing, heartbeat) }
  return { decision: "heartbeat", due: nextDue({ ...timing, nextHeartbeat: now + heartbeat.interval }, heartbeat) }
}

/** What a client did wrong, as far as a flood of it costs the connection. */
export type Offence = "undecodable" | "invalid" | "rate"

/** How a connection ends when it has used up its mistakes. */
export const floodClose = (offence: Offence): { readonly code: CloseCode; readonly reason: string } =>
  offence === "rate" ? { code: 4429, reason: "too many messages" } : { code: 4400, reason: "too many malformed messages" }
