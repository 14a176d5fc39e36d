/** Reads the configuration: defaults < TOML file < environment < flags. */
import { Effect, FileSystem, Random, Result } from "effect"
import { parse, TomlError } from "smol-toml"
import { crossChecks } from "./checks.ts"
import { decode } from "./decode.ts"
import { type Environment, readEnvironment } from "./environment.ts"
import { fileProblems, unreadable } from "./files.ts"
import type { Finding } from "./Finding.ts"
import { merge, type Value } from "./layers.ts"
import { ConfigError, formatMistake, type Mistake } from "./Mistake.ts"
import { emptyTable, isTable, isWithin, parsePath, type Table } from "./path.ts"
import { hasAuthentication, resolve, type Settings, type SettingsInput } from "./Settings.ts"

export const COMMAND_LINE = "command line"

/** A flag that was given: `flag` as typed (`--port`), `key` the key that it sets. */
export interface FlagValue {
  readonly flag: string
  readonly key: string
  readonly value: unknown
}

export interface LoadOptions {
  /** Path of a TOML file. Without one only the other sources count. */
  readonly file?: string
  /** Instead of a file: what it would hold. */
  readonly values?: SettingsInput
  readonly environment?: Environment
  readonly flags?: ReadonlyArray<FlagValue>
  /**
   * The program authenticates clients by a function of its own: that counts as configured, so `auth.anonymous` is false by
   * default and any address may be listened on. Default: false.
   */
  readonly authenticated?: boolean
}

export interface Loaded {
  readonly settings: Settings
  /** What works, but hardly as it was meant. */
  readonly warnings: ReadonlyArray<Mistake>
}

const refuse = (mistakes: ReadonlyArray<Mistake>) => new ConfigError({ mistakes, warnings: [] })

/** The table that TOML text holds, or its first syntax error with line and column (from 1). The text is not repeated. */
export const parseToml = (text: string, file: string): Result.Result<Table, Mistake> =>
  Result.try({
    try: (): Table => parse(text),
    catch: (error): Mistake => {
      if (!(error instanceof TomlError)) return { source: file, key: "", reason: "is not TOML" }
      const [head = ""] = error.message.split("\n")
      return { source: file, key: `line ${error.line}, column ${error.column}`, reason: head.replace("Invalid TOML document: ", "") }
    }
  })

const readBase = Effect.fnUntraced(function* (options: LoadOptions) {
  if (options.file === undefined) return isTable(options.values) ? options.values : emptyTable()
  const file = options.file
  const text = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file)).pipe(
    Effect.mapError((error) => refuse([{ source: file, key: "", reason: unreadable(error) }]))
  )
  return yield* Effect.fromResult(parseToml(text, file)).pipe(Effect.mapError((mistake) => refuse([mistake])))
})

const randomId = Effect.gen(function* () {
  const digits = yield* Random.nextIntBetween(0, 36 ** 6)
  return `node-${digits.toString(36).padStart(6, "0")}`
})

/** The items of one variable's list may have the same mistake. */
const distinct = (mistakes: ReadonlyArray<Mistake>): ReadonlyArray<Mistake> => [
  ...new Map(mistakes.map((mistake) => [formatMistake(mistake), mistake])).values()
]

const flagValue = ({ flag, key, value }: FlagValue): Value => ({ path: key.split("."), value, source: COMMAND_LINE, name: flag })

/**
 * The configuration from all its sources, or every mistake in them. A file that can not be read or parsed is the only
 * mistake told. Files named by keys are read, nothing is opened or connected.
 */
export const load: (options: LoadOptions) => Effect.Effect<Loaded, ConfigError, FileSystem.FileSystem> = Effect.fnUntraced(function* (
  options: LoadOptions
) {
  const base = yield* readBase(options)
  const environment = readEnvironment(options.environment ?? {})
  const merged = merge(base, options.file ?? "configuration", [...environment.values, ...(options.flags ?? []).map(flagValue)])
  const decoded = decode(merged.table)
  const unreliable = [...decoded.unreliable, ...environment.wrong]

  const authenticated = options.authenticated === true || (decoded.settings !== undefined && hasAuthentication(decoded.settings))

  const findings: ReadonlyArray<Finding> =
    decoded.settings === undefined ? [] : crossChecks(decoded.settings, yield* fileProblems(decoded.settings), authenticated)
  const reliable = findings.filter(({ keys }) => !keys.some((key) => unreliable.some((other) => isWithin(key, other))))
  const told = (severity: Finding["severity"]): ReadonlyArray<Mistake> =>
    reliable
      .filter((finding) => finding.severity === severity)
      .map(({ at, keys, reason }) => ({ ...merged.originOf(...(at === undefined ? keys : [at]).map(parsePath)), reason }))

  const mistakes = distinct([
    ...environment.mistakes,
    ...decoded.mistakes.map(({ path, reason }) => ({ ...merged.originOf(path), reason })),
    ...told("mistake")
  ])
  const warnings = told("warning")
  if (mistakes.length > 0 || decoded.settings === undefined) return yield* new ConfigError({ mistakes, warnings })
  return { settings: resolve(decoded.settings, yield* randomId, authenticated), warnings }
})
