import type { Balancer, TargetView } from "../../../src/gateway/balancers/Balancer.ts"

/** Numbers in [0, 1) that are the same at every run (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What chi-square stays below in 999 of 1000 cases if the expectation holds (Wilson and Hilferty's approximation). */
const critical = (degrees: number): number => degrees * (1 - 2 / (9 * degrees) + 3.0902 * Math.sqrt(2 / (9 * degrees))) ** 3

/** Chi-square of `counts` against shares in proportion to `weights`, as a fraction of its critical value: below 1 they agree. */
export const misfit = (counts: ReadonlyArray<number>, weights: ReadonlyArray<number>): number => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const weight = weights.reduce((sum, one) => sum + one, 0)
  const terms = counts.map((count, i) => {
    const expected = (total * (weights[i] ?? 0)) / weight
    return expected === 0 ? (count === 0 ? 0 : Infinity) : (count - expected) ** 2 / expected
  })
  return terms.reduce((sum, term) => sum + term, 0) / critical(weights.filter((one) => one > 0).length - 1)
}

export const view = (weight = 1, connections = 0, share = 1): TargetView => ({ weight, connections, share })

/** Like `view`, to be changed by the test. */
export interface ChangingView {
  weight: number
  connections: number
  share: number
}

export const changing = (...weights: ReadonlyArray<number>): Array<ChangingView> =>
  weights.map((weight) => ({ weight, connections: 0, share: 1 }))

export interface Picks {
  readonly count?: number
  readonly random?: () => number
  readonly key?: (n: number) => string
  /** Told of each pick, to change the targets. */
  readonly picked?: (index: number) => void
}

/** How often each target was picked; an index out of nowhere fails. */
export const countPicks = (balancer: Balancer, targets: ReadonlyArray<TargetView>, options: Picks = {}): Array<number> => {
  const counts = targets.map(() => 0)
  const random = options.random ?? seeded(1)
  for (let n = 0; n < (options.count ?? 100_000); n++) {
    const index = balancer.pick(targets, random, options.key?.(n))
    if (index === undefined || counts[index] === undefined) throw new Error(`picked ${index}`)
    counts[index]++
    options.picked?.(index)
  }
  return counts
}
