/** `weft check`: is this configuration in order? */
import { Console, Effect, Option } from "effect"
import { Command } from "effect/cli"
import { formatWarning } from "../config/Mistake.ts"
import type { Settings } from "../config/Settings.ts"
import { loadOrFail } from "./Failure.ts"
import * as flags from "./flags.ts"

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const authentication = ({ auth }: Settings): string => {
  const jwt = auth.jwt
  const key = jwt?.secret !== undefined ? "secret" : jwt?.public_key !== undefined ? "public key" : "JWKS"
  const ways = [...(jwt === undefined ? [] : [`JWT (${key})`]), ...(auth.http === undefined ? [] : ["HTTP"])]
  return ways.length === 0 ? "no authentication" : `authentication by ${ways.join(" and ")}${auth.anonymous ? ", anonymous allowed" : ""}`
}

const listens = ({ server: { host, port, tls } }: Settings): string =>
  `listens on ${host.includes(":") ? `[${host}]` : host}:${port}${tls === undefined ? "" : " with TLS"}`

/** What a configuration amounts to, on one line. */
export const summary = (settings: Settings): string =>
  [
    listens(settings),
    authentication(settings),
    plural(settings.room.length, "room block"),
    plural(settings.api.keys.length, "API key")
  ].join(", ")

export const check = Command.make(
  "check",
  { config: flags.config },
  Effect.fnUntraced(function* ({ config }) {
    const { settings, warnings } = yield* loadOrFail(flags.fileOption(config))
    yield* Effect.forEach(warnings, (warning) => Console.error(formatWarning(warning)))
    yield* Console.log(`${Option.getOrElse(config, () => "configuration")}: in order; ${summary(settings)}`)
  })
).pipe(
  Command.withDescription(
    "Check a configuration: the file and the environment, as `weft serve` would read them. Every mistake is printed as FILE: KEY: REASON; with one the command exits 1. Nothing is started or connected."
  ),
  Command.withShortDescription("Check a configuration"),
  Command.withExamples([{ command: "weft check --config weft.toml", description: "Check a file" }])
)
