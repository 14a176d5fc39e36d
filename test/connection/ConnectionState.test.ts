import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { firstHeartbeat, nextDue, onTimer } from "../../src/connection/ConnectionState.ts"

const heartbeat = { interval: 30_000, timeout: 60_000 }
const phase = fc.double({ min: 0, max: 1, noNaN: true })
const time = fc.integer({ min: 0, max: 10_000_000 })

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
      for (let round = 0; round < 5; round++) {
        // The client answers at once.
        const decided = onTimer({ lastFrame: next, nextHeartbeat: next, expiresAt: undefined }, heartbeat, next)
        expect(decided).toEqual({ decision: "heartbeat", due: next + heartbeat.interval })
        next += heartbeat.interval
      }
      const second = Math.floor(next / 1000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(Math.ceil(count / (heartbeat.interval / 2000)) + 1)
  })
})

describe("a connection's timer", () => {
  it("ends it when its token has expired, then when no frame has come for the timeout, and only then", () => {
    fc.assert(
      fc.property(time, time, time, fc.option(time, { nil: undefined }), (lastFrame, nextHeartbeat, now, expiresAt) => {
        const decided = onTimer({ lastFrame, nextHeartbeat, expiresAt }, heartbeat, now)
        const code = decided.decision === "close" ? decided.code : undefined
        if (expiresAt !== undefined && now >= expiresAt) expect(code).toBe(4401)
        else if (now - lastFrame >= heartbeat.timeout) expect(code).toBe(4408)
        else expect(decided.decision).toBe(now >= nextHeartbeat ? "heartbeat" : "wait")
      })
    )
  })

  it("fires again in the future, and no later than anything that is to happen", () => {
    fc.assert(
      fc.property(time, time, time, fc.option(time, { nil: undefined }), (lastFrame, nextHeartbeat, now, expiresAt) => {
        const timing = { lastFrame, nextHeartbeat, expiresAt }
        const decided = onTimer(timing, heartbeat, now)
        if (decided.decision === "close") return
        expect(decided.due).toBeGreaterThan(now)
        expect(decided.due).toBeLessThanOrEqual(lastFrame + heartbeat.timeout)
        if (expiresAt !== undefined) expect(decided.due).toBeLessThanOrEqual(expiresAt)
        expect(decided.due).toBeLessThanOrEqual(decided.decision === "wait" ? nextDue(timing, heartbeat) : now + heartbeat.interval)
      })
    )
  })
})
