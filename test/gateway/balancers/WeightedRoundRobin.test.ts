import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { WeightedRoundRobin } from "../../../src/gateway/balancers/WeightedRoundRobin.ts"
import { changing, type ChangingView, countPicks, misfit } from "./statistics.ts"

const sequence = (balancer: WeightedRoundRobin, targets: ReadonlyArray<ChangingView>, length: number) =>
  Array.from({ length }, () => balancer.pick(targets))

describe("WeightedRoundRobin", () => {
  it("interleaves: 5, 1, 1 is not five times the first in a row", () => {
    expect(sequence(new WeightedRoundRobin(), changing(5, 1, 1), 7)).toEqual([0, 0, 1, 0, 2, 0, 0])
  })

  it("spreads 100,000 picks as the weights say", () => {
    expect(misfit(countPicks(new WeightedRoundRobin(), changing(1, 3, 6, 10)), [1, 3, 6, 10])).toBeLessThan(0.001)
  })

  it("gives each target exactly its weight in every round", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 }), fc.nat(50), (weights, before) => {
        const round = weights.reduce((sum, weight) => sum + weight, 0)
        fc.pre(round > 0)
        const balancer = new WeightedRoundRobin()
        const targets = changing(...weights)
        countPicks(balancer, targets, { count: before })
        expect(countPicks(balancer, targets, { count: round })).toEqual(weights)
      })
    )
  })

  it("keeps the shares of those that remain, and of all once the one that left returned", () => {
    const targets = changing(2, 4, 6)
    const balancer = new WeightedRoundRobin()
    countPicks(balancer, targets, { count: 5 })
    targets[2]!.weight = 0
    expect(misfit(countPicks(balancer, targets, { count: 6000 }), [2, 4, 0])).toBeLessThan(0.01)
    targets[2]!.weight = 6
    expect(misfit(countPicks(balancer, targets, { count: 12_000 }), [2, 4, 6])).toBeLessThan(0.01)
  })

  it("makes a target that returns wait no longer than a round, however often it left right after its turn", () => {
    const targets = changing(1, 1, 20)
    const balancer = new WeightedRoundRobin()
    for (let time = 0; time < 200; time++) {
      let waited = 1
      while (balancer.pick(targets) !== 0) waited++
      expect(waited).toBeLessThanOrEqual(22)
      targets[0]!.weight = 0
      balancer.pick(targets)
      targets[0]!.weight = 1
    }
  })

  it("gives nobody more for its return, however often it left right before its turn", () => {
    const targets = changing(1, 1, 20)
    const balancer = new WeightedRoundRobin()
    for (let time = 0; time < 200; time++) {
      countPicks(balancer, targets, { count: 7 })
      targets[0]!.weight = 0
      balancer.pick(targets)
      targets[0]!.weight = 1
    }
    const counts = countPicks(balancer, targets, { count: 220 })
    counts.forEach((count, index) => expect(Math.abs(count - (targets[index]?.weight ?? 0) * 10)).toBeLessThanOrEqual(1))
  })

  it("counts the share of a target that grows", () => {
    const targets = changing(4, 4)
    targets[0]!.share = 0.25
    expect(misfit(countPicks(new WeightedRoundRobin(), targets, { count: 5000 }), [1, 4])).toBeLessThan(0.01)
  })

  it("picks nobody when nobody takes clients", () => {
    expect(new WeightedRoundRobin().pick(changing(0, 0))).toBeUndefined()
    expect(new WeightedRoundRobin().pick([])).toBeUndefined()
  })
})
