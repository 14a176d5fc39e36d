import type { Balancer, TargetView } from "./Balancer.ts"

/** Credits are sums of fractions, so that a whole one may come out a little short. */
const WHOLE = 1 - 1e-9

/**
 * One after the other, whatever their weights. The turn passes over those that take no clients. A target that grows to its
 * full share lets turns pass: with a share of 1/4 it takes every fourth.
 */
export class RoundRobin implements Balancer {
  #last = -1
  /** What a target has saved up from the turns that it let pass. */
  readonly #credits: Array<number> = []

  pick(targets: ReadonlyArray<TargetView>): number | undefined {
    let largest = 0
    for (const target of targets) if (target.weight > 0 && target.share > largest) largest = target.share
    // The one with the largest share never lets a turn pass: one round is enough.
    for (let step = 1; step <= targets.length; step++) {
      const index = (this.#last + step) % targets.length
      const target = targets[index]
      if (target === undefined || target.weight <= 0) continue
      const credit = (this.#credits[index] ?? 0) + target.share / largest
      this.#credits[index] = credit >= WHOLE ? Math.max(0, credit - 1) : credit
      if (credit < WHOLE) continue
      this.#last = index
      return index
    }
    return undefined
  }
}
