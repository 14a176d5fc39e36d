/** `weft bench gateway`: what does a proxy cost, seen from its clients. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { GatewaySpec } from "../../bench/Spec.ts"
import { webSocketUrl } from "../../client/Handshake.ts"
import { failure } from "../Failure.ts"
import { carryOut, count, credentials, makeSpec, rate, run, size, tokens } from "./flags.ts"

/** Unlike the other benchmarks' addresses, one without a path stays so: what a route's path is, nobody can guess. */
const readAddress = (text: string) =>
  Effect.try({
    try: () => webSocketUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ws://${text}`, undefined),
    catch: () => failure(`not a WebSocket address: ${text}`)
  })

const input = {
  url: Argument.String("url").pipe(
    Argument.withMetavar("URL"),
    Argument.withDescription("A WebSocket address that sends back what it gets: a route of Weft, or any proxy, before an echoing backend")
  ),
  direct: Flag.String("direct").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("The backend's own address: the same load goes there in turn, without tokens, and the added latency is told"),
    Flag.optional
  ),
  rounds: count("rounds", "With --direct: how many times each of the two is measured", 3),
  ...tokens,
  ...run(5, 1),
  connections: count("connections", "Connections that speak", 64),
  inflight: count("inflight", "Messages under way on each, without --rate", 16),
  idle: count("idle", "Connections beside them that say nothing", 0, 0),
  rate: rate("Messages a second over all connections, at set times, whatever comes back (default: as fast as they come back)"),
  size
}

const scenarioOf = (given: {
  readonly connections: number
  readonly inflight: number
  readonly idle: number
  readonly rate: Option.Option<number>
  readonly size: number
}): GatewaySpec => ({
  kind: "gateway",
  connections: given.connections,
  idle: given.idle,
  inflight: given.inflight,
  size: given.size,
  ...(Option.isSome(given.rate) ? { rate: given.rate.value } : {})
})

export const gateway = Command.make(
  "gateway",
  input,
  Effect.fnUntraced(function* (given) {
    const url = yield* readAddress(given.url)
    const direct = Option.isSome(given.direct) ? { url: yield* readAddress(given.direct.value), rounds: given.rounds } : undefined
    const target = { url, encodings: ["json" as const], batch: false, pids: given.pids, ...(yield* credentials(given)) }
    return yield* carryOut(makeSpec(target, scenarioOf(given), given), given, direct)
  })
).pipe(
  Command.withDescription(
    "What does a proxy cost: raw text messages to a backend that sends them back. With --pid the proxy's CPU for each, with --direct the latency that it adds"
  )
)
