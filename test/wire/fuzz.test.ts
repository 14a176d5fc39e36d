import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Codec, CodecError, decodeClientMessage, errorCodes, isRefusal, jsonCodec, msgpackCodec } from "../../src/wire/index.ts"
import { frame } from "./arbitraries.ts"

const bytes = (encoded: string | Uint8Array): Uint8Array => (typeof encoded === "string" ? new TextEncoder().encode(encoded) : encoded)

/** What the server does with a frame before any actor sees it. Lets every error but `CodecError` out. */
const receive = (codec: Codec, received: Uint8Array): "undecodable" | "refused" | "message" => {
  let value: unknown
  try {
    value = codec.decode(received)
  } catch (error) {
    if (error instanceof CodecError) return "undecodable"
    throw error
  }
  // What was read can be written, and means the same in both encodings.
  const again = codec.decode(bytes(codec.encode(value)))
  expect(bytes(codec.encode(again))).toEqual(bytes(codec.encode(value)))
  JSON.parse(JSON.stringify(value))
  const decoded = decodeClientMessage(value)
  if (!isRefusal(decoded)) return "message"
  expect(Object.keys(errorCodes)).toContain(decoded.error)
  return "refused"
}

describe.each([jsonCodec(), msgpackCodec()])("25,000 generated $encoding frames", (codec) => {
  it("are read or refused, each of them, and nothing else happens", () => {
    const outcomes = { undecodable: 0, refused: 0, message: 0 }
    fc.assert(
      fc.property(frame(codec), (received) => {
        outcomes[receive(codec, received)]++
      }),
      { numRuns: 25_000 }
    )
    // The generator is worth something only if it reaches all three. Messages are the fewest: one frame in 36 on average.
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(500)
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
