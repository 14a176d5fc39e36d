import fc from "fast-check"
import { type Codec, CodecError, decodeClientMessage, isRefusal } from "../../src/wire/index.ts"
import { frame } from "../../test/wire/arbitraries.ts"

const chunk = 10_000

const bytes = (encoded: string | Uint8Array): Uint8Array => (typeof encoded === "string" ? new TextEncoder().encode(encoded) : encoded)

type Outcome = "undecodable" | "refused" | "message"

/** Takes a frame as the server does. Throws whatever it must not be: only `CodecError` is an answer. */
const receive = (codec: Codec, received: Uint8Array): Outcome => {
  let value: unknown
  try {
    value = codec.decode(received)
  } catch (error) {
    if (error instanceof CodecError) return "undecodable"
    throw error
  }
  const written = bytes(codec.encode(value))
  if (Buffer.compare(bytes(codec.encode(codec.decode(written))), written) !== 0) throw new Error("what was read is not what was written")
  return isRefusal(decodeClientMessage(value)) ? "refused" : "message"
}

/** Sends `count` generated frames through the codec and the schemas. False when one of them got out. */
export const fuzzCodec = (codec: Codec, count: number, seed: number): boolean => {
  const outcomes: Record<Outcome, number> = { undecodable: 0, refused: 0, message: 0 }
  const property = fc.property(frame(codec), (received) => {
    outcomes[receive(codec, received)]++
  })
  const names = Object.getOwnPropertyNames(Object.prototype).length
  for (let done = 0; done < count; done += chunk) {
    const details = fc.check(property, { numRuns: Math.min(chunk, count - done), seed: seed + done })
    if (details.failed) {
      console.error(fc.defaultReportMessage(details))
      return false
    }
  }
  if (Object.getOwnPropertyNames(Object.prototype).length !== names) {
    console.error("a frame has changed Object.prototype")
    return false
  }
  const { heapUsed } = process.memoryUsage()
  console.log(`${codec.encoding}: ${count} frames`, outcomes, `heap ${Math.round(heapUsed / 1024 / 1024)} MiB`)
  return true
}
