import { describe, expect, it } from "vitest"
import { joinJson, joinMsgpack, maxBatch } from "../../src/wire/Batch.ts"
import { jsonCodec, msgpackCodec } from "../../src/wire/index.ts"

const json = jsonCodec()
const msgpack = msgpackCodec()
const messages = (count: number) => Array.from({ length: count }, (_, id) => ({ type: "pong", id, time: 1 }))

describe("several messages in one frame", () => {
  it.each([2, 15, 16, 17, maxBatch])("are an array of these %i", (count) => {
    const frame = joinJson(messages(count).map((message) => String(json.encode(message))))
    expect(json.decode(new TextEncoder().encode(frame))).toEqual(messages(count))
    expect(msgpack.decode(joinMsgpack(messages(count).map((message) => Buffer.from(msgpack.encode(message)))))).toEqual(messages(count))
  })

  it("are the bare message where there is only one", () => {
    const [message] = messages(1)
    expect(joinJson([String(json.encode(message))])).toBe(json.encode(message))
    expect(joinMsgpack([Buffer.from(msgpack.encode(message))])).toEqual(Buffer.from(msgpack.encode(message)))
  })

  it("are at most as many as the protocol says", () => {
    expect(maxBatch).toBe(64)
  })
})
