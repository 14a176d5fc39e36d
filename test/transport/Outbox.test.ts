import { describe, expect, it } from "vitest"
import { Outbox } from "../../src/transport/Outbox.ts"
import { maxBatch } from "../../src/wire/Batch.ts"
import { jsonCodec, msgpackCodec } from "../../src/wire/index.ts"

const pong = (id: number) => ({ type: "pong", id, time: 1 }) as const

describe.each([
  ["json", jsonCodec()],
  ["msgpack", msgpackCodec()]
] as const)("an outbox in %s", (_, codec) => {
  const make = () => {
    const frames: Array<unknown> = []
    const scheduled: Array<() => void> = []
    const write = (frame: string | Uint8Array): void =>
      void frames.push(codec.decode(typeof frame === "string" ? new TextEncoder().encode(frame) : frame))
    return { frames, scheduled, outbox: new Outbox(codec, write, (flush) => void scheduled.push(flush)) }
  }

  it("sends what a turn brought as one array, in order, once", () => {
    const { frames, scheduled, outbox } = make()
    for (const id of [1, 2, 3]) outbox.add(pong(id))
    expect([frames.length, scheduled.length]).toEqual([0, 1])
    scheduled[0]?.()
    scheduled[0]?.()
    expect(frames).toEqual([[pong(1), pong(2), pong(3)]])
  })

  it("sends a single message bare", () => {
    const { frames, outbox } = make()
    outbox.add(pong(1))
    outbox.flush()
    outbox.flush()
    expect(frames).toEqual([pong(1)])
  })

  it("puts no more in one frame than a client takes", () => {
    const { frames, scheduled, outbox } = make()
    for (let id = 0; id < maxBatch * 2 + 1; id++) outbox.add(pong(id))
    scheduled.forEach((flush) => flush())
    expect(frames.map((frame) => (Array.isArray(frame) ? frame.length : 1))).toEqual([maxBatch, maxBatch, 1])
    expect(frames.flat()).toEqual(Array.from({ length: maxBatch * 2 + 1 }, (_, id) => pong(id)))
  })

  it("asks for the end of the turn anew in each turn", () => {
    const { frames, scheduled, outbox } = make()
    outbox.add(pong(1))
    scheduled[0]?.()
    outbox.add(pong(2))
    scheduled[1]?.()
    expect(frames).toEqual([pong(1), pong(2)])
  })
})
