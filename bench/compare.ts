/**
 * Weft beside other servers, in turn, in one run.
 *
 *     node bench/compare.ts QUESTION... [--rounds 5] [--contenders bare,weft,NAME=PATH] [--json FILE]
 *
 * Each contender of each round is started afresh, warmed up and stopped; with --windows all of a round run side by side and
 * are measured in turn, unless they are to run --apart. What is measured runs on core 0, the load on core 1;
 * the backend behind a gateway shares the load's core.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import type { Scenario } from "../src/bench/Spec.ts"
import { describeMachine } from "../src/bench/Machine.ts"
import type { Encoding } from "../src/wire/Codec.ts"
import { canPin } from "./compare/children.ts"
import { watchCore } from "./compare/core.ts"
import { type Figures, figuresOf, type Row, withSlowdown } from "./compare/figures.ts"
import { type Question, questionNamed, questions } from "./compare/questions.ts"
import { calmTable, caveats, table } from "./compare/table.ts"
import { type ReadCore, runApart, runRound } from "./compare/round.ts"
import { TrialFailure } from "./compare/trial.ts"
import type { Contender, Subject } from "./contenders/Contender.ts"
import { contenders, contendersOf } from "./contenders/index.ts"

const help = `node bench/compare.ts QUESTION... [flags]

Questions (all: every one)
${questions.map(({ name, asks }) => `  ${name.padEnd(17)}${asks}`).join("\n")}

Flags
  --rounds N          rounds, every contender once in each (5)
  --contenders A,B    of ${contenders.hub.map(({ name }) => name).join(", ")};
                      for gateway-*: ${contenders.gateway.map(({ name }) => name).join(", ")}; all;
                      NAME=PATH is the Weft of another main file; the first is the yardstick
                      (bare,weft; for gateway-*: haproxy,weft,nginx,direct)
  --seconds S         of the measured window      --warmup S       before it
  --windows N         windows in each round (1); with more, a round's contenders run side by side and have theirs in turn
  --apart             a round's contenders run one after the other, and medians are those of all windows
  --encoding E        json, msgpack or json,msgpack (in turn)
  --batch             arrays of messages in one frame
  --connections N --inflight N --size BYTES --rooms N --subscribers N --publishers N --outstanding N --rate N --members N --prime N --hold S --idle N
                      numbers of the scenario
  --json FILE         all figures of all rounds, with the machine and the command
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", short: "h" },
    rounds: { type: "string", default: "5" },
    windows: { type: "string", default: "1" },
    apart: { type: "boolean" },
    contenders: { type: "string" },
    seconds: { type: "string" },
    warmup: { type: "string" },
    encoding: { type: "string" },
    batch: { type: "boolean" },
    connections: { type: "string" },
    inflight: { type: "string" },
    size: { type: "string" },
    rooms: { type: "string" },
    subscribers: { type: "string" },
    publishers: { type: "string" },
    outstanding: { type: "string" },
    rate: { type: "string" },
    members: { type: "string" },
    prime: { type: "string" },
    hold: { type: "string" },
    idle: { type: "string" },
    json: { type: "string" }
  }
})

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const number = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : fail(`--${name} must be a number, not ${text}`)
}

/** The scenario with the flags that it knows; a flag that it does not know is a mistake. */
const adjust = (scenario: Scenario): Scenario => {
  const changed: Record<string, unknown> = { ...scenario }
  for (const name of [
    "connections",
    "inflight",
    "size",
    "rooms",
    "subscribers",
    "publishers",
    "outstanding",
    "rate",
    "members",
    "hold",
    "idle"
  ] as const) {
    const text = values[name]
    if (text === undefined) continue
    const optional = name === "rate" && (scenario.kind === "fanout" || scenario.kind === "gateway")
    if (!(name in scenario) && !optional) fail(`--${name} means nothing to ${scenario.kind}`)
    changed[name] = number(name, text)
  }
  return changed as unknown as Scenario
}

const isEncoding = (text: string): text is Encoding => text === "json" || text === "msgpack"

const withFlags = (question: Question): Question => {
  const encodings = values.encoding?.split(",") ?? question.encodings
  if (!encodings.every(isEncoding)) return fail(`--encoding is json, msgpack or both, not ${values.encoding}`)
  return {
    ...question,
    scenario: adjust(question.scenario),
    encodings,
    batch: values.batch ?? question.batch,
    warmup: values.warmup === undefined ? question.warmup : number("warmup", values.warmup),
    seconds: values.seconds === undefined ? question.seconds : number("seconds", values.seconds)
  }
}

const chosen = (names: ReadonlyArray<string>): ReadonlyArray<Question> =>
  (names.includes("all") ? questions : names.map(questionNamed)).map(withFlags)

