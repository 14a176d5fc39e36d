/** Every contender of the comparison that is installed, once, small and short: it starts, speaks, and the counts add up. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { watchCore } from "../../bench/compare/core.ts"
import { type Question, questionNamed } from "../../bench/compare/questions.ts"
import { runApart, runRound } from "../../bench/compare/round.ts"
import { type Host, openHost, trial, TrialFailure } from "../../bench/compare/trial.ts"
import type { Contender, Subject } from "../../bench/contenders/Contender.ts"
import { contenderNamed, contenders, contendersOf } from "../../bench/contenders/index.ts"
import type { ServerUse } from "../../src/bench/Meter.ts"
import { connectionsOf, type Scenario } from "../../src/bench/Spec.ts"
import { lost } from "../../src/bench/Result.ts"

const small = (name: string, scenario: Scenario): Question => ({ ...questionNamed(name), scenario, warmup: 0.1, seconds: 0.3 })

const questions = [
  small("echo", { kind: "echo", connections: 20, inflight: 4, size: 64 }),
  small("fanout-burst", { kind: "fanout", rooms: 2, subscribers: 20, publishers: 1, outstanding: 4, size: 64 }),
  small("rooms", { kind: "fanout", rooms: 4, subscribers: 9, publishers: 1, outstanding: 1, rate: 100, size: 64 }),
  small("memory", { kind: "connect", connections: 50, prime: 10, members: 10, hold: 0.1 })
]

const proxied = [
  small("gateway-echo", { kind: "gateway", connections: 20, idle: 20, inflight: 4, size: 64 }),
  small("gateway-latency", { kind: "gateway", connections: 10, idle: 30, inflight: 1, rate: 300, size: 64 }),
  small("gateway-idle", { kind: "connect", connections: 50, prime: 10, members: 0, hold: 0.1 })
]

const broken: Contender = {
  ...contenderNamed("bare"),
  name: "broken",
  start: () => ({ command: process.execPath, args: ["-e", "console.error('no luck'); process.exit(3)"] })
}

/** More than any of the questions here takes. */
const mostConnections = 200

/** One server for all questions to a contender: starting them is what takes longest. */
const hosting = (subject: Subject, contender: Contender, missing: string | undefined): (() => Host) => {
  let host: Host | undefined
  beforeAll(async () => {
    if (missing === undefined) host = await openHost(subject, contender, mostConnections)
  })
  afterAll(() => host?.end())
  return () => host!
}

describe.each(contenders.gateway.map((contender) => [contender.name, contender] as const))("gateway %s", (name, contender) => {
  const missing = contender.missing?.()
  const host = hosting("gateway", contender, missing)
  it.skipIf(missing !== undefined).each(proxied.map((question) => [question.name, question] as const))("does %s", async (_, question) => {
    const result = await host().ask(question, false)()
    expect(result.notices).toEqual({})
    expect(result.sent).toBeGreaterThan(0)
    expect(lost(result)).toBe(0)
    // Of the way without a proxy nothing is measured but what the clients see.
    expect(result.server === undefined).toBe(name === "direct")
  })
})

describe.each(contenders.hub.map((contender) => [contender.name, contender] as const))("contender %s", (_, contender) => {
  const missing = contender.missing?.()
  const host = hosting("hub", contender, missing)
  it.skipIf(missing !== undefined).each(questions.map((question) => [question.name, question] as const))("does %s", async (_, question) => {
    const use: Array<ServerUse | undefined> = []
    // A machine that stands still for a whole window leaves nothing to measure in it; the next one tells.
    while (use.length < 5 && (use.at(-1)?.cpu ?? 0) <= 0) {
      const result = await host().ask(question, false)()
      expect(result.notices).toEqual({})
      expect(result.sent).toBeGreaterThan(0)
      expect(lost(result)).toBe(0)
      use.push(result.server)
    }
    expect(use.at(-1)?.cpu).toBeGreaterThan(0)
    expect(use.at(-1)?.memoryAfter).toBeGreaterThan(1_000_000)
  })
})

