/** What is wrong with a configuration, in words for the person who wrote it. */
import { Data } from "effect"
import { escapeControl } from "../observe/escapeControl.ts"

/**
 * One mistake or warning. `source` is the file's name, "environment" or "command line"; `key` the place in it
 * (`room[1].publish`, `WEFT_SERVER_PORT`, `--port`; for a syntax error line and column; empty for the whole file).
 * No text in it ever holds the value of a secret.
 */
export interface Mistake {
  readonly source: string
  readonly key: string
  readonly reason: string
}

/** `FILE: KEY: REASON`, always on one line. */
export const formatMistake = (mistake: Mistake): string =>
  [mistake.source, ...(mistake.key === "" ? [] : [mistake.key]), mistake.reason].map(escapeControl).join(": ")

/** The line of a warning: `FILE: KEY: warning: REASON`. */
export const formatWarning = (warning: Mistake): string => formatMistake({ ...warning, reason: `warning: ${warning.reason}` })

/** The configuration can not be used. Holds every mistake, not only the first. */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly mistakes: ReadonlyArray<Mistake>
  readonly warnings: ReadonlyArray<Mistake>
}> {
  override get message(): string {
    return this.mistakes.map(formatMistake).join("\n")
  }
}
