import { type Balancer, effectiveWeight, type TargetView } from "./Balancer.ts"

/** One of the targets, each as often as its weight says. `except` is the index of one that is left out. */
export const pickByWeight = (targets: ReadonlyArray<TargetView>, random: () => number, except?: number): number | undefined => {
  let total = 0
  for (let index = 0; index < targets.length; index++) total += weightAt(targets, index, except)
  let rest = random() * total
  let last: number | undefined
  for (let index = 0; index < targets.length; index++) {
    const weight = weightAt(targets, index, except)
    if (weight === 0) continue
    if (rest < weight) return index
    rest -= weight
    // Sums are rounded: what little may remain after the last belongs to the last.
    last = index
  }
  return last
}

const weightAt = (targets: ReadonlyArray<TargetView>, index: number, except: number | undefined): number => {
  const target = targets[index]
  return target === undefined || index === except ? 0 : effectiveWeight(target)
}

/** Any of them, each as often as its weight says. */
export class WeightedRandom implements Balancer {
  pick(targets: ReadonlyArray<TargetView>, random: () => number): number | undefined {
    return pickByWeight(targets, random)
  }
}
