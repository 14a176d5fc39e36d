import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Breaker, type BreakerPolicy, type BreakerState, type Permit } from "../../src/gateway/Breaker.ts"

const policy: BreakerPolicy = { failures: 3, rate: 0.5, min: 8, window: 10, open: 30, tests: 1, successes: 1 }
const OPEN = 30_000

const fail = (breaker: Breaker, now: number, times = 1) => {
  for (let count = 0; count < times; count++) breaker.failure(breaker.attempt(now), now)
}
const succeed = (breaker: Breaker, now: number, times = 1) => {
  for (let count = 0; count < times; count++) breaker.success(breaker.attempt(now), now)
}

describe("a closed breaker", () => {
  it("opens after so many failures in a row, and not for as many with a success between", () => {
    const breaker = new Breaker(policy)
    fail(breaker, 0, 2)
    succeed(breaker, 0)
    fail(breaker, 0, 2)
    expect(breaker.state(0)).toBe("closed")
    fail(breaker, 0)
    expect(breaker.state(0)).toBe("open")
    expect(breaker.allows(0)).toBe(false)
  })

  it("opens at the failure rate, once there were enough attempts within the window", () => {
    const breaker = new Breaker({ ...policy, failures: 0 })
    for (let pair = 0; pair < 3; pair++) {
      fail(breaker, pair)
      succeed(breaker, pair)
    }
    succeed(breaker, 3)
    expect(breaker.state(3)).toBe("closed")
    fail(breaker, 3)
    expect(breaker.state(3)).toBe("open")
  })

  it("forgets attempts that are older than the window", () => {
    const breaker = new Breaker({ ...policy, failures: 0 })
    fail(breaker, 0, 7)
    fail(breaker, 10_000)
    expect(breaker.state(10_000)).toBe("closed")
  })

  it("is not opened by a success, even if that completes the attempts that the rate needs", () => {
    const breaker = new Breaker({ ...policy, failures: 0 })
    fail(breaker, 0, 7)
    succeed(breaker, 0)
    expect(breaker.state(0)).toBe("closed")
  })

  it("counts what was lost outside of an attempt", () => {
    const breaker = new Breaker(policy)
    for (let count = 0; count < 3; count++) breaker.lost(0)
    expect(breaker.state(0)).toBe("open")
  })

  it("never opens with both measures off, nor without a policy", () => {
    for (const breaker of [new Breaker({ ...policy, failures: 0, rate: 0 }), new Breaker(undefined)]) {
      fail(breaker, 0, 1000)
      expect(breaker.state(0)).toBe("closed")
      expect(breaker.allows(0)).toBe(true)
    }
  })
})

describe("an open breaker", () => {
  const opened = () => {
    const breaker = new Breaker(policy)
    fail(breaker, 0, 3)
    return breaker
  }

  it("stays open for its time, tells how much is left, and is half open after it", () => {
    const breaker = opened()
    expect([breaker.state(OPEN - 1), breaker.remaining(OPEN - 1), breaker.allows(OPEN - 1)]).toEqual(["open", 1, false])
    expect([breaker.state(OPEN), breaker.remaining(OPEN), breaker.allows(OPEN)]).toEqual(["half_open", 0, true])
  })

  it("begins its time anew when the clock is set back", () => {
    const breaker = new Breaker(policy)
    fail(breaker, 1_000_000, 3)
    expect(breaker.remaining(500_000)).toBe(OPEN)
    expect(breaker.state(500_000 + OPEN)).toBe("half_open")
  })

  it("is not moved by attempts that began before it opened", () => {
    const breaker = new Breaker(policy)
    const early = [breaker.attempt(0), breaker.attempt(0)] as const
    fail(breaker, 0, 3)
    breaker.success(early[0], 1)
    expect(breaker.state(1)).toBe("open")
    expect(breaker.attempt(OPEN).counts).toBe(true)
    breaker.success(early[1], OPEN)
    expect(breaker.state(OPEN)).toBe("half_open")
    expect(breaker.allows(OPEN)).toBe(false)
  })

  it("is not moved by an attempt that it did not allow", () => {
    const breaker = opened()
    breaker.success(breaker.attempt(1), 1)
    expect(breaker.state(1)).toBe("open")
  })
})

