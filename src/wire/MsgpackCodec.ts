import { Encoder } from "@msgpack/msgpack"
import { type Codec, defaultMaxDepth } from "./Codec.ts"
import { MsgpackReader } from "./MsgpackReader.ts"

/** The server wraps what clients send in a map or two of its own. */
const envelopeDepth = 8

/** MessagePack in binary frames. `maxDepth` bounds nesting. Encoder and reader are reused: they are what costs most to make. */
export const msgpackCodec = (options: { readonly maxDepth?: number } = {}): Codec<Uint8Array<ArrayBuffer>> => {
  const maxDepth = options.maxDepth ?? defaultMaxDepth
  const encoder = new Encoder({ ignoreUndefined: true, maxDepth: maxDepth + envelopeDepth })
  const reader = new MsgpackReader(maxDepth)
  return {
    encoding: "msgpack",
    binary: true,
    decode: (frame) => reader.read(frame),
    encode: (value) => encoder.encode(value),
    encodeShared: (value) => encoder.encodeSharedRef(value)
  }
}
