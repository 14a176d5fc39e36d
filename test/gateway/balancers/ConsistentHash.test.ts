import { describe, expect, it } from "vitest"
import { ConsistentHash } from "../../../src/gateway/balancers/ConsistentHash.ts"
import { KeyRing } from "../../../src/gateway/balancers/KeyRing.ts"
import { changing, countPicks, misfit, seeded } from "./statistics.ts"

const made = (...weights: ReadonlyArray<number>) => {
  const targets = changing(...weights)
  return { targets, balancer: new ConsistentHash(new KeyRing(weights.map((weight, index) => ({ id: `http://b${index}:80`, weight })))) }
}

const key = (n: number) => `user-${n}`

describe("ConsistentHash", () => {
  it("gives a key the same target at every time, however the connections stand", () => {
    const { balancer, targets } = made(1, 1, 1)
    const first = Array.from({ length: 1000 }, (_, n) => balancer.pick(targets, seeded(1), key(n)))
    targets[0]!.connections = 100
    expect(Array.from({ length: 1000 }, (_, n) => balancer.pick(targets, seeded(2), key(n)))).toEqual(first)
  })

  it("spreads 100,000 keys nearly as the weights say", () => {
    const { balancer, targets } = made(1, 2, 3, 4)
    const counts = countPicks(balancer, targets, { key })
    counts.forEach((count, index) => expect(Math.abs(count / ((index + 1) * 10_000) - 1)).toBeLessThan(0.1))
  })

  it("moves only the keys of a target that leaves, and moves them back when it returns", () => {
    const { balancer, targets } = made(1, 1, 1, 1)
    const picks = () => Array.from({ length: 5000 }, (_, n) => balancer.pick(targets, seeded(1), key(n)))
    const before = picks()
    targets[1]!.weight = 0
    picks().forEach((now, n) => (before[n] === 1 ? expect(now).not.toBe(1) : expect(now).toBe(before[n])))
    targets[1]!.weight = 1
    expect(picks()).toEqual(before)
  })

  it("moves keys back little by little to a target that grows", () => {
    const { balancer, targets } = made(1, 1)
    const full = countPicks(balancer, targets, { key, count: 10_000 })[0] ?? 0
    targets[0]!.share = 0.3
    const part = countPicks(balancer, targets, { key, count: 10_000 })[0] ?? 0
    expect(Math.abs(part / full - 0.3)).toBeLessThan(0.03)
  })

  it("spreads clients without a key by chance and weight", () => {
    const { balancer, targets } = made(1, 2, 3)
    expect(misfit(countPicks(balancer, targets), [1, 2, 3])).toBeLessThan(1)
  })

  it("picks nobody when nobody takes clients", () => {
    const { balancer, targets } = made(1, 1)
    for (const target of targets) target.weight = 0
    expect(balancer.pick(targets, seeded(1), "key")).toBeUndefined()
    expect(balancer.pick(targets, seeded(1), undefined)).toBeUndefined()
  })
})
