import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Recovery, trialTime } from "../../../src/gateway/link/Recovery.ts"
import { seekDelay } from "../../../src/gateway/link/seekDelay.ts"

const deadline = 30

describe("the recovery of a link", () => {
  it("begins without a pause and with the whole deadline, which counts from the first loss", () => {
    const recovery = new Recovery()
    expect(recovery.round).toBe(0)
    expect(recovery.left(1_000, deadline)).toBe(30_000)
    recovery.lost(2_000)
    expect(recovery.left(2_000, deadline)).toBe(30_000)
    recovery.found(12_000, 0)
    recovery.lost(12_000)
    expect(recovery.left(12_000, deadline)).toBe(20_000)
    expect(recovery.left(50_000, deadline)).toBe(0)
  })

  it("goes on with the next round when the backend that was found loses the link", () => {
    const recovery = new Recovery()
    recovery.lost(0)
    recovery.found(500, 4)
    expect([recovery.round, recovery.onTrial]).toEqual([5, true])
    recovery.lost(600)
    expect([recovery.round, recovery.onTrial]).toEqual([5, false])
  })

  it("is over when a backend has answered and kept the link for long enough, whichever comes last", () => {
    const recovery = new Recovery()
    recovery.lost(0)
    recovery.found(100, 0)
    expect(recovery.proved(100 + 10 * trialTime)).toBe(false)
    recovery.answers()
    expect(recovery.due).toBe(100 + trialTime)
    expect(recovery.proved(99 + trialTime)).toBe(false)
    expect(recovery.proved(100 + trialTime)).toBe(true)
  })

  it("does not take the answer of one backend for that of the next, nor one that is gone for proved", () => {
    const recovery = new Recovery()
    recovery.lost(0)
    recovery.found(100, 0)
    recovery.answers()
    recovery.lost(200)
    expect(recovery.proved(1_000_000)).toBe(false)
    recovery.found(300, 1)
    expect(recovery.proved(1_000_000)).toBe(false)
  })

  it("dials seldom, and not for ever, for a client whose backends accept, answer and drop it, however soon", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ keeps: fc.integer({ min: 0, max: trialTime - 1 }), random: fc.double({ min: 0, max: 0.99, noNaN: true }) }), {
          minLength: 3_000,
          maxLength: 3_000
        }),
        (fates) => {
          const recovery = new Recovery()
          const dials: Array<number> = []
          let now = 0
          recovery.lost(now)
          for (const { keeps, random } of fates) {
            const left = recovery.left(now, deadline)
            if (left === 0) break
            now += Math.min(left, seekDelay(recovery.round, random))
            dials.push(now)
            recovery.found(now, recovery.round)
            recovery.answers()
            now += keeps
            if (recovery.proved(now)) throw new Error("proved too soon")
            recovery.lost(now)
          }
          // 25, 50, … 800 ms at least, then a second each.
          expect(dials.length).toBeLessThanOrEqual(7 + deadline)
          expect(Math.max(...dials)).toBeLessThanOrEqual(deadline * 1000)
          expect(recovery.left(now, deadline)).toBe(0)
        }
      ),
      { numRuns: 50 }
    )
  })
})
