import { describe, expect, it } from "vitest"
import { Pacer, type Polling } from "../../src/bench/Pacer.ts"

/** Acts `times` times, a gap of `gap` milliseconds before each, and tells when each was due and how often it polled. */
const run = (gap: number, times: number, polling: Polling = {}) =>
  new Promise<{ readonly due: ReadonlyArray<number>; readonly late: number; readonly polls: ReadonlyArray<number> }>((resolve) => {
    const due: Array<number> = []
    const polls: Array<number> = []
    let late = 0
    const act = (at: number) => {
      due.push(at)
      if (performance.now() < at) late++
      if (due.length < times) return
      pacer.stop()
      resolve({ due, late, polls })
    }
    const pacer = new Pacer(() => gap, gap, act, { ...polling, polled: (milliseconds) => polls.push(milliseconds) })
    pacer.start()
  })

describe("an open loop", () => {
  it.each([1, 3, 8])("acts when something is due, every time and never before, with gaps of %i ms", async (gap) => {
    const { due, late } = await run(gap, 20)
    expect(due.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, n) => expect.closeTo(due[0]! + n * gap, 6)))
    expect(late).toBe(0)
  })

  it("sleeps where gaps are short, and polls all the time where it is to stay awake", async () => {
    // At most where the time came while it was being asked for.
    expect((await run(2, 20)).polls.length).toBeLessThan(20)
    expect((await run(2, 20, { always: true })).polls.length).toBeGreaterThan(20)
  })
})
