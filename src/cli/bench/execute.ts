/** Runs one benchmark: progress on standard error, the table on standard output, files as asked for. */
import { writeFile } from "node:fs/promises"
import { mergeLatencies, summarize } from "../../bench/Latency.ts"
import { runLoad } from "../../bench/Load.ts"
import { describeMachine } from "../../bench/Machine.ts"
import { plot } from "../../bench/Plot.ts"
import { describeScenario, report } from "../../bench/Report.ts"
import { loadWasBottleneck, lost, type Result } from "../../bench/Result.ts"
import type { Progress } from "../../bench/Run.ts"
import type { Spec } from "../../bench/Spec.ts"
import { version } from "../version.ts"

export interface Execution {
  readonly spec: Spec
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

/** The specification without what nobody else should see. */
const shown = (spec: Spec): Spec => {
  const { token: _, secret: __, ...target } = spec.target
  return { ...spec, target: { ...target, url: spec.target.url.replace(/\?.*$/, "") } }
}

const secretFlag = /^--(?:token|secret)(?==|$)/

/** The command line, without what nobody else should see. */
export const shownCommand = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.map((arg, at) => {
    if (at > 0 && secretFlag.test(args[at - 1]!) && !args[at - 1]!.includes("=")) return "…"
    return secretFlag.test(arg) ? arg.replace(/=.*/s, "=…") : arg.replace(/^(\w+:\/\/[^?]*)\?.*/s, "$1")
  })

/**
 * Runs and reports; a first SIGINT or SIGTERM ends the run early, with a partial result, and then the process with 1. Gives why the result is not to be
 * relied on, if so. Rejects when a file can not be written.
 */
export const execute = async ({ spec, threads, json, plot: picture }: Execution): Promise<string | undefined> => {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal)
  const machine = describeMachine()
  const title = `${spec.scenario.kind}: ${describeScenario(spec.scenario)}, ${spec.target.encodings.join(" and ")}${spec.target.batch ? " in batches" : ""}`
  process.stdout.write(`${title}\n  to ${shown(spec).target.url}\n`)
  try {
    const result = await runLoad(spec, { threads, onProgress: progressWriter(process.stderr), signal: stop.signal })
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K")
    process.stdout.write(`${report(spec, result)}\n`)
    if (picture !== undefined) await writeFile(picture, plot(title, result))
    if (json !== undefined) {
      const command = ["weft", ...shownCommand(process.argv.slice(2))]
      const all = {
        weft: version,
        machine,
        command,
        threads,
        spec: shown(spec),
        partial: result.partial !== undefined,
        ...summaries(result),
        result
      }
      await writeFile(json, `${JSON.stringify(all, null, 2)}\n`)
    }
    if (stop.signal.aborted) {
      // The interruption that came with the signal would count as an end in order.
      process.stderr.write("weft: stopped before its end\n")
      process.exit(1)
    }
    if (result.partial !== undefined) return result.partial
    return lost(result) === 0 ? undefined : `${lost(result)} of ${result.expected} did not come`
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal)
  }
}
