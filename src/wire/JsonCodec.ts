import { type Codec, CodecError, defaultMaxDepth } from "./Codec.ts"
import { toWireValue } from "./Value.ts"

/** Counts a character in a text, up to one more than `limit`. */
const countUpTo = (text: string, char: string, limit: number): number => {
  let count = 0
  for (let i = text.indexOf(char); i !== -1 && count <= limit; i = text.indexOf(char, i + 1)) count++
  return count
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
 * Whether the text nests deeper than `limit`. Native searches answer for nearly every message: each level takes two
 * characters, and a text can not nest deeper than it has closing brackets.
 */
const tooDeep = (text: string, limit: number): boolean =>
  text.length > limit * 2 && countUpTo(text, "]", limit) + countUpTo(text, "}", limit) > limit && nesting(text, limit) > limit

/** Only an exponent of three digits, or some two hundred digits in a row, can make a number that a double does not hold. */
const bigExponent = /\d[eE]\+?\d{3}/

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39

/** Whether `length` digits follow each other. A run of them covers one of every `length`th places: only those are looked at. */
const hasDigits = (text: string, length: number): boolean => {
  for (let i = length - 1; i < text.length; i += length) {
    let from = i
    while (isDigit(text.charCodeAt(from))) from--
    let to = i
    while (isDigit(text.charCodeAt(to))) to++
    if (to - from > length) return true
  }
  return false
}

/** Up to this length one look at each character takes less than to search for each thing. */
const shortText = 200

/**
 * Whether a short text has nothing that any of the searches looks for: no underscore, no escape, no exponent behind a digit, fewer
 * closing brackets than levels. False says nothing.
 */
const isPlain = (text: string, maxDepth: number): boolean => {
  let closing = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === 0x5f || char === 0x5c) return false
    if ((char === 0x65 || char === 0x45) && isDigit(text.charCodeAt(i - 1))) return false
    if ((char === 0x5d || char === 0x7d) && ++closing > maxDepth) return false
  }
  return true
}

/** Whether anything can stand in the text that `JSON.parse` lets pass and `toWireValue` refuses. It can not in nearly any, and no walk is needed. */
const needsCheck = (text: string, maxDepth: number): boolean =>
  !(text.length <= shortText && isPlain(text, maxDepth)) &&
  (text.includes("__proto__") || text.includes("\\u") || bigExponent.test(text) || hasDigits(text, 200) || tooDeep(text, maxDepth))

const check = (value: unknown, maxDepth: number): unknown => {
  try {
    return toWireValue(value, maxDepth)
  } catch (error) {
    throw error instanceof CodecError ? new CodecError(error.message, value) : error
  }
}

/** JSON (RFC 8259) in text frames. `maxDepth` bounds nesting. */
export const jsonCodec = (options: { readonly maxDepth?: number } = {}): Codec<string> => {
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
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        throw new CodecError("the frame is not JSON")
      }
      return needsCheck(text, maxDepth) ? check(value, maxDepth) : value
    },
    encode,
    encodeShared: encode
  }
}
