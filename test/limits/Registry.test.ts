import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Entry, Registry } from "../../src/limits/Registry.ts"
import { makeRate, take } from "../../src/limits/TokenBucket.ts"

const rate = makeRate(10, 2)
const fill = 2000

describe("Registry", () => {
  it("gives all holders of a key the same entry and counts them", () => {
    const registry = new Registry(rate)
    const first = registry.acquire("a", 0)
    const second = registry.acquire("a", 0)
    expect(second).toBe(first)
    expect(first.connections).toBe(2)
    expect(registry.acquire("b", 0)).not.toBe(first)
  })

  it("keeps the emptied bucket of one who leaves and comes back", () => {
    const registry = new Registry(rate)
    const entry = registry.acquire("a", 0)
    while (take(entry.bucket, 0, rate));
    registry.release(entry, 0)
    expect(take(registry.acquire("a", 0).bucket, 0, rate)).toBe(false)
  })

  it("forgets one who stays away until the bucket would be full", () => {
    const registry = new Registry(rate)
    registry.release(registry.acquire("a", 0), 1000)
    registry.sweep(1000 + fill - 1)
    expect(registry.size).toBe(1)
    registry.sweep(1000 + fill)
    expect(registry.size).toBe(0)
  })

  it("forgets at once where there is no rate", () => {
    const registry = new Registry(makeRate(0, 2))
    registry.release(registry.acquire("a", 0), 0)
    expect(registry.size).toBe(0)
  })

  it("does not forget who holds it again", () => {
    const registry = new Registry(rate)
    registry.release(registry.acquire("a", 0), 0)
    const again = registry.acquire("a", 10)
    registry.sweep(1e9)
    expect(registry.acquire("a", 1e9)).toBe(again)
  })

  it("bounds the entries that nobody holds", () => {
    const registry = new Registry(makeRate(1, 3600))
    for (let index = 0; index < 100_100; index++) registry.release(registry.acquire(`user ${index}`, index), index)
    expect(registry.size).toBe(100_000)
  })

  it("takes no harm from a clock that is set back", () => {
    const registry = new Registry(rate)
    registry.release(registry.acquire("a", 1_000_000), 1_000_000)
    registry.sweep(0)
    expect(registry.size).toBe(0)
  })

  it("counts right and ends empty after any sequence of comings and goings", () => {
    const step = fc.record({ key: fc.constantFrom("a", "b", "c"), come: fc.boolean(), wait: fc.integer({ min: 0, max: 1500 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const registry = new Registry(rate)
        const held = new Map<string, Array<Entry>>()
        let now = 0
        for (const { come, key, wait } of steps) {
          now += wait
          const mine = held.get(key) ?? []
          held.set(key, mine)
          if (come) mine.push(registry.acquire(key, now))
          else {
            const entry = mine.pop()
            if (entry !== undefined) registry.release(entry, now)
          }
          for (const entry of mine) {
            expect(entry.connections).toBe(mine.length)
            expect(entry).toBe(mine[0])
          }
        }
        for (const entries of held.values()) for (const entry of entries) registry.release(entry, now)
        registry.sweep(now + fill)
        expect(registry.size).toBe(0)
      })
    )
  })
})
