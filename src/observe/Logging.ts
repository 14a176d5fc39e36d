/**
 * Log lines: readable on a terminal, JSON elsewhere. They go to standard error, so that standard output holds only what a
 * command is asked for. Redacted values never appear in clear, and text from outside can not forge lines or terminal codes.
 */
import { Array as Arr, Cause, Formatter, Layer, Logger, type LogLevel, Redactable, References } from "effect"
import { escapeControl } from "./escapeControl.ts"

export interface LogOptions {
  /** Least severe level that is written. */
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "none"
  /** "auto" is "pretty" on a terminal and "json" elsewhere. */
  readonly format: "auto" | "pretty" | "json"
}

/** Where lines go. */
export interface LogOutput {
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  readonly colors: boolean
}

type Entry = Logger.Options<unknown>

const levels: Record<LogOptions["level"], LogLevel.LogLevel> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  !Redactable.isRedactable(value) &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)

const textOf = (value: unknown): string => (typeof value === "string" ? value : Formatter.format(value))

/** Names that a line has of its own. */
const own = new Set(["time", "level", "message", "cause"])

interface Line {
  readonly message: string
  /** Annotations and the keys of plain objects among the message's parts, the later over the earlier. */
  readonly fields: ReadonlyMap<string, unknown>
  readonly cause: string | undefined
}

const lineOf = ({ cause, date, fiber, message }: Entry): Line => {
  const parts = Arr.ensure(message)
  const fields = new Map<string, unknown>()
  const add = (values: Readonly<Record<string, unknown>>): void => {
    for (const [name, value] of Object.entries(values)) fields.set(own.has(name) ? `${name}_` : name, value)
  }
  add(fiber.getRef(References.CurrentLogAnnotations))
  for (const part of parts) if (isPlain(part)) add(part)
  for (const [label, start] of fiber.getRef(References.CurrentLogSpans)) fields.set(`${label}_ms`, date.getTime() - start)
  return {
    message: parts
      .filter((part) => !isPlain(part))
      .map(textOf)
      .join(" "),
    fields,
    cause: cause.reasons.length > 0 ? Cause.pretty(cause) : undefined
  }
}

/** One JSON object: `time` (ISO 8601), `level`, `message`, then the annotations, flat, and `cause`. */
export const formatJson = (entry: Entry): string => {
  const { cause, fields, message } = lineOf(entry)
  const head = { time: entry.date.toISOString(), level: entry.logLevel.toLowerCase(), message }
  return Formatter.formatJson(Object.assign(Object.create(null), head, Object.fromEntries(fields), cause === undefined ? {} : { cause }))
}

const paints: Record<LogLevel.LogLevel, number> = { All: 0, Trace: 90, Debug: 34, Info: 32, Warn: 33, Error: 31, Fatal: 31, None: 0 }

const quoteIfNeeded = (text: string): string => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))

/** `12:34:56.789 INFO  message key=value`, local time; a cause on lines of its own below. */
export const formatPretty = (entry: Entry, colors: boolean): string => {
  const { cause, fields, message } = lineOf(entry)
  const paint = (code: number, text: string): string => (colors ? `\u001b[${code}m${text}\u001b[0m` : text)
  const { date } = entry
  const time = `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`
  const level = entry.logLevel.toUpperCase().padEnd(5)
  const pairs = [...fields].map(([name, value]) => ` ${paint(90, `${escapeControl(name)}=`)}${escapeControl(quoteIfNeeded(textOf(value)))}`)
  const below =
    cause === undefined
      ? ""
      : cause
          .split("\n")
          .map((line) => `\n  ${escapeControl(line)}`)
          .join("")
  return `${paint(90, time)} ${paint(paints[entry.logLevel], level)} ${escapeControl(message)}${pairs.join("")}${below}`
}

/** A value that can not be shown must not end the one who logs it. */
const safely =
  (format: (entry: Entry) => string) =>
  (entry: Entry): string => {
    try {
      return format(entry)
    } catch {
      return JSON.stringify({ time: entry.date.toISOString(), level: "error", message: "a log line could not be written" })
    }
  }

export const stderr = (): LogOutput => ({
  write: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  colors: process.stderr.isTTY && process.stderr.hasColors() && (process.env["NO_COLOR"] ?? "") === ""
})

/** Replaces all loggers by one that writes in the wanted form, and sets the least level. */
export const layer = (options: LogOptions, output: LogOutput = stderr()): Layer.Layer<never> => {
  const pretty = options.format === "pretty" || (options.format === "auto" && output.isTerminal)
  const format = safely(pretty ? (entry) => formatPretty(entry, output.colors) : formatJson)
  const logger = Logger.make((entry: Entry) => output.write(`${format(entry)}\n`))
  return Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, levels[options.level]))
}
