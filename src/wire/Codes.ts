/**
 * The one table of the codes that clients see: errors inside a connection, the HTTP status that the same error has
 * outside of one, and the close codes. Documentation and tests are held against it.
 */

/** What an error code means, whether a retry of the same request can succeed, and its HTTP status. */
export interface ErrorInfo {
  readonly status: number
  readonly retryable: boolean
  readonly meaning: string
}

export const errorCodes = {
  invalid_message: { status: 400, retryable: false, meaning: "the message is not of the form that its type asks for" },
  unknown_type: { status: 400, retryable: false, meaning: "no message has this type" },
  too_large: { status: 413, retryable: false, meaning: "a size limit was passed" },
  unauthorized: { status: 401, retryable: false, meaning: "the token or key is missing, invalid or expired" },
  forbidden: { status: 403, retryable: false, meaning: "known, but not allowed to do this" },
  not_in_room: { status: 403, retryable: false, meaning: "the room has to be joined first" },
  rate_limited: { status: 429, retryable: true, meaning: "too many messages in too short a time" },
  limit_reached: { status: 429, retryable: true, meaning: "a count limit was reached: rooms, members, calls, connections" },
  not_found: { status: 404, retryable: false, meaning: "no such user, connection, method or room" },
  conflict: { status: 409, retryable: false, meaning: "the request contradicts the present state" },
  timeout: { status: 504, retryable: true, meaning: "no answer within the time limit" },
  unavailable: { status: 503, retryable: true, meaning: "this can not be served now, or not by this server" },
  internal: { status: 500, retryable: true, meaning: "a fault of the server" }
} as const satisfies Record<string, ErrorInfo>

export type ErrorCode = keyof typeof errorCodes

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)

/** A WebSocket close code: what it says, and whether a client should connect again. */
export interface CloseInfo {
  readonly reason: string
  readonly reconnect: boolean
}

export const closeCodes = {
  1000: { reason: "normal", reconnect: false },
  1001: { reason: "going away", reconnect: true },
  1009: { reason: "message too big", reconnect: false },
  4400: { reason: "not this protocol", reconnect: false },
  4401: { reason: "token invalid or expired", reconnect: false },
  4403: { reason: "forbidden or disconnected by the server", reconnect: false },
  4408: { reason: "heartbeat missed", reconnect: true },
  4409: { reason: "session taken over", reconnect: false },
  4413: { reason: "too slow", reconnect: true },
  4429: { reason: "rate or connection limit", reconnect: true },
  4500: { reason: "server fault", reconnect: true },
  4503: { reason: "backend unavailable", reconnect: true }
} as const satisfies Record<number, CloseInfo>

export type CloseCode = keyof typeof closeCodes

export const isCloseCode = (code: number): code is CloseCode => Object.hasOwn(closeCodes, code)

/** Whether a client that was closed with `code` should connect again; codes that are not ours: yes, as after a lost link. */
export const shouldReconnect = (code: number): boolean => (isCloseCode(code) ? closeCodes[code].reconnect : true)
