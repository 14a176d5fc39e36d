import type { ProxyRoute } from "../../config/proxy.ts"
import type { Balancer } from "./Balancer.ts"
import { ConsistentHash } from "./ConsistentHash.ts"
import type { KeyRing } from "./KeyRing.ts"
import { LeastConnections } from "./LeastConnections.ts"
import { PowerOfTwo } from "./PowerOfTwo.ts"
import { RoundRobin } from "./RoundRobin.ts"
import { WeightedRandom } from "./WeightedRandom.ts"
import { WeightedRoundRobin } from "./WeightedRoundRobin.ts"

export type Strategy = ProxyRoute["strategy"]

/** A balancer for one route. `ring` is called only by the strategy that hashes keys. */
export const makeBalancer = (strategy: Strategy, ring: () => KeyRing): Balancer => {
  switch (strategy) {
    case "round_robin":
      return new RoundRobin()
    case "weighted_round_robin":
      return new WeightedRoundRobin()
    case "random":
      return new WeightedRandom()
    case "least_connections":
      return new LeastConnections()
    case "power_of_two":
      return new PowerOfTwo()
    case "consistent_hash":
      return new ConsistentHash(ring())
  }
}