describe("a half-open breaker", () => {
  const half = (changes: Partial<BreakerPolicy> = {}) => {
    const breaker = new Breaker({ ...policy, ...changes })
    fail(breaker, 0, 3)
    return breaker
  }

  it("allows so many tests at once and no more", () => {
    const breaker = half({ tests: 2 })
    const first = breaker.attempt(OPEN)
    expect(breaker.allows(OPEN)).toBe(true)
    breaker.attempt(OPEN)
    expect(breaker.allows(OPEN)).toBe(false)
    breaker.cancelled(first)
    expect(breaker.allows(OPEN)).toBe(true)
  })

  it("gives a permit back once, however often its attempt ends", () => {
    const breaker = half({ tests: 2 })
    const first = breaker.attempt(OPEN)
    breaker.attempt(OPEN)
    breaker.cancelled(first)
    breaker.cancelled(first)
    breaker.attempt(OPEN)
    expect(breaker.allows(OPEN)).toBe(false)
  })

  it("closes after its successes and starts to count afresh", () => {
    const breaker = half({ successes: 2 })
    succeed(breaker, OPEN)
    expect(breaker.state(OPEN)).toBe("half_open")
    succeed(breaker, OPEN)
    expect(breaker.state(OPEN)).toBe("closed")
    fail(breaker, OPEN, 2)
    expect(breaker.state(OPEN)).toBe("closed")
    fail(breaker, OPEN)
    expect(breaker.state(OPEN)).toBe("open")
  })

  it("has forgotten, once closed, the failures over the window that opened it", () => {
    const breaker = new Breaker({ ...policy, failures: 0, min: 4, rate: 1, open: 1 })
    fail(breaker, 0, 4)
    succeed(breaker, 1000)
    fail(breaker, 1000, 3)
    expect(breaker.state(1000)).toBe("closed")
    fail(breaker, 1000)
    expect(breaker.state(1000)).toBe("open")
  })

  it("opens again at the first failure, for its whole time", () => {
    const breaker = half({ tests: 2, successes: 3 })
    const other = breaker.attempt(OPEN)
    fail(breaker, OPEN + 5)
    expect(breaker.remaining(OPEN + 5)).toBe(OPEN)
    breaker.success(other, OPEN + 6)
    expect(breaker.view(OPEN + 6)).toEqual({ state: "open", openedAt: OPEN + 5, openings: 2, failures: 0, failureRate: 0 })
  })

  it("takes no notice of links that are lost: they were made before", () => {
    const breaker = half()
    breaker.attempt(OPEN)
    for (let count = 0; count < 10; count++) breaker.lost(OPEN)
    expect(breaker.state(OPEN)).toBe("half_open")
  })
})

/** The same rules over plain lists. A period lasts from one change of state to the next. */
interface Model {
  readonly policy: BreakerPolicy
  now: number
  period: number
  state: BreakerState
  openedAt: number
  openings: number
  /** Of this period. */
  log: ReadonlyArray<{ readonly at: number; readonly ok: boolean }>
  readonly permits: Array<{ readonly period: number; readonly counts: boolean; settled: boolean; readonly test: boolean }>
}

interface Real {
  readonly breaker: Breaker
  readonly permits: Array<Permit>
}

const enter = (model: Model, state: BreakerState) => {
  model.state = state
  model.period++
  model.log = []
  if (state !== "open") return
  model.openedAt = model.now
  model.openings++
}

const running = (model: Model) => model.permits.filter((permit) => permit.test && !permit.settled && permit.period === model.period).length
const shown = (model: Model): BreakerState =>
  model.state === "open" && model.now - model.openedAt >= model.policy.open * 1000 ? "half_open" : model.state
const allowed = (model: Model) => {
  if (shown(model) === "open") return false
  return model.state !== "half_open" || running(model) < model.policy.tests
}

