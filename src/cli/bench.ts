/** `weft bench`: how fast is a server, seen from its clients. */
import { availableParallelism } from "node:os"
import { Effect, Option, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Scenario, Spec } from "../bench/Spec.ts"
import { defaultTarget, targetOf } from "./connect/Target.ts"
import { failure, loadOrFail } from "./Failure.ts"
import * as flags from "./flags.ts"

const count = (name: string, description: string, byDefault: number, least = 1) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (value) => value >= least,
      () => `must be at least ${least}`
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(`${description} (${byDefault})`),
    Flag.withDefault(byDefault)
  )

const seconds = (name: string, description: string, byDefault: number) =>
  Flag.Finite(name).pipe(
    Flag.filter(
      (value) => value >= 0,
      () => "must not be negative"
    ),
    Flag.withMetavar("SECONDS"),
    Flag.withDescription(`${description} (${byDefault})`),
    Flag.withDefault(byDefault)
  )

const size = count("size", "Bytes of text in a message", 64, 0)
const members = count("members", "Connections in a room", 100)

/** What every benchmark takes, with its own usual length. */
const common = (duration: number, warmup: number) => ({
  url: Argument.String("url").pipe(
    Argument.withMetavar("URL"),
    Argument.withDescription(`The server's WebSocket address (${defaultTarget})`),
    Argument.withDefault(defaultTarget)
  ),
  encoding: Flag.Literals("encoding", ["json", "msgpack", "both"]).pipe(
    Flag.withDescription("The encoding on the wire; both: connections take them in turn (json)"),
    Flag.withDefault("json" as const)
  ),
  batch: Flag.Boolean("batch").pipe(Flag.withDescription("Several messages in one frame, both ways"), Flag.withDefault(false)),
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
  config: flags.config,
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

type Common = Command.Command.Config.Infer<ReturnType<typeof common>>

const readTarget = (text: string) =>
  Effect.try({
    try: () => targetOf(text),
    catch: () => failure(`not a WebSocket address: ${text}`)
  })

/** The secret to mint with: the flag, else the configuration's, which is only read when a file or the environment has it. */
const secretOf = Effect.fnUntraced(function* ({ config, secret, token }: Common) {
  if (Option.isSome(token)) return undefined
  if (Option.isSome(secret)) return Redacted.value(secret.value)
  if (Option.isNone(config) && process.env["WEFT_AUTH_JWT_SECRET"] === undefined) return undefined
  const { settings } = yield* loadOrFail(flags.fileOption(config))
  const known = settings.auth.jwt?.secret
  return known === undefined ? undefined : Redacted.value(known)
})

const specOf = Effect.fnUntraced(function* (scenario: Scenario, input: Common) {
  const url = yield* readTarget(input.url)
  const secret = yield* secretOf(input)
  const target: Spec["target"] = {
    url,
    encodings: input.encoding === "both" ? ["json", "msgpack"] : [input.encoding],
    batch: input.batch,
    pids: input.pids,
    ...(Option.isSome(input.token) ? { token: Redacted.value(input.token.value) } : {}),
    ...(secret === undefined ? {} : { secret })
  }
  return { target, scenario, warmup: input.warmup, seconds: input.duration, ramp: input.ramp, patience: input.patience }
})

/** Not interrupted: a signal ends the load early, and the partial result is still told. */
const bench = Effect.fnUntraced(function* (scenario: Scenario, input: Common) {
  const spec = yield* specOf(scenario, input)
  const unreliable = yield* Effect.tryPromise({
    try: async () => {
      const { execute } = await import("./bench/execute.ts")
      return execute({ spec, threads: input.threads, json: Option.getOrUndefined(input.json), plot: Option.getOrUndefined(input.plot) })
    },
    catch: (error) => failure(error instanceof Error ? error.message : String(error))
  })
  if (unreliable !== undefined) return yield* failure(unreliable)
}, Effect.uninterruptible)

const connect = Command.make(
  "connect",
  {
    ...common(0, 0),
    connections: count("connections", "Connections", 1000),
    prime: count("prime", "Connections that come and go before the measurement", 500, 0),
    members: count("members", "Join each to a room of so many; 0: to none", 0, 0),
    hold: seconds("hold", "Seconds to keep them all open at the end", 0)
  },
  ({ connections, prime, members, hold, ...input }) => bench({ kind: "connect", connections, prime, members, hold }, input)
).pipe(Command.withDescription("How fast does the server take connections: rate and handshake times, until each session is usable"))

const echo = Command.make(
  "echo",
  {
    ...common(5, 1),
    connections: count("connections", "Connections", 64),
    inflight: count("inflight", "Requests under way on each", 16),
    size
  },
  ({ connections, inflight, size, ...input }) => bench({ kind: "echo", connections, inflight, size }, input)
).pipe(Command.withDescription("Request and reply, as fast as the replies come"))

const fanout = Command.make(
  "fanout",
  {
    ...common(5, 1),
    rooms: count("rooms", "Rooms", 1),
    subscribers: count("subscribers", "Subscribers in each room", 1000),
    publishers: count("publishers", "Publishers in each room; they are members too", 1),
    outstanding: count("outstanding", "Publishes under way in each room", 1),
    rate: Flag.Finite("rate").pipe(
      Flag.filter(
        (value) => value > 0,
        () => "must be more than 0"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("Publishes a second over all rooms, at set times, whatever the server does (default: as fast as they arrive)"),
      Flag.optional
    ),
    size
  },
  ({ rooms, subscribers, publishers, outstanding, rate, size, ...input }) => {
    const pace = Option.isSome(rate) ? { rate: rate.value } : {}
    return bench({ kind: "fanout", rooms, subscribers, publishers, outstanding, size, ...pace }, input)
  }
).pipe(Command.withDescription("From publishers to all members of their rooms, as fast as it goes, or how late at a given rate"))

const presence = Command.make(
  "presence",
  {
    ...common(5, 1),
    connections: count("connections", "Connections", 100),
    members,
    inflight: count("inflight", "Requests under way on each", 1)
  },
  ({ connections, members, inflight, ...input }) => bench({ kind: "presence", connections, members, inflight }, input)
).pipe(Command.withDescription("Who is in this room, asked as fast as the answers come"))

const talk = {
  users: count("users", "Connections", 1000),
  members,
  think: Flag.Finite("think").pipe(
    Flag.filter(
      (value) => value > 0,
      () => "must be more than 0"
    ),
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("Average time between two actions of a user (10)"),
    Flag.withDefault(10)
  ),
  size
}

const mixed = Command.make(
  "mixed",
  { ...common(10, 2), ...talk, churn: count("churn", "Guests a second that come to a room and leave", 0, 0) },
  ({ users, members, think, size, churn, ...input }) => bench({ kind: "mixed", users, members, think, size, churn }, input)
).pipe(Command.withDescription("A chat: users who think, write to their room, echo and ask who is there"))

const soak = Command.make(
  "soak",
  { ...common(600, 60), ...talk, churn: count("churn", "Guests a second that come to a room and leave", 20, 0) },
  ({ users, members, think, size, churn, ...input }) => bench({ kind: "mixed", users, members, think, size, churn }, input)
).pipe(Command.withDescription("The same for long, with guests who come and go; with --pid the server's memory is sampled each second"))

export const benchCommand = Command.make("bench").pipe(
  Command.withDescription(
    "Measure a Weft server, local or remote. The load comes from threads of this process; the report says when they, and not the server, " +
      "were the limit. Exits 1 when a connection was refused or lost, or when a message did not come; what was measured until then is shown and marked."
  ),
  Command.withShortDescription("Measure a server"),
  Command.withSubcommands([connect, echo, fanout, presence, mixed, soak]),
  Command.withExamples([
    { command: "weft bench echo", description: "The server of `weft serve` on this machine" },
    {
      command: "weft bench fanout wss://example.org/ws --config weft.toml --rate 100 --plot fanout.svg",
      description: "With tokens, at a rate"
    },
    { command: "weft bench soak --pid $(pgrep -f 'weft serve') --json soak.json", description: "Ten minutes, with memory" }
  ])
)
