import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  healthy,
  makeHealth,
  observed,
  probed,
  ratesAt,
  type HealthState,
  type HealthStatus,
  type HealthThresholds,
  type ProbeOutcome
} from "../../src/gateway/HealthState.ts"

const pass: ProbeOutcome = { ok: true, milliseconds: 7 }
const refuse: ProbeOutcome = { ok: false, type: "connect", message: "connection refused" }

/** "+" a check that passed, "-" one that failed, a second apart. */
const after = (checks: string, thresholds: HealthThresholds, start: HealthState = makeHealth(0)): HealthState =>
  Array.from(checks).reduce((state, check, index) => probed(state, thresholds, check === "+" ? pass : refuse, (index + 1) * 1000), start)

describe("the status", () => {
  it.each<readonly [string, HealthThresholds, HealthStatus]>([
    ["", { up: 2, down: 3 }, "unknown"],
    ["+", { up: 2, down: 3 }, "up"],
    ["-", { up: 2, down: 3 }, "unknown"],
    ["--", { up: 2, down: 3 }, "unknown"],
    ["---", { up: 2, down: 3 }, "down"],
    ["--+", { up: 2, down: 3 }, "up"],
    ["--+--", { up: 2, down: 3 }, "up"],
    ["+---", { up: 2, down: 3 }, "down"],
    ["---+", { up: 2, down: 3 }, "down"],
    ["---+-+", { up: 2, down: 3 }, "down"],
    ["---++", { up: 2, down: 3 }, "up"],
    ["-", { up: 1, down: 1 }, "down"],
    ["-+", { up: 1, down: 1 }, "up"],
    ["+-+-", { up: 1, down: 1 }, "down"]
  ])("after %j with %j is %s", (checks, thresholds, status) => {
    const state = after(checks, thresholds)
    expect(state.status).toBe(status)
    expect(healthy(state)).toBe(status !== "down")
  })

  it("tells when it changed last, and repeated outcomes do not move that time", () => {
    expect(after("+---", { up: 2, down: 3 }).since).toBe(4000)
    expect(after("+-----", { up: 2, down: 3 }).since).toBe(4000)
  })

  it("is not changed by traffic, whatever happens to it", () => {
    let state = makeHealth(0)
    for (let count = 0; count < 100; count++) state = observed(state, { type: "lost", message: "the backend is gone" }, count)
    expect(state.status).toBe("unknown")
    expect(ratesAt(state, 100).traffic).toEqual({ successes: 0, failures: 100, failureRate: 1 })
  })
})

describe("the last error", () => {
  it("is kept through successes, with its time and where it was seen", () => {
    const state = after("-++", { up: 2, down: 3 })
    expect(state.lastError).toEqual({ at: 1000, source: "probe", type: "connect", message: "connection refused" })
    expect(state.lastSuccess).toEqual({ at: 3000, milliseconds: 7 })
    const later = observed(state, { type: "lost", message: "the backend is gone" }, 4000)
    expect(observed(later, undefined, 5000).lastError).toEqual({
      at: 4000,
      source: "traffic",
      type: "lost",
      message: "the backend is gone"
    })
  })
})

/** All that happened, from which everything is found anew each time. */
interface Model {
  now: number
  readonly start: number
  readonly thresholds: HealthThresholds
  readonly probes: Array<{ readonly at: number; readonly ok: boolean }>
  readonly traffic: Array<{ readonly at: number; readonly ok: boolean }>
}

interface Real {
  state: HealthState
}

/** The place in the log at which the last `count` outcomes were all `ok`, the latest such place; -1 if there is none. */
const lastRun = (log: Model["probes"], ok: boolean, count: number) =>
  log.findLastIndex((_, end) => end + 1 >= count && log.slice(end + 1 - count, end + 1).every((entry) => entry.ok === ok))

const statusOf = ({ probes, thresholds }: Model): HealthStatus => {
  const up = lastRun(probes, true, thresholds.up)
  const down = lastRun(probes, false, thresholds.down)
  if (up !== down) return up > down ? "up" : "down"
  return probes.some(({ ok }) => ok) ? "up" : "unknown"
}

const WINDOW = 10_000
const rateOf = (log: Model["probes"], now: number) => {
  const live = log.filter(({ at }) => Math.floor(at / 1000) > Math.floor(now / 1000) - 10)
  const failures = live.filter(({ ok }) => !ok).length
  return { successes: live.length - failures, failures, failureRate: live.length === 0 ? 0 : failures / live.length }
}

class Step implements fc.Command<Model, Real> {
  readonly gap: number
  readonly kind: "probe" | "traffic" | "none"
  readonly ok: boolean
  constructor(gap: number, kind: "probe" | "traffic" | "none", ok: boolean) {
    this.gap = gap
    this.kind = kind
    this.ok = ok
  }
  check = () => true
  run(model: Model, real: Real) {
    model.now += this.gap
    const before = real.state
    const entry = { at: model.now, ok: this.ok }
    if (this.kind === "probe") {
      model.probes.push(entry)
      real.state = probed(before, model.thresholds, this.ok ? pass : refuse, model.now)
    }
    if (this.kind === "traffic") {
      model.traffic.push(entry)
      real.state = observed(before, this.ok ? undefined : { type: "lost", message: "gone" }, model.now)
    }
    expect(real.state.status).toBe(statusOf(model))
    expect(real.state.since).toBe(real.state.status === before.status ? before.since : model.now)
    expect(ratesAt(real.state, model.now)).toEqual({ probes: rateOf(model.probes, model.now), traffic: rateOf(model.traffic, model.now) })
    const latest = [...model.probes, ...model.traffic].filter(({ ok }) => !ok).reduce((at, error) => Math.max(at, error.at), -1)
    expect(real.state.lastError?.at ?? -1).toBe(latest)
  }
  toString = () => `+${this.gap} ${this.kind} ${this.ok}`
}

describe("any history", () => {
  it("gives the status, rates and last error that its log gives", () => {
    const steps = fc
      .tuple(fc.nat(3000), fc.constantFrom("probe" as const, "probe" as const, "traffic" as const, "none" as const), fc.boolean())
      .map(([gap, kind, ok]) => new Step(gap, kind, ok))
    const threshold = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(
        fc.record({ up: threshold, down: threshold }),
        fc.nat(5000),
        fc.commands([steps], { maxCommands: 60 }),
        (thresholds, start, commands) => {
          fc.modelRun(
            () => ({
              model: { now: start, start, thresholds, probes: [], traffic: [] },
              real: { state: makeHealth(start, WINDOW) }
            }),
            commands
          )
        }
      ),
      { numRuns: 200 }
    )
  })
})
