import { type Balancer, effectiveWeight, load, type TargetView } from "./Balancer.ts"

/**
 * The target with the fewest connections for its weight. Among equals one by chance, each as often as its weight says: for
 * short requests all are equal, at none, and the first in the list would else get everything.
 */
export class LeastConnections implements Balancer {
  pick(targets: ReadonlyArray<TargetView>, random: () => number): number | undefined {
    let least = Infinity
    let total = 0
    for (const target of targets) {
      if (target.weight <= 0) continue
      const current = load(target)
      if (current > least) continue
      if (current < least) total = 0
      least = current
      total += effectiveWeight(target)
    }
    let rest = random() * total
    let last: number | undefined
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index]
      if (target === undefined || target.weight <= 0 || load(target) !== least) continue
      rest -= effectiveWeight(target)
      if (rest < 0) return index
      // Sums are rounded: what little may remain after the last belongs to the last.
      last = index
    }
    return last
  }
}
