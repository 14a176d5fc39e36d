#!/usr/bin/env node
/** The entry of the command `weft`. */
// Not the package as a whole: it holds HTTP servers and more, and loading it takes longer than all the rest.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Option, Runtime } from "effect"
import { run } from "./cli/root.ts"

/** What is told about an end that was not in order. Mistakes on the command line have been told by then. */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.findErrorOption(cause)
  if (Option.isNone(error)) return Console.error(`weft: internal error: ${Cause.pretty(cause)}`)
  if (!Runtime.getErrorReported(error.value)) return Effect.void
  return Console.error(error.value instanceof Error ? error.value.message : String(error.value))
}

/** A signal ends the command in order, so its exit code is 0 once everything was closed. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

/** Milliseconds in which signals count as one: run by npm, the server gets a Ctrl-C twice, from the terminal and passed on by npm. */
const sameSignal = 300

/** The first signal interrupts the command, which closes what it has opened; the second one does not wait for that. */
const exitAtSecondSignal = (): void => {
  let first: number | undefined
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15]
  ] as const)
    process.on(signal, () => {
      first ??= performance.now()
      if (performance.now() - first > sameSignal) process.exit(128 + number)
    })
}

exitAtSecondSignal()
// Whoever read the log may go away; the server stays.
process.stderr.on("error", () => undefined)
NodeRuntime.runMain(run.pipe(Effect.tapCause(report), Effect.provide(NodeServices.layer)), { disableErrorReporting: true, teardown })
