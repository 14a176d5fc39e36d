/** Frames in forms that our encoders do not write and that have to be read all the same, with the value that they mean. */
import type { Encoding } from "../../../src/wire/index.ts"
import { bin } from "./bytes.ts"

export interface Accepted {
  readonly name: string
  readonly encoding: Encoding
  readonly text?: string
  readonly hex?: string
  readonly value: unknown
}

const json = (name: string, text: string, value: unknown): Accepted => ({ name, encoding: "json", text, value })
const msgpack = (name: string, hex: string, value: unknown): Accepted => ({
  name,
  encoding: "msgpack",
  hex: hex.replaceAll(" ", ""),
  value
})

/** {"type":"ping","id":...} up to the id's value. */
const pingWithId = "82 a474797065 a470696e67 a26964"

export const accepted: ReadonlyArray<Accepted> = [
  json("white space", ' {\t"type"\r\n:\n"ping" , "id" : 1 } \n', { type: "ping", id: 1 }),
  json("type last", '{"id":1,"type":"ping"}', { id: 1, type: "ping" }),
  json("escaped letters", '{"\\u0074ype":"p\\u0069ng"}', { type: "ping" }),
  json("every escape", '{"type":"echo","data":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"}', { type: "echo", data: '"\\/\b\f\n\r\t\0' }),
  json("a surrogate pair, escaped", '{"type":"echo","data":"\\ud83d\\ude00"}', { type: "echo", data: "😀" }),
  json("an integer with a fraction of zero", '{"type":"ping","id":1.0}', { type: "ping", id: 1 }),
  json("an integer with an exponent", '{"type":"ping","id":1e2}', { type: "ping", id: 100 }),
  json("the largest double", '{"type":"echo","data":1.7976931348623157e308}', { type: "echo", data: 1.7976931348623157e308 }),
  json("a number too small for a double", '{"type":"echo","data":1e-400}', { type: "echo", data: 0 }),
  json("a number beyond 2^53 is rounded to a double", '{"type":"echo","data":9007199254740993}', { type: "echo", data: 9007199254740992 }),
  json("of two equal keys the last one counts", '{"type":"echo","data":1,"data":2}', { type: "echo", data: 2 }),
  json("unknown fields", '{"type":"ping","trace":"abc","extra":{"a":[1]}}', { type: "ping", trace: "abc", extra: { a: [1] } }),
  json("__proto__ as a string", '{"type":"echo","data":"__proto__"}', { type: "echo", data: "__proto__" }),
  json("names of Object.prototype as keys", '{"type":"echo","data":{"constructor":1,"toString":2}}', {
    type: "echo",
    data: { constructor: 1, toString: 2 }
  }),

  msgpack("id as positive fixint", `${pingWithId} 05`, { type: "ping", id: 5 }),
  msgpack("id as uint 8", `${pingWithId} cc05`, { type: "ping", id: 5 }),
  msgpack("id as uint 16", `${pingWithId} cd0005`, { type: "ping", id: 5 }),
  msgpack("id as uint 32", `${pingWithId} ce00000005`, { type: "ping", id: 5 }),
  msgpack("id as uint 64", `${pingWithId} cf0000000000000005`, { type: "ping", id: 5 }),
  msgpack("id as int 8", `${pingWithId} d005`, { type: "ping", id: 5 }),
  msgpack("id as int 16", `${pingWithId} d10005`, { type: "ping", id: 5 }),
  msgpack("id as int 32", `${pingWithId} d200000005`, { type: "ping", id: 5 }),
  msgpack("id as int 64", `${pingWithId} d30000000000000005`, { type: "ping", id: 5 }),
  msgpack("id as negative int 64", `${pingWithId} d3fffffffffffffffb`, { type: "ping", id: -5 }),
  msgpack("id as float 32", `${pingWithId} ca40a00000`, { type: "ping", id: 5 }),
  msgpack("id as float 64", `${pingWithId} cb4014000000000000`, { type: "ping", id: 5 }),
  msgpack("the largest integer as uint 64", `${pingWithId} cf001fffffffffffff`, { type: "ping", id: 9007199254740991 }),
  msgpack("the smallest integer as int 64", `${pingWithId} d3ffe0000000000001`, { type: "ping", id: -9007199254740991 }),
  msgpack("a float beyond 2^53", "82 a474797065 a46563686f a464617461 cb4340000000000001", { type: "echo", data: 9007199254740994 }),
  msgpack("str 8", "81 a474797065 d90470696e67", { type: "ping" }),
  msgpack("str 16", "81 da000474797065 a470696e67", { type: "ping" }),
  msgpack("str 32", "81 db0000000474797065 db0000000470696e67", { type: "ping" }),
  msgpack("map 16", "de0001 a474797065 a470696e67", { type: "ping" }),
  msgpack("map 32", "df00000001 a474797065 a470696e67", { type: "ping" }),
  msgpack("array 16", "82 a474797065 a46563686f a464617461 dc000201c0", { type: "echo", data: [1, null] }),
  msgpack("array 32", "82 a474797065 a46563686f a464617461 dd0000000201c3", { type: "echo", data: [1, true] }),
  msgpack("bin 16", "82 a474797065 a46563686f a464617461 c50002beef", { type: "echo", data: bin(0xbe, 0xef) }),
  msgpack("bin 32", "82 a474797065 a46563686f a464617461 c600000002beef", { type: "echo", data: bin(0xbe, 0xef) }),
  msgpack("of two equal keys the last one counts", "83 a474797065 a46563686f a464617461 01 a464617461 02", { type: "echo", data: 2 }),
  msgpack("unknown fields", "82 a474797065 a470696e67 a57472616365 a3616263", { type: "ping", trace: "abc" }),
  msgpack("a byte order mark stays in its string", "82 a474797065 a46563686f a464617461 a4efbbbf61", { type: "echo", data: "\ufeffa" }),
  msgpack("__proto__ as a string", "82 a474797065 a46563686f a464617461 a95f5f70726f746f5f5f", { type: "echo", data: "__proto__" })
]