interface Plan {
  readonly rounds: number
  readonly windows: number
  /** Whether contenders have a round's windows one after the other, and each window counts like a round. */
  readonly apart: boolean
  readonly readCore: ReadCore
}

/** Rounds in turn, beginning with another contender each time. */
const compare = async (
  question: Question,
  all: ReadonlyArray<Contender>,
  { rounds, windows, apart, readCore }: Plan
): Promise<{ rows: ReadonlyArray<Row>; failures: number }> => {
  const figuresARound = apart ? windows : 1
  const taking = all.filter(({ scenarios }) => scenarios === undefined || scenarios.includes(question.scenario.kind))
  const rows = taking.map(({ name }) => ({
    name,
    rounds: Array.from({ length: rounds * figuresARound }, (): Figures | undefined => undefined)
  }))
  let failures = 0
  for (let round = 0; round < rounds; round++) {
    const first = round % taking.length
    const order = [...taking.slice(first), ...taking.slice(0, first)]
    for await (const [contender, outcome, window] of (apart ? runApart : runRound)(question, order, windows, readCore)) {
      process.stderr.write(`${question.name}, round ${round + 1} of ${rounds}: ${contender.name} `)
      if (outcome instanceof TrialFailure) {
        failures++
        process.stderr.write(`failed: ${outcome.message}\n`)
        continue
      }
      const figures = figuresOf(question, outcome)
      rows[taking.indexOf(contender)]!.rounds[round * figuresARound + window] = figures
      const cpu = figures.cpu === undefined ? "" : `${figures.cpu.toFixed(2)} µs, `
      process.stderr.write(`${cpu}${Math.round(figures.rate)}/s\n`)
      for (const notice in outcome.notices) process.stderr.write(`  ${notice}: ${outcome.notices[notice]}\n`)
    }
  }
  return { rows: withSlowdown(rows), failures }
}

/** Who takes part in the questions about `subject`; who can not is told. */
const takers = (subject: Subject): ReadonlyArray<Contender> => {
  const all = contendersOf(subject, values.contenders)
  for (const { name, missing } of all)
    if (missing?.() !== undefined) process.stdout.write(`${name} is left out: ${missing()} is not installed\n`)
  return all.filter(({ missing }) => missing?.() === undefined)
}

const main = async (): Promise<void> => {
  if (values.help === true || positionals.length === 0) return void process.stdout.write(help)
  const asked = chosen(positionals)
  const subjects = [...new Set(asked.map(({ subject }) => subject))].map((subject) => ({ subject, all: takers(subject) }))
  const rounds = number("rounds", values.rounds)
  const windows = Math.max(1, number("windows", values.windows))
  const apart = values.apart === true
  if (windows > 1 && asked.some(({ scenario }) => scenario.kind === "connect"))
    fail("--windows: what a connection costs is asked of a process that is young; leave it at 1")
  const machine = describeMachine()
  const report = []
  let failures = 0
  process.stdout.write(
    `${machine.date}, ${machine.commit}, ${machine.cpus} × ${machine.cpu}, Node ${machine.node}, ${rounds} rounds${canPin ? "" : ", not pinned"}\n`
  )
  const named = subjects.flatMap(({ all, subject }) =>
    all.map(({ name, settings, version }) => ({ subject, name, settings, ...(version === undefined ? {} : { version: version() }) }))
  )
  for (const { name, settings, version } of named)
    process.stdout.write(`  ${name}${version === undefined ? "" : ` ${version}`}: ${settings}\n`)
  const core = watchCore()
  for (const question of asked) {
    const taking = subjects.find(({ subject }) => subject === question.subject)?.all ?? []
    if (taking.length === 0) fail(`${question.name}: none of the contenders takes part in it`)
    const { rows, failures: failed } = await compare(question, taking, { rounds, windows, apart, readCore: core.read })
    failures += failed
    process.stdout.write(
      `\n${question.name}: ${question.asks}\n${JSON.stringify(question.scenario)}, ${question.encodings.join(" and ")}, ${windows === 1 ? "" : `${windows} × `}${question.seconds} s\n\n`
    )
    process.stdout.write(`${table(question, rows)}\n`)
    const calm = calmTable(question, rows)
    if (calm !== undefined) process.stdout.write(`\n${calm}\n`)
    for (const caveat of caveats(rows)) process.stdout.write(`${caveat}\n`)
    report.push({ question, rows })
  }
  await core.end()
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      JSON.stringify(
        { machine, command: process.argv.slice(2), rounds, windows, apart, pinned: canPin, contenders: named, report },
        null,
        2
      )
    )
  if (failures > 0) fail(`${failures} of the rounds failed`)
}

await main()
