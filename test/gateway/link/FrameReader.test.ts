import type { Writable } from "node:stream"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ws from "ws"
import { type FrameFault, FrameReader } from "../../../src/gateway/link/FrameReader.ts"
import { closePayload, frameBytes, Opcode } from "../rawClient.ts"

/** What a reader told: messages, pings and pongs as they were, and how it ended. */
interface Told {
  readonly events: Array<readonly [name: string, payload: string]>
  close: { readonly code: number; readonly reason: string } | undefined
  fault: number | undefined
}

const tell = (): Told => ({ events: [], close: undefined, fault: undefined })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const limit = 1_000

const sinkOf = (told: Told) => ({
  onMessage: (bytes: Uint8Array, binary: boolean) => void told.events.push([binary ? "binary" : "text", hex(bytes)]),
  onPing: (payload: Uint8Array) => void told.events.push(["ping", hex(payload)]),
  onPong: (payload: Uint8Array) => void told.events.push(["pong", hex(payload)]),
  onCloseFrame: (code: number, reason: string) => void (told.close = { code, reason })
})

/** Reads all pieces, each of which is overwritten once it has been read. */
const read = (chunks: ReadonlyArray<Buffer>, maxMessage = limit): Told => {
  const told = tell()
  const reader = new FrameReader(maxMessage)
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk)
    const fault: FrameFault | undefined = reader.read(lent, sinkOf(told))
    lent.fill(0xee)
    if (fault !== undefined) {
      expect(told.fault).toBeUndefined()
      told.fault = fault.code
    }
  }
  return told
}

/** The types of `ws` leave it out. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: { readonly maxPayload: number }) => Writable }

/** What the library `ws` makes of the same. */
const readByLibrary = async (chunks: ReadonlyArray<Buffer>): Promise<Told> => {
  const told = tell()
  const sink = sinkOf(told)
  const receiver = new Receiver({ maxPayload: limit })
  receiver.on("message", (data: unknown, binary: boolean) => Buffer.isBuffer(data) && sink.onMessage(data, binary))
  receiver.on("ping", sink.onPing)
  receiver.on("pong", sink.onPong)
  receiver.on("conclude", (code: number, reason: Buffer) => sink.onCloseFrame(code, reason.toString()))
  const codes: Readonly<Record<string, number>> = {
    WS_ERR_INVALID_UTF8: 1007,
    WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
    WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009
  }
  receiver.on("error", (error: Error & { readonly code?: string }) => (told.fault = codes[error.code ?? ""] ?? 1002))
  for (const chunk of chunks) {
    if (receiver.destroyed || told.close !== undefined) break
    receiver.write(Buffer.from(chunk))
    await Promise.resolve()
  }
  await new Promise((resolve) => setImmediate(resolve))
  receiver.destroy()
  return told
}

const anyBytes = (most: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength: most }).map((bytes) => Buffer.from(bytes))
const anyText: fc.Arbitrary<Buffer> = fc.string({ unit: "grapheme", maxLength: 80 }).map((text) => Buffer.from(text))
const length = fc.constantFrom(0, 1, 124, 125, 126, 127, 128, 255, 256, limit)

interface Message {
  readonly kind: "text" | "binary"
  readonly payload: Buffer
  /** Where it is cut into frames. */
  readonly cuts: ReadonlyArray<number>
  /** Control frames before each of its frames. */
  readonly between: ReadonlyArray<readonly [kind: "ping" | "pong", payload: Buffer] | undefined>
}

const message: fc.Arbitrary<Message> = fc
  .oneof(
    fc.record({ kind: fc.constant("text" as const), payload: anyText }),
    fc.record({
      kind: fc.constant("binary" as const),
      payload: fc.oneof(
        anyBytes(300),
        length.map((size) => Buffer.alloc(size, size))
      )
    })
  )
  .chain(({ kind, payload }) =>
    fc.record({
      kind: fc.constant(kind),
      payload: fc.constant(payload),
      cuts: fc.array(fc.nat(payload.length), { maxLength: 4 }).map((cuts) => cuts.sort((a, b) => a - b)),
      between: fc.array(fc.option(fc.tuple(fc.constantFrom("ping" as const, "pong" as const), anyBytes(125)), { nil: undefined }), {
        maxLength: 5
      })
    })
  )

