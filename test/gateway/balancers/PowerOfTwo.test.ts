import { describe, expect, it } from "vitest"
import { PowerOfTwo } from "../../../src/gateway/balancers/PowerOfTwo.ts"
import { WeightedRandom } from "../../../src/gateway/balancers/WeightedRandom.ts"
import { changing, countPicks, misfit, seeded, view } from "./statistics.ts"

const spread = (counts: ReadonlyArray<number>) => Math.max(...counts) - Math.min(...counts)

describe("PowerOfTwo", () => {
  it("of two targets always picks the one with fewer connections for its weight", () => {
    const targets = [view(1, 3), view(2, 4)]
    expect(countPicks(new PowerOfTwo(), targets, { count: 1000 })).toEqual([0, 1000])
  })

  it("never picks the fullest, and mostly the emptiest, of three", () => {
    const counts = countPicks(new PowerOfTwo(), [view(1, 9), view(1, 1), view(1, 5)])
    // The emptiest is among the two in 2 of 3 draws.
    expect(misfit(counts, [0, 2, 1])).toBeLessThan(1)
  })

  it("spreads 100,000 picks among idle targets as the weights say", () => {
    expect(misfit(countPicks(new PowerOfTwo(), changing(1, 2, 3, 0, 10)), [1, 2, 3, 0, 10])).toBeLessThan(1)
    expect(misfit(countPicks(new PowerOfTwo(), changing(1, 1, 1)), [1, 1, 1])).toBeLessThan(1)
  })

  it("spreads 100,000 lasting connections far more evenly than chance", () => {
    const even = changing(...Array.from({ length: 20 }, () => 1))
    const counts = countPicks(new PowerOfTwo(), even, { picked: (index) => even[index]!.connections++ })
    expect(spread(counts)).toBeLessThan(10)
    expect(spread(countPicks(new WeightedRandom(), even))).toBeGreaterThan(100)
  })

  it("spreads lasting connections by weight, also where one outweighs many", () => {
    const weights = [9, ...Array.from({ length: 9 }, () => 1)]
    const targets = changing(...weights)
    const counts = countPicks(new PowerOfTwo(), targets, { picked: (index) => targets[index]!.connections++ })
    counts.forEach((count, index) => expect(Math.abs(count / 100_000 - (weights[index] ?? 0) / 18)).toBeLessThan(0.005))
  })

  it("uses what remains when others leave", () => {
    expect(new PowerOfTwo().pick([view(0), view(1, 100), view(0)], seeded(1))).toBe(1)
    expect(new PowerOfTwo().pick([view(0), view(0)], seeded(1))).toBeUndefined()
    expect(new PowerOfTwo().pick([], seeded(1))).toBeUndefined()
  })
})
