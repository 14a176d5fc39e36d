import { Hash, HashRing, PrimaryKey } from "effect"
import { hash as digestOf } from "node:crypto"

/** What a ring is made of. A weight of 0 or less owns no keys. */
export interface RingNode {
  readonly id: string
  readonly weight: number
}

/** Points on the ring for a weight of 1: with so many the share of a node is off by about 4 %. */
const POINTS_PER_WEIGHT = 512
/** Points on a whole ring, more or less: 1000 nodes take about 0.15 s to build, and 0.5 s if all of their weights differ. */
const MAX_POINTS = 65_536
/** `HashRing` takes weights from 0.1 on. So a node may have a single point. */
const RING_BASE = 10

interface Owner extends PrimaryKey.PrimaryKey {
  readonly index: number
  readonly points: number
}

/**
 * Who owns which key, by consistent hashing over an Effect `HashRing`. It depends on the ids and weights of the nodes alone:
 * not on their order, the time or the process, so that every node of a cluster finds the same owner.
 *
 * The ring is built once and holds all nodes. Those that a caller does not accept are passed over, which finds the same owner
 * as taking them out of the ring would, and costs nothing when targets come and go.
 *
 * Ids and keys go through SHA-256 first. The ring's own hash puts keys that are short or differ in their beginning only, such
 * as the users "1" to "99", next to each other and so on one node.
 */
export class KeyRing {
  readonly #nodes: number
  /** The hashes of the points, ascending, and the node of each. */
  readonly #hashes: Float64Array
  readonly #owners: Uint32Array

  constructor(nodes: ReadonlyArray<RingNode>) {
    this.#nodes = nodes.length
    const ring = ringOf(nodes)
    this.#hashes = new Float64Array(ring.ring.length)
    this.#owners = new Uint32Array(ring.ring.length)
    ring.ring.forEach(([hash, name], at) => {
      this.#hashes[at] = hash
      this.#owners[at] = ring.nodes.get(name)?.[0].index ?? 0
    })
  }

  /**
   * The index of the nearest node that accepts the key. `shareOf` says how many keys a node accepts: 0 none, 1 all, and in
   * between so many of them, always the same ones and with a growing share ever more. If a key is accepted nowhere it goes to
   * the nearest node with a share above 0; undefined if there is none.
   */
  find(key: string, shareOf: (index: number) => number): number | undefined {
    const digest = sha256(key)
    const draw = Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32
    let second: number | undefined
    const first = this.#nearest(Hash.string(digest), (index) => {
      const share = shareOf(index)
      if (share > 0) second ??= index
      return share > draw
    })
    return first ?? second
  }

  /** Outwards from the hash, to both sides. Each node is asked once. */
  #nearest(hash: number, accepts: (index: number) => boolean): number | undefined {
    const hashes = this.#hashes
    let right = lowerBound(hashes, hash)
    let left = right - 1
    let refused: Uint8Array | undefined
    let refusals = 0
    while (refusals < this.#nodes && (left >= 0 || right < hashes.length)) {
      const toRight = (hashes[right] ?? Infinity) - hash <= hash - (hashes[left] ?? -Infinity)
      const owner = this.#owners[toRight ? right++ : left--] ?? 0
      if (refused?.[owner] === 1) continue
      if (accepts(owner)) return owner
      refused ??= new Uint8Array(this.#nodes)
      refused[owner] = 1
      refusals++
    }
    return undefined
  }
}

const sha256 = (text: string): string => digestOf("sha256", text, "hex")

/** The first place whose value is not below `value`. */
const lowerBound = (sorted: Float64Array, value: number): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1
    else high = middle
  }
  return low
}

const ringOf = (nodes: ReadonlyArray<RingNode>): HashRing.HashRing<Owner> => {
  const ring = HashRing.make<Owner>({ baseWeight: RING_BASE })
  // One call for all nodes with the same number of points: each call sorts the ring.
  for (const [points, owners] of byPoints(ownersOf(nodes))) HashRing.addMany(ring, owners, { weight: points / RING_BASE })
  return ring
}

const byPoints = (owners: ReadonlyArray<Owner>): ReadonlyMap<number, ReadonlyArray<Owner>> => {
  const groups = new Map<number, Array<Owner>>()
  for (const owner of owners) {
    const group = groups.get(owner.points)
    if (group === undefined) groups.set(owner.points, [owner])
    else group.push(owner)
  }
  return groups
}

const ownersOf = (nodes: ReadonlyArray<RingNode>): ReadonlyArray<Owner> => {
  const weights = nodes.map(({ weight }) => weight).filter((weight) => weight > 0)
  // 100, 100, 100 is the same as 1, 1, 1.
  const unit = weights.every(Number.isInteger) ? weights.reduce(greatestCommonDivisor, 0) : 1
  const total = weights.reduce((sum, weight) => sum + weight / unit, 0)
  const pointsPerUnit = Math.min(POINTS_PER_WEIGHT, MAX_POINTS / total)
  return nodes.flatMap(({ id, weight }, index) => {
    if (weight <= 0) return []
    const name = sha256(id)
    return [{ index, points: Math.max(1, Math.round((weight / unit) * pointsPerUnit)), [PrimaryKey.symbol]: () => name }]
  })
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