const framesOf = ({ between, cuts, kind, payload }: Message): ReadonlyArray<Buffer> => {
  const bounds = [0, ...cuts, payload.length]
  return bounds.slice(1).flatMap((to, index) => {
    const control = between[index]
    const frame = frameBytes(index === 0 ? Opcode[kind] : Opcode.continuation, payload.subarray(bounds[index], to), {
      fin: index === bounds.length - 2
    })
    return control === undefined ? [frame] : [frameBytes(Opcode[control[0]], control[1]), frame]
  })
}

const eventsOf = (sent: Message): Told["events"] => [
  ...sent.between
    .slice(0, sent.cuts.length + 1)
    .flatMap((control) => (control === undefined ? [] : [[control[0], hex(control[1])] as const])),
  [sent.kind, hex(sent.payload)]
]

/** Cuts bytes into pieces, most of them short. */
const piecesOf = (bytes: Buffer, sizes: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  for (let at = 0, count = 0; at < bytes.length; count++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[count % sizes.length] ?? 1)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 400 })), { maxLength: 6 })

describe("messages", () => {
  it("come out as they went in, however they are cut into frames and pieces", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), sizes, (sent, cuts) => {
        const told = read(piecesOf(Buffer.concat(sent.flatMap(framesOf)), cuts))
        expect(told).toEqual({ events: sent.flatMap(eventsOf), close: undefined, fault: undefined })
      }),
      { numRuns: 500 }
    )
  })

  it("stay valid after the reader has gone on, and those of one piece lie in it", () => {
    const kept: Array<Uint8Array> = []
    const sink = { ...sinkOf(tell()), onMessage: (bytes: Uint8Array) => void kept.push(bytes) }
    const reader = new FrameReader(limit)
    const whole = Buffer.concat(["one", "two"].map((text) => frameBytes(Opcode.text, Buffer.from(text))))
    reader.read(whole, sink)
    const third = frameBytes(Opcode.text, Buffer.from("three"))
    reader.read(third.subarray(0, 4), sink)
    reader.read(third.subarray(4), sink)
    for (const text of ["four", "five"]) {
      reader.read(frameBytes(Opcode.text, Buffer.from(text), { fin: false }), sink)
      reader.read(frameBytes(Opcode.continuation, Buffer.from("!")), sink)
    }
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(["one", "two", "three", "four!", "five!"])
    expect(kept.slice(0, 2).every(({ buffer }) => buffer === whole.buffer)).toBe(true)
  })

  it("that have begun keep nothing of the piece that they began in", () => {
    const reader = new FrameReader(100_000)
    const slab = Buffer.alloc(65_536)
    const frame = frameBytes(Opcode.binary, Buffer.alloc(50_000))
    for (const [bytes, tail] of [
      [frame, 1],
      [frame, 3],
      [frameBytes(Opcode.ping, Buffer.alloc(100)), 50]
    ] as const) {
      slab.fill(0).set(frameBytes(Opcode.binary, Buffer.alloc(65_536 - 4 - tail)))
      slab.set(bytes.subarray(0, tail), 65_536 - tail)
      const sink = sinkOf(tell())
      reader.read(slab, sink)
      const held = Object.values(reader).filter((value: unknown) => Buffer.isBuffer(value)) as Array<Buffer>
      expect(held.every(({ buffer }) => buffer !== slab.buffer)).toBe(true)
      reader.read(bytes.subarray(tail), sink)
    }
  })

  it("of many tiny fragments take no more memory than their bytes", () => {
    const reader = new FrameReader(limit)
    const sink = sinkOf(tell())
    const empty = frameBytes(Opcode.continuation, Buffer.alloc(0), { fin: false })
    reader.read(frameBytes(Opcode.binary, Buffer.alloc(1), { fin: false }), sink)
    for (let count = 0; count < 100; count++) reader.read(Buffer.concat(Array.from({ length: 1000 }, () => empty)), sink)
    const held = Object.values(reader).reduce((sum: number, value: unknown) => sum + (Buffer.isBuffer(value) ? value.length : 0), 0)
    expect(held).toBeLessThan(limit)
  })

  it("of megabytes arrive whole in many pieces", () => {
    const payload = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251))
    const frames = [
      frameBytes(Opcode.binary, payload),
      frameBytes(Opcode.binary, payload.subarray(0, 2_000_000), { fin: false }),
      frameBytes(Opcode.continuation, payload.subarray(2_000_000))
    ]
    const kept: Array<Uint8Array> = []
    const reader = new FrameReader(payload.length)
    const sink = { ...sinkOf(tell()), onMessage: (bytes: Uint8Array) => void kept.push(bytes) }
    for (const piece of piecesOf(Buffer.concat(frames), [65_536, 1, 8_192])) expect(reader.read(piece, sink)).toBeUndefined()
    expect(kept.map((bytes) => payload.equals(bytes))).toEqual([true, true])
  })
})

