import { describe, expect, it } from "vitest"
import { FailureLog, type LoggedFailure } from "../../src/gateway/FailureLog.ts"

const failure = (message: string): LoggedFailure => ({ event: "a dial failed", type: "connect", message, fault: true })

/** A log whose clock is turned by hand. */
const log = () => {
  let now = 0
  const timers: Array<{ readonly at: number; readonly run: () => void }> = []
  const lines: Array<readonly [backend: string, message: string, suppressed: number, at: number]> = []
  const failures = new FailureLog<{ readonly name: string }>({
    now: () => now,
    later: (milliseconds, run) => void timers.push({ at: now + milliseconds, run }),
    write: ({ name }, { message }, suppressed) => void lines.push([name, message, suppressed, now])
  })
  const turnTo = (time: number): void => {
    for (let next = timers.findIndex(({ at }) => at <= time); next !== -1; next = timers.findIndex(({ at }) => at <= time)) {
      const [timer] = timers.splice(next, 1)
      now = timer!.at
      timer!.run()
    }
    now = time
  }
  return { failures, lines, turnTo, waiting: () => timers.length }
}

describe("failures of backends", () => {
  const one = { name: "one" }
  const two = { name: "two" }

  it("are told at once, each backend for itself", () => {
    const { failures, lines } = log()
    failures.note(one, failure("a"))
    failures.note(two, failure("b"))
    expect(lines).toEqual([
      ["one", "a", 0, 0],
      ["two", "b", 0, 0]
    ])
  })

  it("become one line in a second, with the number of those that have none, and none is forgotten", () => {
    const { failures, lines, turnTo, waiting } = log()
    for (let n = 0; n < 100; n++) {
      failures.note(one, failure(`${n}`))
      turnTo(n * 10)
    }
    turnTo(1_500)
    expect(lines).toEqual([
      ["one", "0", 0, 0],
      ["one", "99", 98, 1_000]
    ])
    failures.note(one, failure("again"))
    turnTo(10_000)
    expect(lines.slice(2)).toEqual([["one", "again", 0, 2_000]])
    failures.note(one, failure("much later"))
    expect(lines.slice(3)).toEqual([["one", "much later", 0, 10_000]])
    expect(waiting()).toBe(0)
  })

  it("never make more than a line a second, however many come", () => {
    const { failures, lines, turnTo } = log()
    for (let n = 0; n < 10_000; n++) {
      turnTo(n)
      failures.note(one, failure("x"))
    }
    turnTo(20_000)
    const times = lines.map(([, , , at]) => at)
    expect(times).toEqual(Array.from({ length: 11 }, (_, second) => second * 1_000))
    expect(lines.reduce((sum, [, , suppressed]) => sum + suppressed + 1, 0)).toBe(10_000)
  })
})
