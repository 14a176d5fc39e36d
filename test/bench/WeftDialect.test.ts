import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dialect } from "../../src/bench/WeftDialect.ts"
import type { Encoding } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"

const codecs = { json: jsonCodec(), msgpack: msgpackCodec() }

/** As long as the messages of one load are, and the short notices that may stand between them. */
const message = fc.integer({ min: 64, max: 80 }).map((size) => ({ type: "message", data: { text: "x".repeat(size) } }))
const notice = fc.constantFrom({ type: "gap", dropped: 1 }, { type: "ack", room: "a" })
const content = fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: notice })

describe.each<Encoding>(["json", "msgpack"])("the counter of the load, %s", (encoding) => {
  const bytesOf = (value: unknown): Uint8Array => {
    const frame = codecs[encoding].encode(value)
    return typeof frame === "string" ? Buffer.from(frame) : frame
  }
  const makeCounter = () => dialect({ encoding, batch: true, path: "/ws" }).counter("message")

  it("counts the messages of every batch, whatever came in the batches before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(content, { minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 8 }),
        fc.nat(9),
        (batches, offset) => {
          const counter = makeCounter()
          for (const batch of batches) {
            const bytes = bytesOf(batch)
            // Frames lie in the middle of what was read, after others.
            const read = new Uint8Array(offset + bytes.length + 9)
            read.set(bytes, offset)
            const expected = batch.filter(({ type }) => type === "message").length
            expect(counter(read, offset, offset + bytes.length)).toBe(expected === 0 ? -1 : expected)
          }
        }
      )
    )
  })

  it("counts a message that comes alone, and leaves anything else to be looked at", () => {
    const counter = makeCounter()
    const alone = bytesOf({ type: "message", data: 1 })
    const other = bytesOf({ type: "gap", dropped: 1 })
    expect(counter(alone, 0, alone.length)).toBe(1)
    expect(counter(other, 0, other.length)).toBe(-1)
    expect(counter(alone, 0, 0)).toBe(-1)
  })
})
