import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { binaryFrame, MaskedFrames, maxPayload, pingFrame, textFrame } from "../../../src/gateway/link/MaskedFrames.ts"

interface Parsed {
  readonly opcode: number
  readonly payload: Buffer
  readonly mask: string
}

/** RFC 6455, section 5.2, as it says. */
const parse = (bytes: Buffer): ReadonlyArray<Parsed> => {
  const frames: Array<Parsed> = []
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at)
    const second = bytes.readUInt8(at + 1)
    expect(first & 0xf0).toBe(0x80)
    expect(second & 0x80).toBe(0x80)
    at += 2
    let length = second & 0x7f
    if (length === 126) {
      length = bytes.readUInt16BE(at)
      expect(length).toBeGreaterThan(125)
      at += 2
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at))
      expect(length).toBeGreaterThan(65_535)
      at += 8
    }
    const mask = bytes.subarray(at, at + 4)
    at += 4
    const payload = Buffer.from(bytes.subarray(at, at + length)).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
    frames.push({ opcode: first & 0x0f, payload: Buffer.from(payload), mask: mask.toString("hex") })
    at += length
  }
  return frames
}

const length = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 127, 16_383, maxPayload, maxPayload + 1, 65_535, 65_536, 70_001)
)
const addition = fc.record({
  writer: fc.integer({ min: 0, max: 2 }),
  opcode: fc.constantFrom(textFrame, binaryFrame, pingFrame),
  length,
  take: fc.boolean()
})

describe("masked frames", () => {
  it("arrive whole and in order, whoever else writes between them", () => {
    fc.assert(
      fc.property(fc.array(addition, { maxLength: 60 }), (additions) => {
        const writers = [new MaskedFrames(), new MaskedFrames(), new MaskedFrames()]
        const sent: Array<Array<Omit<Parsed, "mask">>> = [[], [], []]
        const taken: Array<Array<Buffer>> = [[], [], []]
        for (const [index, { length: bytes, opcode, take, writer }] of additions.entries()) {
          const payload = Buffer.alloc(bytes, Buffer.of(index + 1, 2, 3, 5, 7))
          writers[writer]?.add(payload, opcode)
          sent[writer]?.push({ opcode, payload })
          if (take) {
            const { size } = writers[writer] as MaskedFrames
            const pieces = writers[writer]?.take() ?? []
            expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(size)
            taken[writer]?.push(...pieces)
          }
        }
        for (const [index, writer] of writers.entries()) {
          const pieces = [...(taken[index] ?? []), ...writer.take()]
          expect(writer.size).toBe(0)
          expect(parse(Buffer.concat(pieces)).map(({ opcode, payload }) => ({ opcode, payload }))).toEqual(sent[index])
        }
      }),
      { numRuns: 200 }
    )
  })

  it("lie in one piece where nobody wrote between them", () => {
    const frames = new MaskedFrames()
    for (let n = 0; n < 50; n++) frames.add(Buffer.from(`message ${n}`), textFrame)
    expect(frames.take().length).toBeLessThanOrEqual(2)
    expect(frames.take()).toEqual([])
  })

  it("have a mask of their own each", () => {
    const frames = new MaskedFrames()
    for (let n = 0; n < 5_000; n++) frames.add(Buffer.from("x"), textFrame)
    const masks = new Set(parse(Buffer.concat(frames.take())).map(({ mask }) => mask))
    expect(masks.size).toBeGreaterThan(4_990)
  })
})
