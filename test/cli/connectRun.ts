import { Cause, Effect, Exit, Fiber } from "effect"
import { runConnect } from "../../src/cli/connect.ts"
import type { Io } from "../../src/cli/connect/Io.ts"
import type { ConnectOptions } from "../../src/cli/connect/Session.ts"
import { atEnd } from "../support/cleanup.ts"

export const connectOptions = (target: string, options: Partial<ConnectOptions> = {}): ConnectOptions => ({
  ...{ target, rooms: [], encoding: "json", token: undefined, name: undefined, raw: false, linger: 5_000 },
  ...options
})

export interface Running {
  /** How it ended: `ok`, `interrupted`, or the text of its failure. */
  readonly ended: Promise<string>
  readonly interrupt: () => Promise<void>
}

/** Runs the command with streams of the test. */
export const start = (options: ConnectOptions, io: Io): Running => {
  const fiber = Effect.runFork(runConnect(options, io))
  const interrupt = () => Effect.runPromise(Fiber.interrupt(fiber)).then(() => undefined)
  atEnd(interrupt)
  const ended = Effect.runPromise(Fiber.await(fiber)).then((exit) => {
    if (Exit.isSuccess(exit)) return "ok"
    if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
    const error = Cause.squash(exit.cause)
    return error instanceof Error ? error.message : String(error)
  })
  return { ended, interrupt }
}
