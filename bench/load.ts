/** The load of a comparison, a process of its own: reads a specification from standard input, writes the result to standard output. */
import { text } from "node:stream/consumers"
import { runLoad } from "../src/bench/Load.ts"
import type { Spec } from "../src/bench/Spec.ts"

const spec = JSON.parse(await text(process.stdin)) as Spec
process.stdout.write(`${JSON.stringify(await runLoad(spec, { threads: 1 }))}\n`)
