import { type Balancer, effectiveWeight, type TargetView } from "./Balancer.ts"

/**
 * Smooth weighted round robin, as nginx does it: each pick adds to every target its weight, takes the one that has most, and
 * takes from it what all were given. Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
 *
 * The amounts sum to 0. Who leaves hands on what it had or owed to the others in equal parts, and who returns starts with 0,
 * so that nobody is made to wait or favoured for what happened before.
 */
export class WeightedRoundRobin implements Balancer {
  readonly #amounts: Array<number> = []

  pick(targets: ReadonlyArray<TargetView>): number | undefined {
    const inherited = this.#settleLeavers(targets)
    let best: number | undefined
    let most = -Infinity
    let total = 0
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index]
      if (target === undefined || target.weight <= 0) continue
      const weight = effectiveWeight(target)
      const amount = (this.#amounts[index] ?? 0) + weight + inherited
      this.#amounts[index] = amount
      total += weight
      if (amount > most) {
        most = amount
        best = index
      }
    }
    if (best !== undefined) this.#amounts[best] = most - total
    return best
  }

  /** What each of those that remain inherits from those that take no clients now. */
  #settleLeavers(targets: ReadonlyArray<TargetView>): number {
    let left = 0
    let remaining = 0
    for (let index = 0; index < targets.length; index++) {
      if ((targets[index]?.weight ?? 0) > 0) remaining++
      else {
        left += this.#amounts[index] ?? 0
        this.#amounts[index] = 0
      }
    }
    return remaining === 0 ? 0 : left / remaining
  }
}
