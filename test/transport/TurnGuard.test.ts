import { describe, expect, it } from "vitest"
import { TurnGuard } from "../../src/transport/TurnGuard.ts"

describe("TurnGuard", () => {
  const frames = (guard: TurnGuard<string>, connection: string, count: number, length = 10): boolean =>
    Array.from({ length: count }, () => guard.holdsUp(connection, length)).includes(true)

  it("finds the connection whose frames come in a row without a turn of the timers", () => {
    const guard = new TurnGuard<string>(() => 600)
    expect(frames(guard, "flooder", 200)).toBe(true)
    expect(frames(guard, "flooder of bytes", 8, 300_000)).toBe(true)
  })

  it("lets a connection send as much as it likes as the timers have their turns", () => {
    const guard = new TurnGuard<string>(() => 100)
    expect(frames(guard, "busy", 10_000, 300_000)).toBe(false)
  })

  it("blames nobody for a slow turn that many share", () => {
    const guard = new TurnGuard<string>(() => 600)
    for (let n = 0; n < 1000; n++) expect(guard.holdsUp(n % 2 === 0 ? "a" : "b", 300_000)).toBe(false)
  })
})
