/** The command `weft`, its subcommands, and what its ends look like. */
import { Console, Effect } from "effect"
import { CliConfig, type CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { benchCommand } from "./bench.ts"
import { check } from "./check.ts"
import { connect } from "./connect.ts"
import { serve } from "./serve.ts"
import { token } from "./token.ts"
import { version } from "./version.ts"

export const weft = Command.make("weft").pipe(
  Command.withDescription("Weft, a realtime server: WebSocket clients in rooms, JSON and MessagePack."),
  Command.withSubcommands([serve, check, token, connect, benchCommand])
)

const meant = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`

/** A mistake on the command line, on one line. */
const describe = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `unknown flag ${error.option}${meant(error.suggestions)}`
    case "UnknownSubcommand":
      return `unknown command ${JSON.stringify(error.subcommand)}${meant(error.suggestions)}`
    default:
      return error.message.replaceAll(/\s*\n\s*/g, " ")
  }
}

/** Help goes to standard output when it was asked for; a mistake is told in a line or two on standard error. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const command = event.commandPath.join(" ")
    return Effect.andThen(
      Effect.forEach(event.errors, (error) => Console.error(`${command}: ${describe(error)}`)),
      Console.error(`Try: ${command} --help`)
    )
  }
}

/** Runs the command that the process's arguments name. */
export const run = Command.run(weft, { version }).pipe(
  Effect.provideService(CliOutput.Presenter, presenter),
  Effect.provideService(CliConfig.CliConfig, CliConfig.make({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }))
)
