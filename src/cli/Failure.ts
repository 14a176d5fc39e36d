/** How a command ends that could not do what it was asked for. */
import { Data, Effect, type FileSystem } from "effect"
import { type ConfigError, formatMistake, formatWarning } from "../config/Mistake.ts"
import { load, type Loaded, type LoadOptions } from "../config/load.ts"

/** Lines for standard error; the command exits 1. */
export class Failure extends Data.TaggedError("Failure")<{ readonly lines: ReadonlyArray<string> }> {
  override get message(): string {
    return this.lines.join("\n")
  }
}

/** One line, as `weft: TEXT`. */
export const failure = (text: string): Failure => new Failure({ lines: [`weft: ${text.replaceAll(/\s*\n\s*/g, " ")}`] })

const fromConfig = ({ mistakes, warnings }: ConfigError): Failure =>
  new Failure({ lines: [...mistakes.map(formatMistake), ...warnings.map(formatWarning)] })

/** Loads the configuration with the process's environment; its mistakes are the lines of the failure. */
export const loadOrFail = (options: LoadOptions): Effect.Effect<Loaded, Failure, FileSystem.FileSystem> =>
  load({ environment: process.env, ...options }).pipe(Effect.mapError(fromConfig))
