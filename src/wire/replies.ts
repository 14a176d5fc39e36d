import { type ErrorCode, errorCodes } from "./Codes.ts"
import type { RequestId, ServerMessage } from "./Messages.ts"

/** The field that ties a reply to its request, where that had one. */
export const withId = (id: RequestId | undefined): { readonly id?: RequestId } => (id === undefined ? {} : { id })

/** The reply to a request that failed. `retryable` where this failure is of another kind than its code's usual one. */
export const errorReply = (
  id: RequestId | undefined,
  code: ErrorCode,
  message: string,
  retryable: boolean = errorCodes[code].retryable
): Extract<ServerMessage, { type: "error" }> => ({ type: "error", ...withId(id), code, message, retryable })
