/** What becomes of a request whose backend failed. Pure. */
import { type Answer, errorAnswer } from "../transport/HttpAnswer.ts"
import { failureOf } from "./BackendFailure.ts"
import { type HeaderRules, ownHeaders } from "./ForwardHeaders.ts"
import type { GatewayErrorType } from "./GatewayError.ts"

/** How far a request came before it failed. */
export interface Progress {
  /** There was a connection, and the request was written to it. */
  readonly sent: boolean
  /** The backend had begun to answer. */
  readonly answering: boolean
  /** The head of its answer was complete. */
  readonly answered: boolean
}

export interface HttpFailure {
  readonly type: GatewayErrorType
  /** Short and in plain words, fit for a log line. */
  readonly message: string
  /** Nothing of an answer came, and the connection had served other requests: the backend may just have closed it for its age. */
  readonly stale: boolean
  /** The request itself could not be written, whatever the backend. */
  readonly unsendable: boolean
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined)

/** What undici says without a code of its own for it. */
const misbehaviour: Readonly<Record<string, string>> = {
  "bad upgrade": "it changed the protocol without being asked",
  "bad response": "it sent an answer that nobody asked for"
}

const brokenOff = "the backend broke off its answer"

/** Whether the connection that broke had carried an answer before. */
const usedBefore = (error: unknown): boolean =>
  error instanceof Error &&
  "socket" in error &&
  typeof error.socket === "object" &&
  error.socket !== null &&
  "bytesRead" in error.socket &&
  typeof error.socket.bytesRead === "number" &&
  error.socket.bytesRead > 0

export const httpFailure = (error: unknown, { answered, answering, sent }: Progress): HttpFailure => {
  const unsendable = codeOf(error) === "UND_ERR_INVALID_ARG" || codeOf(error) === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"
  const misbehaved = error instanceof Error ? misbehaviour[error.message] : undefined
  if (misbehaved !== undefined) return { type: "protocol", message: misbehaved, stale: false, unsendable: false }
  if (codeOf(error) === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH")
    return answered
      ? { type: "lost", message: brokenOff, stale: false, unsendable: false }
      : { type: "protocol", message: "the length of the answer is not clear", stale: false, unsendable: false }
  const { message, type } = failureOf(error)
  if (answering && type === "lost") return { type, message: brokenOff, stale: false, unsendable: false }
  if (!sent && type === "lost") return { type: "connect", message: "the connection was closed at once", stale: false, unsendable }
  return { type, message, stale: sent && !answering && type === "lost" && usedBefore(error), unsendable }
}

/** Methods that mean the same when they arrive twice (RFC 9110, section 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PROPFIND", "PUT", "QUERY", "REPORT", "SEARCH"])

/**
 * Whether a request may go out once more: it never went out, or it was lost before a byte of an answer, has no body and may
 * arrive twice. One that was not answered in time may still be.
 */
export const mayRepeat = (method: string, hasBody: boolean, failure: HttpFailure, { answering, sent }: Progress): boolean => {
  if (failure.unsendable) return false
  if (!sent) return true
  return !answering && !hasBody && failure.type === "lost" && idempotent.has(method)
}

/** An answer of this server's own, as the route has it. */
export const ownAnswer = (rules: HeaderRules, answer: Answer): Answer => ({ ...answer, headers: ownHeaders(rules, answer.headers) })

/** What the client is told. Nothing of the backend's address or its words. */
export const failureAnswer = ({ type, unsendable }: HttpFailure, rules: HeaderRules): Answer => {
  if (unsendable) return ownAnswer(rules, errorAnswer("invalid_message", "this request can not be passed on"))
  return ownAnswer(
    rules,
    type === "timeout"
      ? errorAnswer("timeout", "the backend did not answer in time")
      : errorAnswer("unavailable", "the backend can not be reached or did not answer properly", { status: 502 })
  )
}