describe("a message that is too large", () => {
  const half = Buffer.alloc(600)

  it("is refused by its header, before its bytes come", () => {
    expect(read([frameBytes(Opcode.binary, Buffer.alloc(limit + 1)).subarray(0, 4)]).fault).toBe(1009)
    expect(read([frameBytes(Opcode.binary, half, { fin: false }), frameBytes(Opcode.continuation, half).subarray(0, 4)]).fault).toBe(1009)
    expect(read([Buffer.of(0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0)]).fault).toBe(1009)
    expect(read([Buffer.of(0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0)]).fault).toBe(1009)
  })

  it("is not the next one, after one that had the limit's size", () => {
    const most = [frameBytes(Opcode.binary, Buffer.alloc(400), { fin: false }), frameBytes(Opcode.continuation, half)]
    expect(read([...most, ...most, frameBytes(Opcode.binary, Buffer.alloc(limit))])).toMatchObject({
      events: { length: 3 },
      fault: undefined
    })
  })
})

describe("a close frame", () => {
  it("is the last thing that is read", () => {
    const after = frameBytes(Opcode.text, Buffer.from("after"))
    const told = read([Buffer.concat([frameBytes(Opcode.close, closePayload(4000, "ü")), after]), after])
    expect(told).toEqual({ events: [], close: { code: 4000, reason: "ü" }, fault: undefined })
    expect(read([frameBytes(Opcode.close, closePayload())]).close).toEqual({ code: 1005, reason: "" })
  })

  it("with a reason that is not UTF-8 is a fault", () => {
    expect(read([frameBytes(Opcode.close, closePayload(1000, Buffer.of(0xff)))])).toEqual({ events: [], close: undefined, fault: 1007 })
  })
})

it("nothing is read after a fault", () => {
  const bad = frameBytes(Opcode.text, Buffer.of(0xff))
  const fine = frameBytes(Opcode.text, Buffer.from("fine"))
  expect(read([Buffer.concat([fine, bad, fine]), fine, bad])).toEqual({
    events: [["text", hex(Buffer.from("fine"))]],
    close: undefined,
    fault: 1007
  })
})

describe("beside the library ws", () => {
  const closing = fc.option(
    fc.oneof(
      fc.constant(frameBytes(Opcode.close, Buffer.alloc(0))),
      fc
        .tuple(fc.oneof(fc.integer({ min: 990, max: 1020 }), fc.integer({ min: 2_990, max: 5_010 }), fc.nat(65_535)), anyBytes(20))
        .map(([code, reason]) => frameBytes(Opcode.close, closePayload(code, reason)))
    ),
    { nil: Buffer.alloc(0) }
  )
  const stream = fc
    .tuple(fc.array(message, { maxLength: 5 }), closing)
    .map(([sent, end]) => Buffer.concat([...sent.flatMap(framesOf), end]))
  /** Heads of frames, rarely right, with few bytes behind them. */
  const frames = fc
    .array(
      fc.tuple(fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat(255)), fc.boolean(), fc.oneof(fc.nat(130), fc.nat(255)), anyBytes(130)),
      { maxLength: 8 }
    )
    .map((heads) =>
      Buffer.concat(heads.map(([first, fin, second, rest]) => Buffer.concat([Buffer.of(first | (fin ? 0x80 : 0), second), rest])))
    )
  const mutation = fc.tuple(fc.constantFrom("set", "insert", "delete"), fc.nat(), fc.nat(255))

  const mutated = (bytes: Buffer, mutations: ReadonlyArray<readonly [string, number, number]>): Buffer =>
    mutations.reduce<Buffer>((all, [kind, place, byte]) => {
      const at = place % (all.length + 1)
      return Buffer.concat([
        all.subarray(0, at),
        kind === "delete" ? Buffer.alloc(0) : Buffer.of(byte),
        all.subarray(kind === "insert" ? at : at + 1)
      ])
    }, bytes)

  it("the same comes of any bytes: messages, close code, kind of fault", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(stream, frames), fc.array(mutation, { maxLength: 3 }), sizes, async (bytes, mutations, cuts) => {
        const pieces = piecesOf(mutated(bytes, mutations), cuts)
        expect(read(pieces)).toEqual(await readByLibrary(pieces))
      }),
      { numRuns: 2_000 }
    )
  })
})
