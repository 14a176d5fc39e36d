/**
 * What single parts of the hot path cost: `node bench/micro.ts [NAME...] [--json FILE]`, a name being part of an operation's.
 * Each operation alone in a loop is faster than the same within a server, where caches are shared: compare, do not add up.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { describeMachine } from "../src/bench/Machine.ts"
import { markdown } from "./compare/table.ts"
import { actors } from "./micro/actors.ts"
import { codecs, schemas } from "./micro/codecs.ts"
import { limits } from "./micro/limits.ts"
import { measure } from "./micro/measure.ts"

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } })

const all = [...codecs, ...schemas, ...actors, ...limits]
const chosen = positionals.length === 0 ? all : all.filter(({ name }) => positionals.some((part) => name.includes(part)))
const machine = describeMachine()
const timings = chosen.map(measure)

process.stdout.write(`${machine.date}, ${machine.commit}, ${machine.cpu}, Node ${machine.node}\n\n`)
const rows = timings.map(({ name, nanoseconds: { median, min, max }, bytes }) => [
  name,
  median.toFixed(0),
  `${min.toFixed(0)}–${max.toFixed(0)}`,
  bytes.toFixed(0)
])
process.stdout.write(`${markdown([["", "ns", "least–most", "bytes"], ...rows])}\n`)
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ machine, timings }, null, 2))
process.exit(0)
