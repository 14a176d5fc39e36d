import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Frame, ReplayBuffer } from "../../../src/gateway/link/ReplayBuffer.ts"

const overhead = 64

const frameOf = (number: number, size: number): Frame => {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, number)
  return { bytes, binary: number % 2 === 0 }
}

const numberOf = ({ bytes }: Frame): number => new DataView(bytes.buffer).getUint32(0)

const numbersOf = (frames: ReadonlyArray<Frame>): ReadonlyArray<number> => frames.map(numberOf)

type Step =
  | { readonly do: "add"; readonly count: number; readonly size: number }
  /** Up to a frame that waits, as a share of them. */
  | { readonly do: "acknowledge"; readonly share: number }
  /** A number that may be anything. */
  | { readonly do: "stray"; readonly number: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      count: fc.oneof(fc.nat(8), fc.nat(400)),
      size: fc.integer({ min: 4, max: 300 })
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("acknowledge" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("stray" as const),
      number: fc.oneof(fc.integer({ min: -10, max: 2_000 }), fc.constantFrom(NaN, Infinity, -Infinity, 1_700_000_000_000))
    })
  }
)

describe("a replay buffer", () => {
  it("keeps what is not acknowledged and the preamble, in order, within its bound, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 3, 50, 1_000),
        fc.integer({ min: 100, max: 60_000 }),
        fc.array(step, { maxLength: 40 }),
        (preamble, limit, steps) => {
          const buffer = new ReplayBuffer(preamble)
          const sizes: Array<number> = []
          let acknowledged = 0
          const expected = () => sizes.map((_, index) => index + 1).filter((number) => number > acknowledged || number <= preamble)
          const cost = () => expected().reduce((sum, number) => sum + (sizes[number - 1] ?? 0) + overhead, 0)
          const acknowledge = (number: number): void => {
            buffer.acknowledge(number)
            if (number <= sizes.length) acknowledged = Math.max(acknowledged, number)
          }
          for (const action of steps) {
            if (action.do === "add") {
              for (let n = 0; n < action.count; n++) {
                const alone = acknowledged === sizes.length && sizes.length >= preamble
                const fits = alone || cost() + action.size + overhead <= limit
                const taken = buffer.add(frameOf(sizes.length + 1, action.size), limit)
                if (taken !== fits) throw new Error(`${fits ? "refused" : "taken"} with ${cost()} of ${limit} bytes`)
                if (!fits) break
                sizes.push(action.size)
              }
            } else if (action.do === "acknowledge") acknowledge(acknowledged + Math.round(action.share * (sizes.length - acknowledged)))
            else acknowledge(action.number)
            expect(numbersOf(buffer.replay())).toEqual(expected())
            expect(buffer.last).toBe(sizes.length)
            expect(buffer.waiting).toBe(sizes.length - acknowledged)
            expect(buffer.bytes).toBe(cost())
            expect(buffer.bytes).toBeLessThanOrEqual(limit + Math.max(0, ...sizes) + overhead)
          }
        }
      ),
      { numRuns: 200 }
    )
  })

  it("keeps the kind and the very bytes of a frame", () => {
    const buffer = new ReplayBuffer(0)
    const frames = [frameOf(1, 4), frameOf(2, 70), { bytes: new Uint8Array(), binary: true }]
    for (const frame of frames) buffer.add(frame, 10_000)
    expect(buffer.replay()).toEqual(frames)
  })

  it("has a bound for empty frames too", () => {
    const buffer = new ReplayBuffer(0)
    const taken = Array.from({ length: 20 }, () => buffer.add({ bytes: new Uint8Array(), binary: false }, 10 * overhead))
    expect(taken.filter(Boolean)).toHaveLength(10)
  })

  it("gives a preamble that nobody has read once, and one that was read before what was not", () => {
    const buffer = new ReplayBuffer(2)
    for (const number of [1, 2, 3, 4]) buffer.add(frameOf(number, 4), 10_000)
    expect(numbersOf(buffer.replay())).toEqual([1, 2, 3, 4])
    buffer.acknowledge(1)
    expect(numbersOf(buffer.replay())).toEqual([1, 2, 3, 4])
    buffer.acknowledge(3)
    expect(numbersOf(buffer.replay())).toEqual([1, 2, 4])
    buffer.acknowledge(4)
    expect(numbersOf(buffer.replay())).toEqual([1, 2])
  })
})
