import { Cause, Clock, Data, Effect, Redacted } from "effect"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { layer, type LogOptions } from "../../src/observe/Logging.ts"

const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const stopped: Clock.Clock = {
  currentTimeMillisUnsafe: () => now,
  currentTimeMillis: Effect.succeed(now),
  currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
  currentTimeNanos: Effect.succeed(BigInt(now) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
  monotonicTimeNanos: Effect.succeed(BigInt(now) * 1_000_000n),
  sleep: () => Effect.never
}

/** Runs a program at a fixed time and gives what was written, in pieces. */
const written = (
  program: Effect.Effect<unknown>,
  options: Partial<LogOptions> = {},
  isTerminal = false,
  colors = false
): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  const output = { write: (text: string) => pieces.push(text), isTerminal, colors }
  const settings: LogOptions = { level: "info", format: "auto", ...options }
  Effect.runSync(program.pipe(Effect.provide(layer(settings, output)), Effect.provideService(Clock.Clock, stopped)))
  return pieces
}

const json = (program: Effect.Effect<unknown>): Record<string, unknown> => JSON.parse(written(program, { format: "json" }).join(""))
const pretty = (program: Effect.Effect<unknown>): string => written(program, { format: "pretty" }).join("")

class Refused extends Data.TaggedError("Refused")<{ readonly message: string; readonly token: Redacted.Redacted<string> }> {}

describe("JSON lines", () => {
  test("hold time, level and message, and the annotations flat", () => {
    const program = Effect.logInfo("opened").pipe(Effect.annotateLogs({ connection: "c1", request: 7 }))
    expect(written(program)).toEqual([
      '{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"opened","connection":"c1","request":7}\n'
    ])
  })

  test("join the parts of a message; a plain object's keys become fields", () => {
    expect(json(Effect.logWarning("took", 5, { room: "a" }, [1]))).toMatchObject({ level: "warn", message: "took 5 [1]", room: "a" })
  })

  test("keep their own names from annotations", () => {
    const program = Effect.logInfo("real").pipe(Effect.annotateLogs({ message: "false", level: "false", time: "false", __proto__x: 1 }))
    expect(json(program)).toMatchObject({ message: "real", level: "info", message_: "false", level_: "false", time_: "false" })
  })

  test("show the cause and how long a span has lasted", () => {
    const program = Effect.logError("failed", Cause.fail(new Error("the reason"))).pipe(Effect.withLogSpan("drain"))
    expect(json(program)).toMatchObject({ message: "failed", cause: expect.stringContaining("the reason"), drain_ms: 0 })
  })

  test("are one line each, whatever is logged", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }),
        (text, value) => {
          const lines = written(Effect.logInfo(text, value).pipe(Effect.annotateLogs({ [text]: value })))
          expect(lines).toHaveLength(1)
          expect(lines[0]).toMatch(/^[^\n]*\n$/)
          expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info" })
        }
      )
    )
  })

  test("come even where a value can not be shown", () => {
    const broken = {
      toJSON: () => {
        throw new Error("no")
      }
    }
    expect(json(Effect.logInfo("x").pipe(Effect.annotateLogs({ broken })))).toMatchObject({ message: "a log line could not be written" })
  })
})

describe("pretty lines", () => {
  test("hold the time of day, level, message and annotations", () => {
    const program = Effect.logWarning("too slow").pipe(Effect.annotateLogs({ connection: "c1", reason: "a b" }))
    expect(pretty(program)).toMatch(/^\d\d:04:05\.678 WARN  too slow connection=c1 reason="a b"\n$/)
  })

  test("can not be forged by what they show", () => {
    const text = "x\n12:00:00.000 INFO  forged\u001b[2J\u009b\u2028"
    expect(pretty(Effect.logInfo(text).pipe(Effect.annotateLogs({ [text]: text }))).slice(0, -1)).not.toMatch(
      /[\u0000-\u001f\u007f-\u009f\u2028]/
    )
  })

  test("have the cause below, indented", () => {
    const lines = pretty(Effect.logError("failed", Cause.fail(new Error("the reason")))).split("\n")
    expect(lines[1]).toMatch(/^ {2}Error: the reason/)
    expect(lines.slice(1, -1).every((line) => line.startsWith("  "))).toBe(true)
  })

  test("are coloured only where colours are wanted", () => {
    const program = Effect.logInfo("x").pipe(Effect.annotateLogs({ a: 1 }))
    expect(written(program, { format: "pretty" }, true, false).join("")).not.toContain("\u001b")
    expect(written(program, { format: "pretty" }, true, true).join("")).toContain("\u001b[32mINFO ")
  })
})

test("auto is pretty on a terminal and JSON elsewhere; the other formats are what they are", () => {
  const isJson = (format: LogOptions["format"], terminal: boolean) =>
    written(Effect.logInfo("x"), { format }, terminal).join("").startsWith("{")
  expect([isJson("auto", true), isJson("auto", false)]).toEqual([false, true])
  expect([isJson("pretty", false), isJson("json", true)]).toEqual([false, true])
})

test("only what is at least as severe as the level is written", () => {
  const all = Effect.all([
    Effect.logTrace("1"),
    Effect.logDebug("2"),
    Effect.logInfo("3"),
    Effect.logWarning("4"),
    Effect.logError("5"),
    Effect.logFatal("6")
  ])
  const counts = (["trace", "debug", "info", "warn", "error", "fatal", "none"] as const).map((level) => written(all, { level }).length)
  expect(counts).toEqual([6, 5, 4, 3, 2, 1, 0])
})

test("a redacted value is never shown, wherever it stands", () => {
  const secret = "hush-hush"
  const token = Redacted.make(secret)
  const error = new Refused({ message: "refused", token })
  const programs = [
    Effect.logInfo(token),
    Effect.logInfo("x", { token, deep: { list: [token] } }),
    Effect.logInfo("x", [token], new Map([["token", token]]), new Set([token])),
    Effect.logInfo("x").pipe(Effect.annotateLogs({ token, deep: { token } })),
    Effect.logError("x", error, Cause.fail(error), Cause.die(token))
  ]
  for (const program of programs)
    for (const format of ["json", "pretty"] as const) {
      const text = written(program, { format }).join("")
      expect(text).not.toBe("")
      expect(text).not.toContain(secret)
    }
})
