import { CodecError } from "../wire/Codec.ts"
import type { ErrorCode } from "../wire/Codes.ts"
import { toWireValue } from "../wire/Value.ts"

export interface DataLimits {
  /** Levels of nesting of a message, itself being the first. */
  readonly depth: number
  /** Bytes of the value as JSON. */
  readonly message: number
}

export interface DataProblem {
  readonly code: ErrorCode
  readonly message: string
}

/**
 * What is wrong with a value that is to become `data` of a message, by the rules that clients' own messages have. The walk ends
 * at the bound of depth: a body may nest deeper than the stack is.
 */
export const dataProblem = (data: unknown, limits: DataLimits): DataProblem | undefined => {
  try {
    toWireValue(data, limits.depth - 1)
  } catch (error) {
    if (error instanceof CodecError) return { code: "invalid_message", message: `data: ${error.message}` }
    throw error
  }
  if (Buffer.byteLength(JSON.stringify(data)) > limits.message)
    return { code: "too_large", message: `data: larger than ${limits.message} bytes` }
  return undefined
}
