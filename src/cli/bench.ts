/** `weft bench`: how fast is a server, seen from its clients. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Scenario, Spec } from "../bench/Spec.ts"
import { carryOut, count, credentials, makeSpec, rate, run, seconds, size, tokens } from "./bench/flags.ts"
import { gateway } from "./bench/gateway.ts"
import { defaultTarget, targetOf } from "./connect/Target.ts"
import { failure } from "./Failure.ts"

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
  ...tokens,
  ...run(duration, warmup)
})

type Common = Command.Command.Config.Infer<ReturnType<typeof common>>

const readTarget = (text: string) =>
  Effect.try({
    try: () => targetOf(text),
    catch: () => failure(`not a WebSocket address: ${text}`)
  })

const bench = Effect.fnUntraced(function* (scenario: Scenario, input: Common) {
  const target: Spec["target"] = {
    url: yield* readTarget(input.url),
    encodings: input.encoding === "both" ? ["json", "msgpack"] : [input.encoding],
    batch: input.batch,
    pids: input.pids,
    ...(yield* credentials(input))
  }
  return yield* carryOut(makeSpec(target, scenario, input), input)
})

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
    rate: rate("Publishes a second over all rooms, at set times, whatever the server does (default: as fast as they arrive)"),
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
  Command.withSubcommands([connect, echo, fanout, presence, mixed, soak, gateway]),
  Command.withExamples([
    { command: "weft bench echo", description: "The server of `weft serve` on this machine" },
    {
      command: "weft bench fanout wss://example.org/ws --config weft.toml --rate 100 --plot fanout.svg",
      description: "With tokens, at a rate"
    },
    {
      command: "weft bench gateway ws://127.0.0.1:8080/chat --direct ws://127.0.0.1:9001/chat --pid $(pgrep -f 'weft serve')",
      description: "A route of the gateway, beside its backend"
    },
    { command: "weft bench soak --pid $(pgrep -f 'weft serve') --json soak.json", description: "Ten minutes, with memory" }
  ])
)
