/** Bytes and their text forms in the vector files. */
import { Bin, msgpackCodec } from "../../../src/wire/index.ts"

const utf8 = new TextEncoder()
const msgpack = msgpackCodec()

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")
export const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"))
export const utf8Of = (text: string): Uint8Array => utf8.encode(text)

/** Bytes inside a message. The vector files show them as `{"$bin": "base64"}`. */
export const bin = (...bytes: ReadonlyArray<number>): Bin => new Bin(Uint8Array.from(bytes).buffer)

/** The value as the server writes it in MessagePack. */
export const packed = (value: unknown): string => {
  const frame = msgpack.encode(value)
  if (typeof frame === "string") throw new TypeError("MessagePack is binary")
  return hexOf(frame)
}

/** A value with its bytes in the form of the vector files. */
export const marked = (value: unknown): unknown => {
  if (value instanceof Bin) return { $bin: value.toJSON() }
  if (Array.isArray(value)) return value.map(marked)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item)]))
}