/** A contender under another name that notes when it is started. */
const noting = (name: string, started: Array<string>): Contender => {
  const contender = contenderNamed("bare")
  return {
    ...contender,
    name,
    start: (...args: Parameters<NonNullable<typeof contender.start>>) => (started.push(name), contender.start!(...args))
  }
}

it("contenders of a round that run apart are started when the one before has had its windows, which are told one by one", async () => {
  const started: Array<string> = []
  const outcomes = []
  for await (const [{ name }, outcome, window] of runApart(questions[0]!, [noting("a", started), broken, noting("b", started)], 2))
    outcomes.push([name, window, outcome instanceof TrialFailure ? "failed" : lost(outcome), started.length])
  expect(outcomes).toEqual([
    ["a", 0, 0, 1],
    ["a", 1, 0, 1],
    ["broken", 0, "failed", 1],
    ["b", 0, 0, 2],
    ["b", 1, 0, 2]
  ])
})

it("each window is told with what the core's reference work took around it", async () => {
  const core = watchCore()
  const readings: Array<number> = []
  const read = async () => {
    readings.push(await core.read())
    return readings.at(-1)!
  }
  try {
    for await (const [, outcome] of runApart(questions[0]!, [contenderNamed("bare"), broken], 2, read))
      if (!(outcome instanceof TrialFailure)) expect(outcome.core).toBe(Math.max(...readings.slice(-2)))
  } finally {
    await core.end()
  }
  expect(readings.length).toBe(4)
  expect(Math.min(...readings)).toBeGreaterThan(0)
})

it("contenders of a round run side by side if they are measured in several windows, and one that fails does not stop the others", async () => {
  const started: Array<string> = []
  const outcomes = []
  for await (const [{ name }, outcome] of runRound(questions[0]!, [noting("a", started), broken, noting("b", started)], 2)) {
    // All were started before the first figures are told.
    expect(started).toEqual(["a", "b"])
    outcomes.push(outcome instanceof TrialFailure ? [name, "failed"] : [name, lost(outcome), outcome.window.seconds > 0.5])
  }
  expect(outcomes).toEqual([
    ["a", 0, true],
    ["broken", "failed"],
    ["b", 0, true]
  ])
})

it.each(questions.slice(0, 3).map((question) => [question.name, question] as const))(
  "the connections of %s stay for all windows, and nothing is lost between them",
  async (_, question) => {
    const windows = 3
    for await (const [, outcome] of runRound(question, [contenderNamed("bare")], windows)) {
      if (outcome instanceof TrialFailure) throw outcome
      expect(outcome.opened).toBe(connectionsOf(question.scenario))
      expect(lost(outcome)).toBe(0)
      expect(outcome.window.received).toBeGreaterThan(0)
      expect(outcome.window.seconds).toBeGreaterThan(question.seconds * (windows - 0.5))
    }
  }
)

it("a contender that does not start, or is not known, is told with what it wrote", async () => {
  await expect(trial(questions[0]!, broken)).rejects.toThrow(/did not start: .*no luck/s)
  expect(() => contenderNamed("unknown")).toThrow(/there are bare, weft/)
})

it("a list of contenders gives each question those that fit it, and a name that nobody has is a mistake", () => {
  const names = (...args: Parameters<typeof contendersOf>) => contendersOf(...args).map(({ name }) => name)
  expect(names("hub", "bare,weft,haproxy")).toEqual(["bare", "weft"])
  expect(names("gateway", "bare,weft,haproxy")).toEqual(["weft", "haproxy"])
  expect(names("gateway", "before=/elsewhere/src/main.ts,direct")).toEqual(["before", "direct"])
  expect(names("gateway", "all")).toContain("weft-reconnect")
  expect(() => names("gateway", "weft,unknown")).toThrow(/no contender unknown; there are haproxy/)
})
