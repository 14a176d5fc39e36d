import { Hash, HashRing, PrimaryKey } from "effect"
import fc from "fast-check"
import { hash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { KeyRing, type RingNode } from "../../../src/gateway/balancers/KeyRing.ts"
import { misfit } from "./statistics.ts"

const nodes = (...weights: ReadonlyArray<number>): Array<RingNode> =>
  weights.map((weight, index) => ({ id: `http://127.0.0.1:${9001 + index}`, weight }))

const all = () => 1
const keys = (count: number) => Array.from({ length: count }, (_, n) => `10.0.${n >> 8}.${n & 255}`)

const shares = (ring: KeyRing, nodeCount: number, from: ReadonlyArray<string>): Array<number> => {
  const counts = Array.from({ length: nodeCount }, () => 0)
  for (const key of from) counts[ring.find(key, all) ?? -1]! += 1 / from.length
  return counts
}

describe("KeyRing", () => {
  it("finds the owner that Effect's HashRing finds, also without the nodes that do not accept", () => {
    const list = nodes(1, 1, 1, 1, 1, 1, 1)
    const ring = new KeyRing(list)
    const sha256 = (text: string) => hash("sha256", text, "hex")
    const named = list.map(({ id }, index) => ({ index, [PrimaryKey.symbol]: () => sha256(id) }))
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.nat(6), { maxLength: 7 }), (key, refusing) => {
        const reference = HashRing.make<(typeof named)[number]>({ baseWeight: 512 })
        HashRing.addMany(
          reference,
          named.filter(({ index }) => !refusing.includes(index))
        )
        const found = ring.find(key, (index) => (refusing.includes(index) ? 0 : 1))
        expect(found).toBe(HashRing.get(reference, sha256(key))?.index)
      }),
      { numRuns: 200 }
    )
  })

  it("does not depend on the order of the nodes", () => {
    const list = nodes(3, 1, 2, 1, 5)
    const there = new KeyRing(list)
    const here = new KeyRing(list.toReversed())
    for (const key of keys(2000)) expect(list.length - 1 - (here.find(key, all) ?? -1)).toBe(there.find(key, all))
  })

  it("moves only the keys of the node that left, and spreads them over all others", () => {
    const ring = new KeyRing(nodes(1, 1, 1, 1, 1))
    const moved = [0, 0, 0, 0, 0]
    for (const key of keys(20_000)) {
      const before = ring.find(key, all)
      const after = ring.find(key, (index) => (index === 2 ? 0 : 1))
      if (before === 2) moved[after ?? -1]!++
      else expect(after).toBe(before)
    }
    expect(moved[2]).toBe(0)
    for (const index of [0, 1, 3, 4]) expect(moved[index]).toBeGreaterThan(600)
  })

  it("moves only keys to the node that is added to the configuration", () => {
    const before = new KeyRing(nodes(1, 1, 1))
    const after = new KeyRing(nodes(1, 1, 1, 1))
    let moved = 0
    for (const key of keys(20_000)) {
      const owner = after.find(key, all)
      if (owner === 3) moved++
      else expect(owner).toBe(before.find(key, all))
    }
    expect(Math.abs(moved / 20_000 - 1 / 4)).toBeLessThan(0.04)
  })

  it("gives each node a share of the keys near to its weight", () => {
    for (const weights of [[1, 1, 1], [1, 2, 3, 4], [100, 100, 50], Array.from({ length: 50 }, () => 1)]) {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const found = shares(new KeyRing(nodes(...weights)), weights.length, keys(60_000))
      found.forEach((share, index) => expect(Math.abs((share * total) / (weights[index] ?? 0) - 1)).toBeLessThan(0.2))
    }
  })

  it("spreads 100,000 keys over the ring at random: any two sets of keys find the same shares", () => {
    const ring = new KeyRing(nodes(1, 2, 3, 4))
    const expected = shares(
      ring,
      4,
      Array.from({ length: 400_000 }, (_, n) => `user-${n}`)
    )
    const counts = shares(
      ring,
      4,
      Array.from({ length: 100_000 }, (_, n) => String(n))
    ).map((share) => share * 100_000)
    // The expectation is an estimate from four times as many keys, which adds a quarter of the variance.
    expect(misfit(counts, expected)).toBeLessThan(1.25)
  })

  it("spreads short keys and keys that differ in the first character only, which a plain HashRing does not", () => {
    const list = nodes(1, 1, 1)
    const ring = new KeyRing(list)
    const plain = HashRing.make<PrimaryKey.PrimaryKey & RingNode>()
    for (const node of list) HashRing.add(plain, { ...node, [PrimaryKey.symbol]: () => node.id })
    const short = Array.from({ length: 99 }, (_, n) => String(n + 1))
    expect(new Set(short.slice(0, 9).map((key) => HashRing.get(plain, key)?.id)).size).toBe(1)
    for (const share of shares(ring, 3, short)) expect(share).toBeGreaterThan(0.2)
    const alike = Array.from("abcdefghijklmnopqrstuvwxyz", (letter) => `${letter}@x`)
    for (const share of shares(ring, 3, alike)) expect(share).toBeGreaterThan(0.1)
    expect(Hash.string("1") - Hash.string("2")).toBeLessThan(100)
  })

  it("gives a node with a part of its share a part of its own keys, always the same and ever more of them", () => {
    const ring = new KeyRing(nodes(1, 1, 1))
    const own = keys(9000).filter((key) => ring.find(key, all) === 1)
    const back = (share: number) => new Set(own.filter((key) => ring.find(key, (index) => (index === 1 ? share : 1)) === 1))
    let before = back(0)
    expect(before.size).toBe(0)
    for (const share of [0.1, 0.25, 0.5, 0.9, 1]) {
      const now = back(share)
      expect(Math.abs(now.size / own.length - share)).toBeLessThan(0.05)
      for (const key of before) expect(now).toContain(key)
      before = now
    }
  })

  it("takes the nearest of those that grow when there are no others", () => {
    const ring = new KeyRing(nodes(1, 1, 1))
    for (const key of keys(200)) expect(ring.find(key, () => 0.001)).toBeDefined()
  })

  it("has no owner for a key when no node accepts, has weight, or is there", () => {
    expect(new KeyRing(nodes(1, 1)).find("key", () => 0)).toBeUndefined()
    expect(new KeyRing(nodes(0, 0)).find("key", all)).toBeUndefined()
    expect(new KeyRing([]).find("key", all)).toBeUndefined()
    expect(new KeyRing(nodes(0, 1)).find("key", all)).toBe(1)
  })

  it("asks each node once, also with 1000 nodes of all weights", () => {
    const list = nodes(...Array.from({ length: 1000 }, (_, index) => index + 1))
    const ring = new KeyRing(list)
    const asked: Array<number> = []
    const found = ring.find("key", (index) => {
      asked.push(index)
      return index === 7 ? 1 : 0
    })
    expect(found).toBe(7)
    expect(new Set(asked).size).toBe(asked.length)
  })
})
