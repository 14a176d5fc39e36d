import { setFlagsFromString } from "node:v8"

/** Calls of a function, about, after which V8 optimizes it. Its own figure is 3,000. */
const calls = 200

/**
 * Tells V8 that it runs a server and not a page. Only thresholds are changed, which may be done at any time, and only in the
 * versions of V8 that are known to have them.
 *
 * What runs often is optimized sooner: a server goes on for weeks, so what it compiles in vain costs little; but in its first
 * seconds, when all clients come back at once, everything ran unoptimized.
 *
 * The heap is not collected twice in a row to give memory back when little is allocated. Little is allocated also where much is
 * delivered: with 10,000 connections everyone waited for 20 to 30 ms each time, in the middle of the traffic.
 */
export const tuneEngine = (): void => {
  if (!process.versions.v8.startsWith("12.")) return
  setFlagsFromString(`--invocation-count-for-turbofan=${calls}`)
  setFlagsFromString("--memory-reducer-gc-count=0")
}
