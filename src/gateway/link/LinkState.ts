/** What the end of one side of a link means for the other. Pure. */
import type { GatewayErrorType } from "../GatewayError.ts"
import type { BackendEnd } from "./Backend.ts"

export type FailoverMode = "close" | "reconnect"

/** A close code with its reason. */
export interface Goodbye {
  readonly code: number
  readonly reason: string
}

/** Codes that the gateway says by itself: of the protocol's own table, or of RFC 6455 and the registry it made. */
export const backendLost: Goodbye = { code: 4503, reason: "backend lost" }
export const backendTooSlow: Goodbye = { code: 1013, reason: "the backend does not keep up" }
export const clientTooSlow: Goodbye = { code: 4413, reason: "too slow" }
export const idle: Goodbye = { code: 4408, reason: "no message for too long" }
export const tooBig: Goodbye = { code: 1009, reason: "message too big" }
export const goingAway: Goodbye = { code: 1001, reason: "going away" }
export const serverFault: Goodbye = { code: 4500, reason: "server fault" }
export const flood: Goodbye = { code: 4429, reason: "too many messages at once" }

/**
 * Close codes by which a backend says that it goes, not that the client should: it goes away (1001), it is restarted
 * (1012). Without a close frame (1006) it is gone.
 */
const leaves: ReadonlySet<number> = new Set([1001, 1006, 1012])

/** What of a backend's frames makes another backend no better. */
const codeOfProblem = ({ problem }: BackendEnd): Goodbye | undefined => {
  if (problem?.type === "too_large") return tooBig
  return undefined
}

export type AfterBackend = { readonly action: "seek" } | ({ readonly action: "close" } & Goodbye)

/** The backend's side has ended: the client is told the same, or stays while another backend is sought. */
export const afterBackend = (mode: FailoverMode, end: BackendEnd): AfterBackend => {
  const fault = codeOfProblem(end)
  if (fault !== undefined) return { action: "close", ...fault }
  if (mode === "reconnect" && leaves.has(end.code)) return { action: "seek" }
  return end.code === 1006 ? { action: "close", ...backendLost } : { action: "close", code: end.code, reason: end.reason }
}

/** What a backend's end says against it. */
export interface BackendFault {
  readonly type: GatewayErrorType
  readonly message: string
}

/**
 * Whether the end of a backend is its fault: it went without a word, or wrongly; or it went away before it had proved itself
 * (`proved`), however politely, where the link has to move for that. Else it was stopped, restarted or meant the client.
 */
export const faultOfEnd = (mode: FailoverMode, end: BackendEnd, proved: boolean): BackendFault | undefined => {
  if (end.problem !== undefined) return end.problem
  if (end.code === 1006) return { type: "lost", message: "the backend closed without a close frame" }
  if (proved || afterBackend(mode, end).action === "close") return undefined
  return { type: "lost", message: `the backend closed with ${end.code} soon after it had accepted` }
}

/** What uWebSockets.js calls it when a client's frames are wrong; it closes without a close frame then. */
const faults: ReadonlyArray<readonly [text: string, code: number]> = [
  ["Received invalid WebSocket frame", 1002],
  ["Received invalid UTF-8", 1007],
  ["Received too big message", 1009],
  // A close frame all the same, with a code that the transport does not know.
  ["Received invalid close payload", 1005]
]

/** How the client's side ended, in the words for the backend. Undefined: without a word, as the client. */
export const afterClient = (code: number, reason: string): Goodbye | undefined => {
  if (code !== 1006) return { code, reason }
  const fault = faults.find(([text]) => reason.startsWith(text))
  return fault === undefined ? undefined : { code: fault[1], reason: "" }
}

/** Whether a side that had `before` bytes to read, and now has `now`, reads them; with none left there is nothing to see. */
export const shrinks = (before: number, now: number): boolean => now > 0 && now < before
