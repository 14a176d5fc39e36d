/** Flags that several benchmarks share. */
import { availableParallelism } from "node:os"
import { Effect, Option, Redacted } from "effect"
import { Flag } from "effect/cli"
import type { Spec } from "../../bench/Spec.ts"
import { failure, loadOrFail } from "../Failure.ts"
import * as flags from "../flags.ts"
import type { Execution } from "./execute.ts"

export const count = (name: string, description: string, byDefault: number, least = 1) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (value) => value >= least,
      () => `must be at least ${least}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(`${description} (${byDefault})`),
    Flag.withDefault(byDefault)
  )

export const seconds = (name: string, description: string, byDefault: number) =>
  Flag.Finite(name).pipe(
    Flag.filter(
      (value) => value >= 0,
      () => "must not be negative"
    ),
    Flag.withMetavar("SECONDS"),
    Flag.withDescription(`${description} (${byDefault})`),
    Flag.withDefault(byDefault)
  )

/** A pace of an open loop. */
export const rate = (description: string) =>
  Flag.Finite("rate").pipe(
    Flag.filter(
      (value) => value > 0,
      () => "must be more than 0"
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.optional
  )

export const size = count("size", "Bytes of text in a message", 64, 0)

export const tokens = {
  token: Flag.Redacted("token").pipe(
    Flag.withMetavar("TOKEN"),
    Flag.withDescription("The token of all connections. Others on this machine can see it"),
    Flag.optional
  ),
  secret: Flag.Redacted("secret").pipe(
    Flag.withMetavar("SECRET"),
    Flag.withDescription("Mint a token for each connection, signed with this (HS256). WEFT_AUTH_JWT_SECRET is not seen by others"),
    Flag.optional
  ),
  config: flags.config
}

interface Tokens {
  readonly token: Option.Option<Redacted.Redacted<string>>
  readonly secret: Option.Option<Redacted.Redacted<string>>
  readonly config: Option.Option<string>
}

/** The secret to mint with: the flag, else the configuration's, which is only read when a file or the environment has it. */
const secretOf = Effect.fnUntraced(function* ({ config, secret, token }: Tokens) {
  if (Option.isSome(token)) return undefined
  if (Option.isSome(secret)) return Redacted.value(secret.value)
  if (Option.isNone(config) && process.env["WEFT_AUTH_JWT_SECRET"] === undefined) return undefined
  const { settings } = yield* loadOrFail(flags.fileOption(config))
  const known = settings.auth.jwt?.secret
  return known === undefined ? undefined : Redacted.value(known)
})

/** What the connections show of themselves. */
export const credentials = Effect.fnUntraced(function* (input: Tokens) {
  const secret = yield* secretOf(input)
  const shown: Pick<Spec["target"], "token" | "secret"> = {
    ...(Option.isSome(input.token) ? { token: Redacted.value(input.token.value) } : {}),
    ...(secret === undefined ? {} : { secret })
  }
  return shown
})

/** How long, by how many, and where the figures go; with the usual length of the benchmark. */
export const run = (duration: number, warmup: number) => ({
  duration: seconds("duration", "Seconds that are measured", duration),
  warmup: seconds("warmup", "Seconds under load before", warmup),
  threads: count("threads", "Threads that make the load", Math.max(1, availableParallelism() - 1)),
  ramp: count("ramp", "Handshakes under way at once in each thread", 64),
  patience: seconds("patience", "Longest wait for a handshake, and for the last replies", 10),
  pids: Flag.Int("pid").pipe(
    Flag.withMetavar("PID"),
    Flag.withDescription("A process of the server on this machine, whose CPU and memory are measured; may be given again"),
    Flag.atLeast(0)
  ),
  json: Flag.String("json").pipe(Flag.withMetavar("FILE"), Flag.withDescription("Write all figures to this file"), Flag.optional),
  plot: Flag.String("plot").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Write latency by percentile to this file, as SVG"),
    Flag.optional
  )
})

interface RunInput {
  readonly duration: number
  readonly warmup: number
  readonly threads: number
  readonly ramp: number
  readonly patience: number
  readonly json: Option.Option<string>
  readonly plot: Option.Option<string>
}

export const makeSpec = (target: Spec["target"], scenario: Spec["scenario"], input: RunInput): Spec => ({
  target,
  scenario,
  warmup: input.warmup,
  seconds: input.duration,
  ramp: input.ramp,
  patience: input.patience
})

/** Fails when the result is not to be relied on. Not interrupted: a signal ends the load early, and the partial result is still told. */
export const carryOut = Effect.fnUntraced(function* (spec: Spec, input: RunInput, direct?: Execution["direct"]) {
  const unreliable = yield* Effect.tryPromise({
    try: async () => {
      const { execute } = await import("./execute.ts")
      const files = { json: Option.getOrUndefined(input.json), plot: Option.getOrUndefined(input.plot) }
      return execute({ spec, direct, threads: input.threads, ...files })
    },
    catch: (error) => failure(error instanceof Error ? error.message : String(error))
  })
  if (unreliable !== undefined) return yield* failure(unreliable)
}, Effect.uninterruptible)
