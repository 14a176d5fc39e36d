import { describe, expect, it } from "vitest"
import { LeastConnections } from "../../../src/gateway/balancers/LeastConnections.ts"
import { changing, countPicks, misfit, seeded, view } from "./statistics.ts"

describe("LeastConnections", () => {
  it("picks the one with the fewest connections", () => {
    expect(new LeastConnections().pick([view(1, 3), view(1, 1), view(1, 2)], seeded(1))).toBe(1)
  })

  it("compares connections by weight", () => {
    expect(new LeastConnections().pick([view(1, 2), view(4, 7), view(1, 3)], seeded(1))).toBe(1)
    expect(new LeastConnections().pick([view(1, 2), view(4, 9)], seeded(1))).toBe(0)
  })

  it("spreads 100,000 lasting connections exactly as the weights say", () => {
    const targets = changing(1, 2, 3, 4)
    countPicks(new LeastConnections(), targets, { picked: (index) => targets[index]!.connections++ })
    expect(targets.map(({ connections }) => connections)).toEqual([10_000, 20_000, 30_000, 40_000])
  })

  it("spreads 100,000 requests so short that none is ever under way as the weights say", () => {
    expect(misfit(countPicks(new LeastConnections(), changing(1, 2, 0, 5)), [1, 2, 0, 5])).toBeLessThan(1)
    expect(misfit(countPicks(new LeastConnections(), changing(1, 1, 1)), [1, 1, 1])).toBeLessThan(1)
  })

  it("spreads among the equals only, wherever the fuller ones stand", () => {
    const targets = [view(4, 9), view(1, 2), view(1, 0), view(2, 0), view(9, 1), view(1, 0)]
    expect(misfit(countPicks(new LeastConnections(), targets), [0, 0, 1, 2, 0, 1])).toBeLessThan(1)
  })

  it("fills up a target that returned, and only up to its share while it grows", () => {
    const targets = changing(2, 2, 2)
    targets[0]!.connections = 50
    targets[1]!.connections = 50
    targets[2]!.share = 0.5
    const picks = countPicks(new LeastConnections(), targets, { count: 25, picked: (index) => targets[index]!.connections++ })
    expect(picks).toEqual([0, 0, 25])
    countPicks(new LeastConnections(), targets, { count: 25, picked: (index) => targets[index]!.connections++ })
    expect(targets.map(({ connections }) => connections)).toEqual([60, 60, 30])
  })

  it("passes over a target that takes no clients, however idle", () => {
    expect(new LeastConnections().pick([view(0, 0), view(1, 100)], seeded(1))).toBe(1)
    expect(new LeastConnections().pick([view(0, 0)], seeded(1))).toBeUndefined()
    expect(new LeastConnections().pick([], seeded(1))).toBeUndefined()
  })
})
