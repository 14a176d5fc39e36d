import { type Codec, defaultMaxDepth } from "./Codec.ts"
import { MsgpackReader } from "./MsgpackReader.ts"
import { MsgpackWriter } from "./MsgpackWriter.ts"

/** The server wraps what clients send in a map or two of its own. */
const envelopeDepth = 8

/** MessagePack in binary frames. `maxDepth` bounds nesting. */
export const msgpackCodec = (options: { readonly maxDepth?: number } = {}): Codec<Uint8Array<ArrayBuffer>> => {
  const maxDepth = options.maxDepth ?? defaultMaxDepth
  const reader = new MsgpackReader(maxDepth)
  const writer = new MsgpackWriter(maxDepth + envelopeDepth)
  return {
    encoding: "msgpack",
    binary: true,
    decode: (frame) => reader.read(frame),
    encode: (value) => writer.write(value),
    encodeShared: (value) => writer.writeShared(value)
  }
}
