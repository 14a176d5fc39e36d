import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FrameError, FrameParser, Opcode } from "../../src/bench/FrameParser.ts"
import { serverFrame } from "./frames.ts"

interface Seen {
  readonly opcode: number
  readonly fin: boolean
  readonly payload: string
}

const collect = (maxPayload?: number): { readonly parser: FrameParser; readonly seen: Array<Seen> } => {
  const seen: Array<Seen> = []
  const parser = new FrameParser(
    (opcode, fin, buffer, start, end) => seen.push({ opcode, fin, payload: Buffer.from(buffer.slice(start, end)).toString("hex") }),
    maxPayload
  )
  return { parser, seen }
}

/** Sizes on both sides of the borders of the three length forms. */
const size = fc.constantFrom(0, 1, 2, 124, 125, 126, 127, 128, 300, 65_535, 65_536, 66_000)
const data = fc.record({
  opcode: fc.constantFrom(Opcode.continuation, Opcode.text, Opcode.binary),
  fin: fc.boolean(),
  payload: fc.tuple(size, fc.integer({ min: 0, max: 255 })).map(([length, fill]) => Buffer.alloc(length, fill))
})
const control = fc.record({
  opcode: fc.constantFrom(Opcode.close, Opcode.ping, Opcode.pong),
  fin: fc.constant(true),
  payload: fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes))
})
const frames = fc.array(fc.oneof(data, control), { minLength: 1, maxLength: 8 })

const bytesOf = (all: ReadonlyArray<{ opcode: number; fin: boolean; payload: Buffer }>): Buffer =>
  Buffer.concat(all.map(({ opcode, fin, payload }) => serverFrame(opcode, payload, fin)))
const told = (all: ReadonlyArray<{ opcode: number; fin: boolean; payload: Buffer }>): ReadonlyArray<Seen> =>
  all.map(({ opcode, fin, payload }) => ({ opcode, fin, payload: payload.toString("hex") }))

describe("FrameParser", () => {
  it("finds the same frames however the stream is cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 30 }), (all, cuts) => {
        const { parser, seen } = collect()
        const bytes = bytesOf(all)
        let at = 0
        for (const cut of cuts) {
          parser.push(bytes.subarray(at, at + cut))
          at = Math.min(bytes.length, at + cut)
        }
        parser.push(bytes.subarray(at))
        expect(seen).toEqual(told(all))
      })
    )
  })

  it("takes one byte at a time", () => {
    const all = [0, 1, 125, 126, 300, 65_536].map((length) => ({ opcode: Opcode.text, fin: true, payload: Buffer.alloc(length, 7) }))
    const { parser, seen } = collect()
    for (const byte of bytesOf(all)) parser.push(Uint8Array.of(byte))
    expect(seen).toEqual(told(all))
  })

  it("reads only the first `length` bytes of a buffer that is used again and again", () => {
    const { parser, seen } = collect()
    const shared = Buffer.alloc(64, 0xff)
    for (const part of [Uint8Array.of(0x81), Uint8Array.of(3, 1), Uint8Array.of(2, 3)]) {
      shared.set(part)
      parser.push(shared, part.length)
      shared.fill(0xff)
    }
    expect(seen).toEqual([{ opcode: 1, fin: true, payload: "010203" }])
  })

  it.each([
    ["a masked frame", [0x81, 0x80, 0, 0, 0, 0]],
    ["a reserved bit", [0xc1, 0]],
    ["an unknown opcode", [0x83, 0]],
    ["an unknown control opcode", [0x8b, 0]],
    ["a fragmented ping", [0x09, 0]],
    ["a ping of more than 125 bytes", [0x89, 126, 0, 126]]
  ])("refuses %s, in one piece and byte by byte", (_, bytes) => {
    const whole = collect()
    expect(() => whole.parser.push(Uint8Array.from(bytes))).toThrow(FrameError)
    const single = collect()
    expect(() => bytes.forEach((byte) => single.parser.push(Uint8Array.of(byte)))).toThrow(FrameError)
  })

  it("refuses a frame over the limit before it has come", () => {
    const { parser } = collect(1000)
    expect(() => parser.push(serverFrame(Opcode.binary, Buffer.alloc(1001)).subarray(0, 4))).toThrow(/1001/)
    const allowed = collect(1000)
    allowed.parser.push(serverFrame(Opcode.binary, Buffer.alloc(1000)))
    expect(allowed.seen).toHaveLength(1)
  })
})
