import { Effect, FileSystem, PlatformError, Result } from "effect"
import { load, type Loaded, type LoadOptions } from "../../src/config/load.ts"
import { type ConfigError, formatMistake, formatWarning } from "../../src/config/Mistake.ts"

export interface Sources extends Omit<LoadOptions, "file"> {
  /** The text of `weft.toml`. */
  readonly toml?: string
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>
}

const notFound = (path: string) =>
  PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "readFileString", pathOrDescriptor: path })

const folder = (files: Readonly<Record<string, string>>) =>
  FileSystem.layerNoop({
    readFileString: (path) => {
      const text = files[path]
      return text === undefined ? Effect.fail(notFound(path)) : Effect.succeed(text)
    }
  })

const attempt = ({ files, toml, ...options }: Sources): Result.Result<Loaded, ConfigError> =>
  Effect.runSync(
    load({ ...options, ...(toml === undefined ? {} : { file: "weft.toml" }) }).pipe(
      Effect.result,
      Effect.provide(folder({ ...files, ...(toml === undefined ? {} : { "weft.toml": toml }) }))
    )
  )

/** The configuration; fails with the mistakes as text. */
export const loaded = (sources: Sources): Loaded => Result.getOrThrowWith(attempt(sources), (error) => new Error(error.message))

export const settingsOf = (sources: Sources): Loaded["settings"] => loaded(sources).settings

/** The lines of all mistakes; empty for a configuration that is in order. */
export const mistakesIn = (sources: Sources): ReadonlyArray<string> =>
  Result.match(attempt(sources), { onSuccess: () => [], onFailure: ({ mistakes }) => mistakes.map(formatMistake) })

/** The lines of all warnings, whether there are mistakes or not. */
export const warningsIn = (sources: Sources): ReadonlyArray<string> => Result.merge(attempt(sources)).warnings.map(formatWarning)
