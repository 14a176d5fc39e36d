import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Timed, TimerWheel } from "../../src/actor/TimerWheel.ts"

interface Entry extends Timed {
  readonly name: number
}

const entry = (name: number): Entry => ({ name, due: 0, timerNext: undefined, timerPrevious: undefined })

describe("TimerWheel", () => {
  it("fires each timer once, at the first advance past its time and never before, as a list of due times would", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(
          fc.oneof(
            fc.record({ op: fc.constant("schedule" as const), name: fc.nat(9), after: fc.integer({ min: 0, max: 400_000 }) }),
            fc.record({ op: fc.constant("cancel" as const), name: fc.nat(9) }),
            fc.record({ op: fc.constant("advance" as const), by: fc.integer({ min: 0, max: 300_000 }) })
          ),
          { maxLength: 60 }
        ),
        (granularity, operations) => {
          let now = 1_000_000
          const fired: Array<number> = []
          const wheel = new TimerWheel<Entry>(granularity, now, ({ name }) => fired.push(name))
          const entries = Array.from({ length: 10 }, (_, name) => entry(name))
          const model = new Map<number, { readonly time: number; readonly after: number }>()
          for (const operation of operations) {
            if (operation.op === "advance") {
              now += operation.by
              fired.length = 0
              expect(wheel.advance(now)).toBe(fired.length)
              // A timer fires once the tick that its time falls into has passed whole.
              const tick = Math.floor(now / granularity)
              const due = Array.from(model).filter(([, { time, after }]) => time <= tick * granularity && after < tick)
              for (const name of fired) expect(model.get(name)?.time).toBeLessThanOrEqual(now)
              for (const [name] of due) expect(fired).toContain(name)
              expect(new Set(fired).size).toBe(fired.length)
              for (const name of fired) model.delete(name)
            } else {
              const target = entries[operation.name]
              if (target === undefined) continue
              if (operation.op === "schedule") {
                wheel.schedule(target, now + operation.after)
                // The tick of the present time has been looked at: one that is set for it has to wait for another.
                model.set(operation.name, { time: now + operation.after, after: Math.floor(now / granularity) })
              } else {
                wheel.cancel(target)
                model.delete(operation.name)
              }
            }
          }
        }
      ),
      {
        numRuns: 1000,
        examples: [
          [
            8,
            [
              { op: "schedule", name: 0, after: 0 },
              { op: "advance", by: 0 }
            ]
          ]
        ]
      }
    ))

  it("lets a timer set itself again while it fires, without firing twice in one advance", () => {
    let count = 0
    const wheel: TimerWheel<Entry> = new TimerWheel<Entry>(100, 0, (fired) => {
      count++
      wheel.schedule(fired, 0)
    })
    wheel.schedule(entry(1), 50)
    wheel.advance(1000)
    const first = count
    wheel.advance(1100)
    expect(count).toBe(first + 1)
  })

  it("lets a timer cancel another one that is due at the same time", () => {
    const fired: Array<number> = []
    const [a, b] = [entry(1), entry(2)]
    const wheel: TimerWheel<Entry> = new TimerWheel<Entry>(100, 0, ({ name }) => {
      fired.push(name)
      wheel.cancel(b)
    })
    wheel.schedule(a, 150)
    wheel.schedule(b, 150)
    wheel.advance(1000)
    expect(fired).toEqual([1])
  })
})
