import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Liveness } from "../../src/client/Liveness.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const watch = (limit: number) => {
  const dead = vi.fn<() => void>()
  const liveness = new Liveness()
  liveness.start(limit, dead)
  return { dead, liveness }
}

describe("Liveness", () => {
  it("tells of a silence of the limit, at most a quarter later, once", () => {
    const { dead } = watch(1_000)
    vi.advanceTimersByTime(1_000)
    expect(dead).not.toHaveBeenCalled()
    vi.advanceTimersByTime(250)
    expect(dead).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(10_000)
    expect(dead).toHaveBeenCalledTimes(1)
  })

  it("never tells while something is heard within the limit", () => {
    const { dead, liveness } = watch(1_000)
    for (let i = 0; i < 50; i++) {
      vi.advanceTimersByTime(999)
      liveness.heard()
    }
    expect(dead).not.toHaveBeenCalled()
  })

  it("ends with stop, and watches nothing when there is no limit", () => {
    const { dead, liveness } = watch(1_000)
    liveness.stop()
    const without = [0, -1, Number.NaN].map((limit) => watch(limit).dead)
    vi.advanceTimersByTime(1_000_000)
    for (const each of [dead, ...without]) expect(each).not.toHaveBeenCalled()
  })
})
