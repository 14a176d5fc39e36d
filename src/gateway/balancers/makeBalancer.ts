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

/** A balancer for one route. Only the strategy that hashes keys needs the ring; without one it picks by chance. */
export const makeBalancer = (strategy: Strategy, ring: KeyRing | undefined): Balancer => {
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
      return ring === undefined ? new WeightedRandom() : new ConsistentHash(ring)
  }
}
