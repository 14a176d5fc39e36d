import { CodecError } from "./Codec.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** What stands behind a head byte: its own extra bytes, then a body of a kind. */
type Kind = "plain" | "float" | "int64" | "uint64" | "str" | "bin" | "array" | "map" | "refused"

interface Head {
  readonly kind: Kind
  /** Bytes of a length that follows the head byte, or of the value itself where the kind is a number. */
  readonly bytes: number
  /** The length where the head byte holds it, else -1. */
  readonly fixed: number
}

const head = (kind: Kind, bytes: number, fixed = -1): Head => ({ kind, bytes, fixed })

/** The format table of the MessagePack specification, by head byte. Extensions are outside of the JSON model. */
const heads: ReadonlyArray<Head> = Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x80 || byte >= 0xe0) return head("plain", 0)
  if (byte < 0x90) return head("map", 0, byte & 0x0f)
  if (byte < 0xa0) return head("array", 0, byte & 0x0f)
  if (byte < 0xc0) return head("str", 0, byte & 0x1f)
  const rest: ReadonlyArray<Head> = [
    head("plain", 0), head("refused", 0), head("plain", 0), head("plain", 0),
    head("bin", 1), head("bin", 2), head("bin", 4),
    head("refused", 0), head("refused", 0), head("refused", 0),
    head("float", 4), head("float", 8),
    head("plain", 1), head("plain", 2), head("plain", 4), head("uint64", 8),
    head("plain", 1), head("plain", 2), head("plain", 4), head("int64", 8),
    head("refused", 0), head("refused", 0), head("refused", 0), head("refused", 0), head("refused", 0),
    head("str", 1), head("str", 2), head("str", 4),
    head("array", 2), head("array", 4), head("map", 2), head("map", 4)
  ]
  return rest[byte - 0xc0] ?? head("refused", 0)
})

const refuse = (text: string): never => {
  throw new CodecError(text)
}

const isProtoKey = (bytes: Uint8Array, at: number, length: number): boolean =>
  length === 9 && bytes[at] === 0x5f && bytes[at + 1] === 0x5f && String.fromCharCode(...bytes.subarray(at, at + 9)) === "__proto__"

const checkText = (bytes: Uint8Array, from: number, to: number): void => {
  for (let i = from; i < to; i++) {
    if ((bytes[i] ?? 0) >= 0x80) {
      try {
        utf8.decode(bytes.subarray(i, to))
      } catch {
        refuse("a string is not UTF-8")
      }
      return
    }
  }
}

/**
 * Walks one MessagePack value without building it, in constant memory per level, and says whether it holds bin.
 *
 * After it a decoder may trust every length, so that a frame of five bytes can not ask for an array of four billion
 * places. Throws `CodecError` for what is truncated, followed by more bytes, nested deeper than `maxDepth`, or outside
 * of the JSON model: extensions, keys that are no strings, NaN and infinities, integers that a double can not hold.
 */
export const scanMsgpack = (bytes: Uint8Array, maxDepth: number): { readonly hasBin: boolean } => {
  const end = bytes.length
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Values still to come on each open level; a map counts keys and values, so that an even rest means a key. */
  const pending: Array<number> = [1]
  const isMap: Array<boolean> = [false]
  let at = 0
  let hasBin = false
  while (pending.length > 0) {
    const level = pending.length - 1
    const left = pending[level] ?? 0
    if (left === 0) {
      pending.pop()
      isMap.pop()
      continue
    }
    pending[level] = left - 1
    const key = isMap[level] === true && left % 2 === 0
    if (at >= end) refuse("the frame ends in the middle of a value")
    const { kind, bytes: extra, fixed } = heads[bytes[at] ?? 0xc1] ?? head("refused", 0)
    at++
    if (at + extra > end) refuse("the frame ends in the middle of a value")
    if (key && kind !== "str") refuse("the keys of a map must be strings")
    if (kind === "plain") {
      at += extra
      continue
    }
    const length = fixed !== -1 ? fixed : extra === 1 ? view.getUint8(at) : extra === 2 ? view.getUint16(at) : extra === 4 ? view.getUint32(at) : 0
    switch (kind) {
      case "refused":
        return refuse("extension types are not part of this protocol")
      case "float":
        if (!Number.isFinite(extra === 4 ? view.getFloat32(at) : view.getFloat64(at))) refuse("a number must be finite")
        at += extra
        break
      case "int64":
      case "uint64":
        if (!Number.isSafeInteger(Number(kind === "int64" ? view.getBigInt64(at) : view.getBigUint64(at))))
          refuse("an integer is beyond 2^53 - 1")
        at += extra
        break
      case "str":
        at += extra
        if (at + length > end) refuse("the frame ends in the middle of a value")
        if (key && isProtoKey(bytes, at, length)) refuse("a key must not be named __proto__")
        checkText(bytes, at, at + length)
        at += length
        break
      case "bin":
        at += extra
        if (at + length > end) refuse("the frame ends in the middle of a value")
        hasBin = true
        at += length
        break
      case "array":
      case "map": {
        at += extra
        const count = kind === "map" ? length * 2 : length
        if (at + count > end) refuse("the frame ends in the middle of a value")
        if (pending.length > maxDepth) refuse(`nested deeper than ${maxDepth} levels`)
        pending.push(count)
        isMap.push(kind === "map")
      }
    }
  }
  if (at !== end) refuse("more bytes follow the message")
  return { hasBin }
}
