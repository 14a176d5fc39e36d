/** Runs one thread's part of a specification from the first handshake to the last goodbye. */
import type { MakeDialect } from "./Dialect.ts"
import { dialect as raw } from "./RawDialect.ts"
import type { Result } from "./Result.ts"
import { type Control, LoadFailure, Run } from "./Run.ts"
import { runConnect } from "./scenarios/Connect.ts"
import { runEcho, runPresence } from "./scenarios/Echo.ts"
import { runFanout } from "./scenarios/Fanout.ts"
import { runGateway } from "./scenarios/Gateway.ts"
import { runMixed } from "./scenarios/Mixed.ts"
import type { Spec } from "./Spec.ts"
import { dialect as weft } from "./WeftDialect.ts"

/** What the server did to several connections at once is seen within this time. */
const aftermath = 50

const loadDialect = async ({ scenario, target: { dialect: module } }: Spec): Promise<MakeDialect> => {
  if (module === undefined) return scenario.kind === "gateway" ? raw : weft
  const loaded: { readonly dialect?: MakeDialect } = await import(module)
  if (loaded.dialect === undefined) throw new LoadFailure(`${module} exports no dialect`)
  return loaded.dialect
}

const runScenario = (run: Run): Promise<void> => {
  const { scenario } = run.spec
  switch (scenario.kind) {
    case "connect":
      return runConnect(run, scenario)
    case "echo":
      return runEcho(run, scenario)
    case "fanout":
      return runFanout(run, scenario)
    case "presence":
      return runPresence(run, scenario)
    case "mixed":
      return runMixed(run, scenario)
    case "gateway":
      return runGateway(run, scenario)
  }
}

/** Never rejects for what a server does: that stands in the result as `partial`. */
export const runThread = async (spec: Spec, thread: number, threads: number, control: Control): Promise<Result> => {
  const run = new Run(spec, thread, threads, await loadDialect(spec), control)
  const ticker = setInterval(() => run.report(), 1000)
  try {
    await runScenario(run)
  } catch (error) {
    run.fail(
      error instanceof LoadFailure ? error.message : `the load generator failed: ${error instanceof Error ? error.stack : String(error)}`
    )
  }
  if (run.over) await new Promise((resolve) => setTimeout(resolve, aftermath))
  const result = run.result()
  await run.leave()
  clearInterval(ticker)
  return result
}
