/** Which target takes the next client. The strategies are decisions over a snapshot; none has a clock or randomness of its own. */

/** One target as a strategy sees it. */
export interface TargetView {
  /** As configured; 0 or less: it takes no new clients now. */
  readonly weight: number
  /** More than 0 and at most 1: less than 1 while it grows to its full share after a return. */
  readonly share: number
  /** Clients that it has, those on their way to it too. */
  readonly connections: number
}

export interface Balancer {
  /**
   * The index of the target that takes the next client; undefined if none can. `targets` has the same length and order at
   * every call. `random` yields numbers in [0, 1). Only consistent hashing looks at `key`.
   */
  pick(targets: ReadonlyArray<TargetView>, random: () => number, key: string | undefined): number | undefined
}

/** The weight that counts now. */
export const effectiveWeight = (target: TargetView): number => (target.weight > 0 ? target.weight * target.share : 0)

/** Connections for each unit of weight. */
export const load = (target: TargetView): number => target.connections / effectiveWeight(target)
