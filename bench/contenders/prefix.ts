import type { Counter } from "../../src/bench/Dialect.ts"

/** One message for each frame that begins with `prefix`; any other is to be looked at. */
export const prefixCounter = (prefix: string): Counter => {
  const wanted = Buffer.from(prefix)
  return (buffer, start, end) => {
    if (end - start < wanted.length) return -1
    for (let i = 0; i < wanted.length; i++) if (buffer[start + i] !== wanted[i]) return -1
    return 1
  }
}