const conclude = (model: Model, ok: boolean) => {
  const { failures, min, rate, successes, window } = model.policy
  const slice = (at: number) => Math.floor(at / (window * 100))
  const entry = { at: model.now, ok }
  model.log = [...model.log, entry]
  if (model.state === "half_open") {
    if (!ok) enter(model, "open")
    else if (model.log.length >= successes) enter(model, "closed")
    return
  }
  if (model.state !== "closed" || ok) return
  const live = model.log.filter(({ at }) => slice(at) > slice(model.now) - 10)
  const failed = live.filter((each) => !each.ok).length
  const inARow = model.log.length - 1 - model.log.findLastIndex((each) => each.ok)
  if ((failures > 0 && inARow >= failures) || (rate > 0 && live.length >= min && failed / live.length >= rate)) enter(model, "open")
}

type Action = "attempt" | "success" | "failure" | "cancelled" | "lost" | "wait"

class Step implements fc.Command<Model, Real> {
  readonly gap: number
  readonly action: Action
  readonly pick: number
  constructor(gap: number, action: Action, pick: number) {
    this.gap = gap
    this.action = action
    this.pick = pick
  }
  check = () => true
  run(model: Model, real: Real) {
    model.now += this.gap
    const { now } = model
    this.#act(model, real)
    expect(real.breaker.state(now)).toBe(shown(model))
    expect(real.breaker.allows(now)).toBe(allowed(model))
    expect(real.breaker.view(now).openings).toBe(model.openings)
    expect(real.breaker.remaining(now)).toBe(model.state === "open" ? Math.max(0, model.openedAt + model.policy.open * 1000 - now) : 0)
    expect(running(model)).toBeLessThanOrEqual(model.policy.tests)
  }
  #act(model: Model, real: Real) {
    if (this.action === "lost") {
      real.breaker.lost(model.now)
      if (model.state === "closed") conclude(model, false)
    } else if (this.action === "attempt") {
      const counts = allowed(model)
      real.permits.push(real.breaker.attempt(model.now))
      if (counts && model.state === "open") enter(model, "half_open")
      model.permits.push({ period: model.period, counts, settled: false, test: counts && model.state === "half_open" })
    } else if (this.action !== "wait") this.#settle(this.action, model, real)
  }
  /** Any attempt so far may end, also one that has ended already. The latest ones do so most often. */
  #settle(how: "success" | "failure" | "cancelled", model: Model, real: Real) {
    const index = model.permits.length - 1 - this.pick
    const permit = model.permits[index]
    const handed = real.permits[index]
    if (permit === undefined || handed === undefined) return
    if (how === "cancelled") real.breaker.cancelled(handed)
    else real.breaker[how](handed, model.now)
    const counts = !permit.settled && permit.counts && permit.period === model.period
    permit.settled = true
    if (counts && how !== "cancelled") conclude(model, how === "success")
  }
  toString = () => `+${this.gap} ${this.action} ${this.pick}`
}

describe("any sequence of attempts", () => {
  it("leaves the breaker as the rules over plain lists say, with tests within their limit", () => {
    const action = fc.constantFrom<Action>("attempt", "attempt", "success", "failure", "failure", "cancelled", "lost", "wait")
    const gap = fc.oneof({ weight: 8, arbitrary: fc.nat(150) }, { weight: 1, arbitrary: fc.nat(6000) })
    const steps = fc.tuple(gap, action, fc.nat(3)).map(([time, what, pick]) => new Step(time, what, pick))
    const policies = fc.record({
      failures: fc.nat(4),
      rate: fc.constantFrom(0, 0.25, 0.5, 1),
      min: fc.integer({ min: 1, max: 6 }),
      window: fc.integer({ min: 1, max: 3 }),
      open: fc.integer({ min: 1, max: 4 }),
      tests: fc.integer({ min: 1, max: 3 }),
      successes: fc.integer({ min: 1, max: 3 })
    })
    const reached = new Set<BreakerState>()
    fc.assert(
      fc.property(policies, fc.nat(5000), fc.commands([steps], { maxCommands: 120, size: "max" }), (some, start, commands) => {
        const model: Model = { policy: some, now: start, period: 0, state: "closed", openedAt: 0, openings: 0, log: [], permits: [] }
        fc.modelRun(() => ({ model, real: { breaker: new Breaker(some), permits: [] } }), commands)
        reached.add(model.state)
      }),
      { numRuns: 300 }
    )
    expect(reached).toEqual(new Set<BreakerState>(["closed", "open", "half_open"]))
  })
})
