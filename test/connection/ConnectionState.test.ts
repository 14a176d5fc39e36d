import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { afterHeartbeat, firstHeartbeat, nextDue, onTimer, type Timing } from "../../src/connection/ConnectionState.ts"

const heartbeat = { interval: 30_000, timeout: 60_000 }
const phase = fc.double({ min: 0, max: 1, noNaN: true })
const time = fc.integer({ min: 0, max: 10_000_000 })

/** A client that was heard of just now, or will be before it matters. */
const alive = (nextHeartbeat: number): Timing => ({ lastFrame: nextHeartbeat, nextHeartbeat, sharesWrite: false, expiresAt: undefined })

describe("heartbeats", () => {
  it("begin in the second half of the first interval", () => {
    fc.assert(
      fc.property(time, phase, (now, at) => {
        const first = firstHeartbeat(now, heartbeat.interval, at)
        expect(first).toBeGreaterThanOrEqual(now + heartbeat.interval / 2)
        expect(first).toBeLessThanOrEqual(now + heartbeat.interval)
      })
    )
  })

  it("of connections that came at one time are spread over half an interval, and stay so", () => {
    const count = 1_000
    const perSecond = new Map<number, number>()
    for (let i = 0; i < count; i++) {
      let next = firstHeartbeat(0, heartbeat.interval, i / count)
      for (let round = 0; round < 5; round++) next = afterHeartbeat(alive(next), heartbeat, next).nextHeartbeat
      const second = Math.floor(next / 1000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(Math.ceil(count / (heartbeat.interval / 2000)) + 1)
  })

  it("come once in every interval, or up to a thirtieth of it sooner where a room publishes then, whatever else sets the timer", () =>
    fc.assert(
      fc.property(phase, fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 60 }), (at, publishes) => {
        let timing = alive(firstHeartbeat(0, heartbeat.interval, at))
        let due = nextDue(timing, heartbeat)
        let last: number | undefined
        const beat = (now: number): void => {
          if (last !== undefined) {
            expect(now - last).toBeLessThan(heartbeat.interval + 0.001)
            expect(now - last).toBeGreaterThan(heartbeat.interval * (29 / 30) - 0.001)
          }
          last = now
          timing = afterHeartbeat(timing, heartbeat, now)
        }
        const advance = (until: number): void => {
          while (due <= until) {
            const now = due
            timing = { ...timing, lastFrame: now }
            const decided = onTimer(timing, heartbeat, now)
            if (decided.decision === "close") throw new Error("closed")
            if (decided.decision === "heartbeat") beat(now)
            if (decided.decision === "share") timing = { ...timing, sharesWrite: true }
            expect(decided.due).toBeGreaterThan(now)
            expect(decided.due).toBe(nextDue(timing, heartbeat))
            due = decided.due
          }
        }
        let now = 0
        for (const after of publishes) {
          now += after
          advance(now)
          if (timing.sharesWrite) {
            beat(now)
            due = nextDue(timing, heartbeat)
          }
        }
        advance(now + 100_000)
        expect(last).toBeDefined()
      })
    ))
})

describe("a connection's timer", () => {
  const anyTiming = fc.record({
    lastFrame: time,
    nextHeartbeat: time,
    sharesWrite: fc.boolean(),
    expiresAt: fc.option(time, { nil: undefined })
  })

  it("ends it when its token has expired, then when no frame has come for the timeout, and only then", () => {
    fc.assert(
      fc.property(anyTiming, time, (timing, now) => {
        const { lastFrame, nextHeartbeat, expiresAt } = timing
        const decided = onTimer(timing, heartbeat, now)
        const code = decided.decision === "close" ? decided.code : undefined
        if (expiresAt !== undefined && now >= expiresAt) expect(code).toBe(4401)
        else if (now - lastFrame >= heartbeat.timeout) expect(code).toBe(4408)
        else if (now >= nextHeartbeat) expect(decided.decision).toBe("heartbeat")
        else expect(decided.decision).toMatch(timing.sharesWrite ? /wait/ : /wait|share/)
      })
    )
  })

  it("fires again in the future, and no later than anything that is to happen", () => {
    fc.assert(
      fc.property(anyTiming, time, (timing, now) => {
        const decided = onTimer(timing, heartbeat, now)
        if (decided.decision === "close") return
        expect(decided.due).toBeGreaterThan(now)
        expect(decided.due).toBeLessThanOrEqual(timing.lastFrame + heartbeat.timeout)
        if (timing.expiresAt !== undefined) expect(decided.due).toBeLessThanOrEqual(timing.expiresAt)
        expect(decided.due).toBeLessThanOrEqual(decided.decision === "heartbeat" ? now + heartbeat.interval : timing.nextHeartbeat)
      })
    )
  })
})
