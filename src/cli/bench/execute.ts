/** Runs one benchmark: progress on standard error, the table on standard output, files as asked for. */
import { writeFile } from "node:fs/promises"
import { mergeLatencies, summarize } from "../../bench/Latency.ts"
import { runLoad } from "../../bench/Load.ts"
import { describeMachine } from "../../bench/Machine.ts"
import { plot } from "../../bench/Plot.ts"
import { describeScenario, report, reportAdded } from "../../bench/Report.ts"
import { loadWasBottleneck, lost, type Result } from "../../bench/Result.ts"
import { added, directSpec, type Pair, runPair } from "../../bench/Rounds.ts"
import type { Progress } from "../../bench/Run.ts"
import type { Spec } from "../../bench/Spec.ts"
import { version } from "../version.ts"

export interface Execution {
  readonly spec: Spec
  /** Where the same load goes in turn, past the proxy, and how many times each of the two is measured. */
  readonly direct?: { readonly url: string; readonly rounds: number } | undefined
  readonly threads: number
  /** Files to write. */
  readonly json: string | undefined
  readonly plot: string | undefined
}

/** One line that is written over on a terminal; elsewhere a line for each phase. */
const progressWriter = (out: NodeJS.WriteStream): ((progress: Progress) => void) => {
  let last = ""
  return ({ phase, opened, sent, received }) => {
    const counts = `${opened} connected, ${sent} sent, ${received} received`
    if (out.isTTY) out.write(`\r\u001B[K${phase}: ${counts}`)
    else if (phase !== last) out.write(`${phase}\n`)
    last = phase
  }
}

const summaries = (result: Result): Readonly<Record<string, unknown>> => {
  const summary = (encoded: string) => summarize(mergeLatencies([encoded]))
  return {
    latency_ms: summary(result.latency),
    requests_ms: summary(result.requests),
    handshakes_ms: summary(result.handshakes),
    lateness_ms: summary(result.lateness),
    lost: lost(result),
    load_was_bottleneck: loadWasBottleneck(result)
  }
}

const withoutQuery = (url: string): string => url.replace(/\?.*$/, "")

/** The specification without what nobody else should see. */
const shown = (spec: Spec): Spec => {
  const { token: _, secret: __, ...target } = spec.target
  return { ...spec, target: { ...target, url: withoutQuery(spec.target.url) } }
}

const secretFlag = /^--(?:token|secret)(?==|$)/

/** The command line, without what nobody else should see. */
export const shownCommand = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.map((arg, at) => {
    if (at > 0 && secretFlag.test(args[at - 1]!) && !args[at - 1]!.includes("=")) return "…"
    return secretFlag.test(arg) ? arg.replace(/=.*/s, "=…") : arg.replace(/^(\w+:\/\/[^?]*)\?.*/s, "$1")
  })

/** What is known of the direct way, for the file. */
const directFigures = (direct: NonNullable<Execution["direct"]>, pair: Pair): Readonly<Record<string, unknown>> => ({
  added_ms: added(pair),
  direct: { url: withoutQuery(direct.url), rounds: direct.rounds, ...summaries(pair.direct), result: pair.direct }
})

const titleOf = ({ scenario, target: { batch, encodings } }: Spec): string => {
  const encoded = scenario.kind === "gateway" ? "" : `, ${encodings.join(" and ")}${batch ? " in batches" : ""}`
  return `${scenario.kind}: ${describeScenario(scenario)}${encoded}`
}

/** Why the figures are not to be relied on, if they are not. */
const problemOf = (result: Result): string | undefined =>
  result.partial ?? (lost(result) === 0 ? undefined : `${lost(result)} of ${result.expected} did not come`)

/**
 * Runs and reports; a first SIGINT or SIGTERM ends the run early, with a partial result, and then the process with 1. Gives why the result is not to be
 * relied on, if so. Rejects when a file can not be written.
 */
export const execute = async ({ spec, direct, threads, json, plot: picture }: Execution): Promise<string | undefined> => {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal)
  const machine = describeMachine()
  const title = titleOf(spec)
  process.stdout.write(`${title}\n  to ${shown(spec).target.url}\n`)
  const load = (one: Spec): Promise<Result> => runLoad(one, { threads, onProgress: progressWriter(process.stderr), signal: stop.signal })
  try {
    const pair = direct === undefined ? undefined : await runPair(spec, directSpec(spec, direct.url), direct.rounds, load)
    const result = pair?.through ?? (await load(spec))
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K")
    process.stdout.write(`${report(spec, result)}\n`)
    if (direct !== undefined && pair !== undefined) {
      process.stdout.write(`  directly to ${withoutQuery(direct.url)}\n${report(spec, pair.direct)}\n`)
      const difference = added(pair)
      if (difference !== undefined) process.stdout.write(`${reportAdded(difference, direct.rounds)}\n`)
    }
    if (picture !== undefined) await writeFile(picture, plot(title, result))
    if (json !== undefined) {
      const command = ["weft", ...shownCommand(process.argv.slice(2))]
      const all = {
        weft: version,
        machine,
        command,
        threads,
        spec: shown(spec),
        partial: result.partial !== undefined || pair?.direct.partial !== undefined,
        ...summaries(result),
        result,
        ...(direct === undefined || pair === undefined ? {} : directFigures(direct, pair))
      }
      await writeFile(json, `${JSON.stringify(all, null, 2)}\n`)
    }
    if (stop.signal.aborted) {
      // The interruption that came with the signal would count as an end in order.
      process.stderr.write("weft: stopped before its end\n")
      process.exit(1)
    }
    const onDirectWay = pair === undefined ? undefined : problemOf(pair.direct)
    return problemOf(result) ?? (onDirectWay === undefined ? undefined : `directly: ${onDirectWay}`)
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal)
  }
}
