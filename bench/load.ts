/**
 * The load of a comparison, a process of its own: reads specifications from the lines of standard input and writes the result
 * of each to standard output. With `stays` it keeps its connections, and each line `again` asks for the result of another window.
 */
import { createInterface } from "node:readline"
import { type LoadOptions, runLoad } from "../src/bench/Load.ts"
import type { Result } from "../src/bench/Result.ts"
import type { Spec } from "../src/bench/Spec.ts"

export type Order = Spec & { readonly stays?: boolean }

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (result: Result) => process.stdout.write(`${JSON.stringify(result)}\n`)

let line = await lines.next()
while (line.done !== true) {
  const { stays = false, ...spec } = JSON.parse(line.value) as Order
  const stop = new AbortController()
  const again: LoadOptions["again"] = async (result) => {
    say(result)
    line = await lines.next()
    if (line.value !== "again") stop.abort()
  }
  const result = await runLoad(spec, { threads: 1, signal: stop.signal, ...(stays ? { again } : {}) })
  if (stop.signal.aborted) continue
  say(result)
  line = await lines.next()
}
