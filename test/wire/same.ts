import { isDeepStrictEqual } from "node:util"

/**
 * How two values differ, if they do. Vitest's own comparison takes a value's `constructor` for its class, which is a name
 * like any other in what clients send.
 */
export const difference = (actual: unknown, expected: unknown): string | undefined =>
  isDeepStrictEqual(actual, expected) ? undefined : `${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`
