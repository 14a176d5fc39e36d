import { type Codec, CodecError, defaultMaxDepth } from "./Codec.ts"

const countUpTo = (text: string, char: string, from: number, limit: number): number => {
  let count = 0
  for (let i = text.indexOf(char); i !== -1 && count <= limit; i = text.indexOf(char, i + 1)) count++
  return from + count
}

/** The exact nesting of a JSON text, strings left out. Stops counting once `limit` is passed. */
const nesting = (text: string, limit: number): number => {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++
    } else if (char === 0x5b || char === 0x7b) {
      if (++depth > deepest) deepest = depth
      if (deepest > limit) return deepest
    } else if (char === 0x5d || char === 0x7d) depth--
  }
  return deepest
}

/**
 * Whether the text nests deeper than `limit`. Two native searches answer for nearly every message: a text can not
 * nest deeper than it has opening brackets.
 */
const tooDeep = (text: string, limit: number): boolean =>
  text.length > limit && countUpTo(text, "{", countUpTo(text, "[", 0, limit), limit) > limit && nesting(text, limit) > limit

/** Whether a map within has a key named `__proto__`, which would turn into a prototype where maps are copied carelessly. */
const hasProtoKey = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return value.some(hasProtoKey)
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey)
}

/** Text in which the key can not stand, also not in an escaped spelling, needs no walk. */
const mayHoldProto = (text: string): boolean => text.includes("__proto__") || text.includes("\\u")

/** JSON (RFC 8259) in text frames. `maxDepth` bounds nesting. */
export const jsonCodec = (options: { readonly maxDepth?: number } = {}): Codec => {
  const maxDepth = options.maxDepth ?? defaultMaxDepth
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const encode = (value: unknown): string => JSON.stringify(value)
  return {
    encoding: "json",
    binary: false,
    decode(frame) {
      let text: string
      try {
        text = utf8.decode(frame)
      } catch {
        throw new CodecError("the frame is not UTF-8")
      }
      if (tooDeep(text, maxDepth)) throw new CodecError(`nested deeper than ${maxDepth} levels`)
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        throw new CodecError("the frame is not JSON")
      }
      if (mayHoldProto(text) && hasProtoKey(value)) throw new CodecError("a key must not be named __proto__")
      return value
    },
    encode,
    encodeShared: encode
  }
}
