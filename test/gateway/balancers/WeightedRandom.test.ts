import { describe, expect, it } from "vitest"
import { WeightedRandom } from "../../../src/gateway/balancers/WeightedRandom.ts"
import { changing, countPicks, misfit, seeded } from "./statistics.ts"

describe("WeightedRandom", () => {
  it("spreads 100,000 picks evenly over equal targets", () => {
    expect(misfit(countPicks(new WeightedRandom(), changing(1, 1, 1, 1, 1)), [1, 1, 1, 1, 1])).toBeLessThan(1)
  })

  it("spreads 100,000 picks as the weights say", () => {
    const counts = countPicks(new WeightedRandom(), changing(1, 0, 3, 6, 1000))
    expect(misfit(counts, [1, 0, 3, 6, 1000])).toBeLessThan(1)
    expect(misfit(counts, [2, 0, 3, 6, 1000])).toBeGreaterThan(1)
  })

  it("counts the share of a target that grows", () => {
    const targets = changing(3, 3)
    targets[0]!.share = 0.5
    expect(misfit(countPicks(new WeightedRandom(), targets), [1, 2])).toBeLessThan(1)
  })

  it("spreads over those that remain, and over all again", () => {
    const targets = changing(1, 2, 3)
    const balancer = new WeightedRandom()
    const random = seeded(7)
    targets[2]!.weight = 0
    expect(misfit(countPicks(balancer, targets, { random }), [1, 2, 0])).toBeLessThan(1)
    targets[2]!.weight = 3
    expect(misfit(countPicks(balancer, targets, { random }), [1, 2, 3])).toBeLessThan(1)
  })

  it("picks the only one, and nobody when nobody takes clients", () => {
    expect(new WeightedRandom().pick(changing(0, 2, 0), () => 0.999_999)).toBe(1)
    expect(new WeightedRandom().pick(changing(0, 0), seeded(1))).toBeUndefined()
    expect(new WeightedRandom().pick([], seeded(1))).toBeUndefined()
  })

  it("ends at the last target when rounding leaves a rest", () => {
    const targets = changing(0.1, 0.7, 0.2, 0)
    expect(new WeightedRandom().pick(targets, () => 1)).toBe(2)
  })
})
