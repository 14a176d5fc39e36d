import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/**
 * Why a request failed. `code` is one of the protocol's error codes, given by the server or, for what never reached
 * it, by the client: `unavailable` (no link), `timeout`, `limit_reached` (too much pending), `too_large`,
 * `invalid_message` (can not be encoded). `retryable` says whether the same request can succeed later.
 */
export class WeftError extends Error {
  override readonly name = "WeftError"
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, retryable: boolean = errorCodes[code].retryable) {
    super(message)
    this.code = code
    this.retryable = retryable
  }
}

/** The error that tells of a link that will not come back. */
export const closedError = (close: number, reason: string): WeftError => {
  const text = `${reason} (close ${close})`
  if (close === 4401) return new WeftError("unauthorized", text)
  if (close === 4403) return new WeftError("forbidden", text)
  if (close === 4409) return new WeftError("conflict", text)
  return new WeftError("unavailable", text, false)
}
