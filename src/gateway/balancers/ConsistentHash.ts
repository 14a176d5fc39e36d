import type { Balancer, TargetView } from "./Balancer.ts"
import type { KeyRing } from "./KeyRing.ts"
import { pickByWeight } from "./WeightedRandom.ts"

/**
 * The target that owns the key on the ring; without a key one by chance. When a target takes no clients only its own keys go
 * elsewhere, and they come back with it: at once, or little by little while it grows to its full share.
 */
export class ConsistentHash implements Balancer {
  readonly #ring: KeyRing

  /** The ring holds the targets in the order in which `pick` gets them. */
  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  pick(targets: ReadonlyArray<TargetView>, random: () => number, key: string | undefined): number | undefined {
    if (key === undefined) return pickByWeight(targets, random)
    return this.#ring.find(key, (index) => {
      const target = targets[index]
      return target !== undefined && target.weight > 0 ? target.share : 0
    })
  }
}
