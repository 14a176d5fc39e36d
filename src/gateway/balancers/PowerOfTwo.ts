import { type Balancer, load, type TargetView } from "./Balancer.ts"
import { pickByWeight } from "./WeightedRandom.ts"

/**
 * Two different targets by chance, each as often as its weight says, and of the two the one with fewer connections for its
 * weight. Nearly as even as looking at all of them, and several nodes that know nothing of each other do not all rush to the
 * same target (Mitzenmacher, The Power of Two Choices in Randomized Load Balancing).
 */
export class PowerOfTwo implements Balancer {
  pick(targets: ReadonlyArray<TargetView>, random: () => number): number | undefined {
    const first = pickByWeight(targets, random)
    if (first === undefined) return undefined
    const second = pickByWeight(targets, random, first)
    return second !== undefined && loadAt(targets, second) < loadAt(targets, first) ? second : first
  }
}

const loadAt = (targets: ReadonlyArray<TargetView>, index: number): number => {
  const target = targets[index]
  return target === undefined ? Infinity : load(target)
}
