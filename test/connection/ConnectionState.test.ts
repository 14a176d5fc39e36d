import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { afterHeartbeat, firstHeartbeat, nextDue, onTimer, type Timing } from "../../src/connection/ConnectionState.ts"

const heartbeat = { interval: 30_000, timeout: 60_000 }
const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const time = fc.integer({ min: 0, max: 10_000_000 })

/** A client that was heard of just now, or will be before it matters. */
const opened = (at: number, phase: number): Timing => {
  const first = firstHeartbeat(at, heartbeat.interval, phase)
  return { ...first, lastFrame: first.nextHeartbeat, sharesWrite: false, expiresAt: undefined }
}

describe("heartbeats", () => {
  it("begin in the second half of the first interval", () => {
    fc.assert(
      fc.property(time, phase, (now, at) => {
        const first = opened(now, at).nextHeartbeat
        expect(first).toBeGreaterThanOrEqual(now + heartbeat.interval / 2)
        expect(first).toBeLessThanOrEqual(now + heartbeat.interval)
      })
    )
  })

  it("of connections that came at one time are spread over half an interval, then over the whole, and stay so", () => {
    const count = 3_000
    const perSecond = new Array<number>(10 * 30).fill(0)
    for (let i = 0; i < count; i++)
      for (let timing = opened(0, (i + 0.5) / count); timing.nextHeartbeat < perSecond.length * 1000;) {
        perSecond[Math.floor(timing.nextHeartbeat / 1000)]!++
        timing = afterHeartbeat(timing, heartbeat, timing.nextHeartbeat)
      }
    expect(perSecond.slice(0, 15)).toEqual(new Array(15).fill(0))
    expect(Math.max(...perSecond)).toBe(count / 15)
    expect(perSecond.slice(60)).toEqual(new Array(240).fill(count / 30))
  })

  it("come once in every interval after the second, or up to a thirtieth of it sooner where a room publishes then", () =>
    fc.assert(
      fc.property(phase, fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 60 }), (at, publishes) => {
        let timing = opened(0, at)
        let due = nextDue(timing, heartbeat)
        let last: number | undefined
        let half = false
        const beat = (now: number): void => {
          if (last !== undefined) {
            const usual = half ? heartbeat.interval / 2 : heartbeat.interval
            expect(now - last).toBeLessThan(usual + 0.001)
            expect(now - last).toBeGreaterThan(usual - heartbeat.interval / 30 - 0.001)
          }
          half = last === undefined && at < 0.5
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
            due = nextDue(decided.next, heartbeat)
            expect(due).toBeGreaterThan(now)
            expect(due).toBe(nextDue(timing, heartbeat))
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
    halfNext: fc.boolean(),
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
        const due = nextDue(decided.next, heartbeat)
        expect(due).toBeGreaterThan(now)
        expect(due).toBeLessThanOrEqual(timing.lastFrame + heartbeat.timeout)
        if (timing.expiresAt !== undefined) expect(due).toBeLessThanOrEqual(timing.expiresAt)
        expect(due).toBeLessThanOrEqual(decided.decision === "heartbeat" ? now + heartbeat.interval : timing.nextHeartbeat)
      })
    )
  })
})
