/** Which values a message may hold, whoever made them. Free of Node and of Effect at run time, since browsers load it. */
import { Bin } from "./Codec.ts"
import { finite, refuse, wellFormed } from "./refuse.ts"

const binOf = (bytes: Uint8Array): Bin => {
  if (bytes instanceof Bin) return bytes
  const bin = new Bin(new ArrayBuffer(bytes.length))
  bin.set(bytes)
  return bin
}

/** `Map`, `Error` and the like: what the language says that an object is. */
const kindOf = (value: object): string => Object.prototype.toString.call(value).slice("[object ".length, -1)

/** Objects whose fields are all there is to them; those of a class of the program's own too. */
const isFields = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || kindOf(value) === "Object"
}

const fromToJson = (value: object): unknown => {
  if (value instanceof Uint8Array) return value
  if (value instanceof Date && Number.isNaN(value.getTime())) return refuse("an invalid date is no value")
  return "toJSON" in value && typeof value.toJSON === "function" ? (value.toJSON() as unknown) : value
}

const container = (value: object, level: number, maxDepth: number): Array<unknown> | Record<string, unknown> => {
  if (level > maxDepth) return refuse(`nested deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) {
    const array: Array<unknown> = []
    for (let i = 0; i < value.length; i++) array.push(convert(value[i], level + 1, maxDepth))
    return array
  }
  if (!isFields(value)) return refuse(`no message can hold a value of the kind ${kindOf(value)}`)
  const map: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (key === "__proto__") return refuse("a key must not be named __proto__")
    const item: unknown = value[key as keyof typeof value]
    if (item !== undefined) map[wellFormed(key)] = convert(item, level + 1, maxDepth)
  }
  return map
}

const convert = (value: unknown, level: number, maxDepth: number): unknown => {
  switch (typeof value) {
    case "string":
      return wellFormed(value)
    case "number":
      return finite(value)
    case "boolean":
      return value
    case "undefined":
      return null
    case "object": {
      if (value === null) return null
      const given = fromToJson(value)
      if (given instanceof Uint8Array) return binOf(given)
      return typeof given === "object" && given !== null ? container(given, level, maxDepth) : convert(given, level, maxDepth)
    }
    default:
      return refuse(`no message can hold a value of the kind ${typeof value}`)
  }
}

/**
 * The value as both codecs can write it and every client can read it: the JSON model and `Bin`, at most `maxDepth` levels
 * of arrays and maps. It shares no array or map with `value`.
 *
 * As for `JSON.stringify`, `undefined` becomes null, or leaves its field out; what has a `toJSON` is what that returns, so that a
 * `Date` becomes its ISO text; and an object of a class becomes its own fields. Unlike there, bytes stay bytes (`Bin`), and
 * nothing is lost in silence.
 *
 * Throws `CodecError`, with a text that repeats nothing of the value: nested too deep, as everything is that holds itself; a
 * number that is not finite; a string or key with half of a surrogate pair, which has no UTF-8 form; a key named
 * `__proto__`, which would turn into a prototype where maps are copied carelessly; an invalid `Date`; and what is no value of
 * the JSON model, such as a bigint, a function, a `Map` or an `Error`. What getters and `toJSON` throw is let through.
 */
export const toWireValue = (value: unknown, maxDepth: number): unknown => convert(value, 1, maxDepth)
