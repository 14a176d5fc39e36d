import { describe, expect, it } from "vitest"
import { RoundRobin } from "../../../src/gateway/balancers/RoundRobin.ts"
import { changing, type ChangingView, countPicks, misfit } from "./statistics.ts"

const sequence = (balancer: RoundRobin, targets: ReadonlyArray<ChangingView>, length: number) =>
  Array.from({ length }, () => balancer.pick(targets))

describe("RoundRobin", () => {
  it("takes one after the other, whatever the weights", () => {
    expect(sequence(new RoundRobin(), changing(1, 5, 1), 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  })

  it("spreads 100,000 picks evenly", () => {
    expect(misfit(countPicks(new RoundRobin(), changing(1, 1, 1, 1, 1, 1, 1)), [1, 1, 1, 1, 1, 1, 1])).toBeLessThan(0.001)
  })

  it("stays fair to those that remain when one leaves, and to all when it returns", () => {
    const targets = changing(1, 1, 1)
    const balancer = new RoundRobin()
    sequence(balancer, targets, 2)
    targets[1]!.weight = 0
    expect(sequence(balancer, targets, 4)).toEqual([2, 0, 2, 0])
    targets[1]!.weight = 1
    expect(sequence(balancer, targets, 4)).toEqual([1, 2, 0, 1])
  })

  it("gives equal turns while one of the targets comes and goes all the time", () => {
    const targets = changing(1, 1, 1, 1)
    let picks = 0
    const counts = countPicks(new RoundRobin(), targets, {
      count: 10_000,
      picked: () => {
        targets[2]!.weight = ++picks % 5 === 0 ? 1 : 0
      }
    })
    const steady = counts.filter((_, index) => index !== 2)
    expect(Math.max(...steady) - Math.min(...steady)).toBeLessThan(1000)
    expect(counts[2]).toBeGreaterThan(0)
  })

  it("lets turns of a target pass that grows to its full share", () => {
    const targets = changing(1, 1)
    targets[1]!.share = 0.25
    expect(sequence(new RoundRobin(), targets, 10)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  })

  it("gives equal turns when all of them grow to their full share at once", () => {
    const targets = changing(1, 1, 1)
    for (const target of targets) target.share = 0.1
    expect(sequence(new RoundRobin(), targets, 4)).toEqual([0, 1, 2, 0])
  })

  it("picks nobody when nobody takes clients", () => {
    expect(new RoundRobin().pick(changing(0, 0))).toBeUndefined()
    expect(new RoundRobin().pick([])).toBeUndefined()
  })
})
