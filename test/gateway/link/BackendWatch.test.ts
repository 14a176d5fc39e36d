import { describe, expect, it } from "vitest"
import { BackendWatch } from "../../../src/gateway/link/BackendWatch.ts"

const times = { interval: 1_000, timeout: 100 }
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1")

describe("the watch over a backend", () => {
  it("asks one that was quiet, and gives up one that does not answer", () => {
    const watch = new BackendWatch(0)
    expect(watch.next(999, times)).toBeUndefined()
    expect(watch.next(1_000, times)).toBe("ask")
    watch.ask(1_000, 7)
    expect(watch.due(times)).toBe(1_100)
    expect(watch.next(1_099, times)).toBeUndefined()
    expect(watch.next(1_100, times)).toBe("give up")
  })

  it("takes anything that is said for a sign of life, and only its own pong for an acknowledgement", () => {
    const watch = new BackendWatch(0)
    const payload = watch.ask(10, 42)
    watch.heard(60)
    expect(watch.next(150, times)).toBeUndefined()
    expect(watch.next(160, times)).toBe("give up")
    for (const other of ["", "42", "weft:41", "1700000000"]) expect(watch.answered(bytes(other))).toBeUndefined()
    expect(watch.asked).toBe(true)
    expect(watch.answered(bytes(payload))).toBe(42)
    expect(watch.asked).toBe(false)
    expect(watch.answered(bytes(payload))).toBeUndefined()
  })

  it("forgets the ping to the backend before", () => {
    const watch = new BackendWatch(0)
    const payload = watch.ask(10, 1)
    watch.renew(50)
    expect(watch.asked).toBe(false)
    expect(watch.answered(bytes(payload))).toBeUndefined()
    expect(watch.due(times)).toBe(1_050)
  })
})
