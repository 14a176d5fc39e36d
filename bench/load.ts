/**
 * The load of a comparison, a process of its own: reads a specification from the first line of standard input and writes the
 * result to standard output. With `stays` it keeps its connections, and each further line asks for the result of another window.
 */
import { createInterface } from "node:readline"
import { type LoadOptions, runLoad } from "../src/bench/Load.ts"
import type { Result } from "../src/bench/Result.ts"
import type { Spec } from "../src/bench/Spec.ts"

export type Order = Spec & { readonly stays?: boolean }

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (result: Result) => process.stdout.write(`${JSON.stringify(result)}\n`)

const first = await lines.next()
const { stays = false, ...spec } = JSON.parse(first.done === true ? "" : first.value) as Order
const stop = new AbortController()
const again: LoadOptions["again"] = async (result) => {
  say(result)
  if ((await lines.next()).done === true) stop.abort()
}
say(await runLoad(spec, { threads: 1, signal: stop.signal, ...(stays ? { again } : {}) }))
