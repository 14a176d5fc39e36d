import type { ErrorCode } from "../wire/Codes.ts"

export interface DataLimits {
  /** Levels of nesting. */
  readonly depth: number
  /** Bytes of the value as JSON. */
  readonly message: number
}

export interface DataProblem {
  readonly code: ErrorCode
  readonly message: string
}

const invalid = (message: string): DataProblem => ({ code: "invalid_message", message: `data: ${message}` })

interface Level {
  readonly values: ReadonlyArray<unknown>
  next: number
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null

/**
 * What is wrong with a value that is to become `data` of a message, by the rules that clients' own messages have. The walk
 * does not recurse: a body may nest deeper than the stack is.
 */
export const dataProblem = (data: unknown, limits: DataLimits): DataProblem | undefined => {
  const path: Array<Level> = [{ values: [data], next: 0 }]
  for (let level = path.at(-1); level !== undefined; level = path.at(-1)) {
    if (level.next === level.values.length) {
      path.pop()
      continue
    }
    const value = level.values[level.next++]
    if (!isContainer(value)) continue
    if (path.length > limits.depth) return invalid(`nested deeper than ${limits.depth} levels`)
    if (Object.hasOwn(value, "__proto__")) return invalid("a key must not be named __proto__")
    path.push({ values: Array.isArray(value) ? value : Object.values(value), next: 0 })
  }
  if (Buffer.byteLength(JSON.stringify(data)) > limits.message)
    return { code: "too_large", message: `data: larger than ${limits.message} bytes` }
  return undefined
}
