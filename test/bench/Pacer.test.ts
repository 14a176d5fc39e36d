import { describe, expect, it } from "vitest"
import { Pacer } from "../../src/bench/Pacer.ts"

/** Acts `times` times, a gap of `gap` milliseconds before each, and tells when each was due and how often it polled. */
const run = (gap: number, times: number) =>
  new Promise<{ readonly due: ReadonlyArray<number>; readonly early: number; readonly polls: number }>((resolve) => {
    const due: Array<number> = []
    let [early, polls] = [0, 0]
    const act = (at: number) => {
      due.push(at)
      if (performance.now() < at) early++
      if (due.length < times) return
      pacer.stop()
      resolve({ due, early, polls })
    }
    const pacer = new Pacer(
      () => gap,
      gap,
      act,
      () => polls++
    )
    pacer.start()
  })

describe("an open loop", () => {
  it.each([1, 3, 8])("acts when something is due, every time and never before, with gaps of %i ms", async (gap) => {
    const { due, early } = await run(gap, 20)
    expect(due.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, n) => expect.closeTo(due[0]! + n * gap, 6)))
    expect(early).toBe(0)
  })

  it("sleeps where gaps are short, and polls at the end of long ones", async () => {
    // At most where the time came while it was being asked for.
    expect((await run(2, 20)).polls).toBeLessThan(20)
    expect((await run(6, 5)).polls).toBeGreaterThan(20)
  })
})
