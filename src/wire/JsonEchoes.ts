/**
 * Recognises frames of nothing but echoes by their bytes. What such a frame answers is the frame itself, so nothing of it
 * has to be decoded; it only has to be certain that decoding would find no fault. Free of Node and of Effect at run time.
 */
import { maxBatch } from "./Batch.ts"

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const underscore = 0x5f

const bytesOf = (ascii: string): Uint8Array => Uint8Array.from(ascii, (char) => char.charCodeAt(0))

const head = bytesOf('{"type":"echo"')
const idHead = bytesOf(',"id":')
const dataHead = bytesOf(',"data":')
const literals = [bytesOf("true"), bytesOf("false"), bytesOf("null")] as const

/** 1 for what stands for itself in a string: no quote, no backslash, no control character, nothing outside of ASCII. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x80 && byte !== quote && byte !== 0x5c ? 1 : 0))

/** Digits of a number that is certain to be a finite double, and an id that is certain to be a safe integer. */
const maxDigits = 15

/** Characters of an id. All of them are one byte. */
const maxId = 64

/** Levels of the data; what is deeper is left to the codec, which needs no stack for it. */
const maxLevels = 16

/** A place after what was read; `no`: it is not what was looked for. */
type Place = number
const no = -1

const literal = (bytes: Uint8Array, at: Place, wanted: Uint8Array): Place => {
  if (bytes.length - at < wanted.length) return no
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return no
  return at + wanted.length
}

/** From after the opening quote to after the closing one. */
const string = (bytes: Uint8Array, at: Place): Place => {
  const { length } = bytes
  while (at < length && plain[bytes[at]!] === 1) at++
  return at < length && bytes[at] === quote ? at + 1 : no
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte < zero + 10

const digits = (bytes: Uint8Array, at: Place): Place => {
  const from = at
  while (isDigit(bytes[at])) at++
  return at === from || at - from > maxDigits ? no : at
}

/** No zero leads others. */
const integer = (bytes: Uint8Array, at: Place): Place => (bytes[at] === zero ? (isDigit(bytes[at + 1]) ? no : at + 1) : digits(bytes, at))

/** Without an exponent. */
const number = (bytes: Uint8Array, at: Place): Place => {
  const whole = integer(bytes, bytes[at] === minus ? at + 1 : at)
  return whole === no || bytes[whole] !== point ? whole : digits(bytes, whole + 1)
}

/** Strings and maps begin with a mark of their own, and so does nearly all data: the rest is numbers and three words. */
const scalar = (bytes: Uint8Array, at: Place): Place => {
  for (const word of literals) if (bytes[at] === word[0]) return literal(bytes, at, word)
  return number(bytes, at)
}

const array = (bytes: Uint8Array, at: Place, levels: number): Place => {
  if (bytes[at] === 0x5d) return at + 1
  for (;;) {
    at = value(bytes, at, levels)
    if (at === no) return no
    if (bytes[at] === 0x5d) return at + 1
    if (bytes[at++] !== comma) return no
  }
}

const map = (bytes: Uint8Array, at: Place, levels: number): Place => {
  if (bytes[at] === 0x7d) return at + 1
  for (;;) {
    // A key that begins like `__proto__` is looked at by the codec.
    if (bytes[at] !== quote || (bytes[at + 1] === underscore && bytes[at + 2] === underscore)) return no
    at = string(bytes, at + 1)
    if (at === no || bytes[at] !== 0x3a) return no
    at = value(bytes, at + 1, levels)
    if (at === no) return no
    if (bytes[at] === 0x7d) return at + 1
    if (bytes[at++] !== comma) return no
  }
}

/** `levels`: how many arrays and maps may still stand in each other. */
const value = (bytes: Uint8Array, at: Place, levels: number): Place => {
  const first = bytes[at]
  if (first === quote) return string(bytes, at + 1)
  if (first === 0x7b) return levels === 0 ? no : map(bytes, at + 1, levels - 1)
  if (first === 0x5b) return levels === 0 ? no : array(bytes, at + 1, levels - 1)
  return scalar(bytes, at)
}

const id = (bytes: Uint8Array, at: Place): Place => {
  if (bytes[at] !== quote) return integer(bytes, at)
  const end = string(bytes, at + 1)
  return end - at - 2 > maxId ? no : end
}

const echo = (bytes: Uint8Array, at: Place, levels: number): Place => {
  at = literal(bytes, at, head)
  if (at === no) return no
  const identified = literal(bytes, at, idHead)
  if (identified !== no) at = id(bytes, identified)
  if (at === no) return no
  at = literal(bytes, at, dataHead)
  if (at === no) return no
  at = value(bytes, at, levels)
  return at !== no && bytes[at] === 0x7d ? at + 1 : no
}

/**
 * How many messages the frame holds, if it is one echo, or an array of up to 64, in the form in which `JSON.stringify`
 * writes `{type, id, data}`: in this order, with no other field and no space between. 0: it is something else, or it may be
 * an echo and only the codec can tell, as with an escape, a character outside of ASCII or an exponent.
 *
 * Never counts what the codec and the schema of `echo` would refuse. `maxDepth` bounds nesting as it does for the codec.
 */
export const countEchoes = (bytes: Uint8Array, maxDepth: number): number => {
  const levels = Math.min(maxLevels, maxDepth - 2)
  if (levels < 0) return 0
  if (bytes[0] === 0x7b) return echo(bytes, 0, levels + 1) === bytes.length ? 1 : 0
  if (bytes[0] !== 0x5b) return 0
  let at = 1
  for (let count = 1; count <= maxBatch; count++) {
    at = echo(bytes, at, levels)
    if (at === no) return 0
    if (bytes[at] === 0x5d) return at + 1 === bytes.length ? count : 0
    if (bytes[at++] !== comma) return 0
  }
  return 0
}
