/** Frames that hold no value of the JSON model: a codec refuses them before anyone looks for a message. */
import type { RequestId } from "../../../src/wire/index.ts"
import { hexOf, packed, utf8Of } from "./bytes.ts"
import type { Generate, Malformed } from "./malformed.ts"

const error = "invalid_message"

const json = (name: string, text: string, note?: string): Malformed => ({
  name,
  encoding: "json",
  text,
  error,
  ...(note === undefined ? {} : { note })
})

/** Parses, and holds a value that is refused: the error says whose it is. */
const jsonWithId = (name: string, id: RequestId, fields: string): Malformed => ({
  ...json(name, `{"type":"echo","id":${JSON.stringify(id)},${fields}}`),
  id
})

const notUtf8 = (name: string, hex: string): Malformed => ({
  name,
  encoding: "json",
  hex: hex.replaceAll(" ", ""),
  error,
  utf8: false
})

const msgpack = (name: string, hex: string, note?: string): Malformed => ({
  name,
  encoding: "msgpack",
  hex: hex.replaceAll(" ", ""),
  error,
  ...(note === undefined ? {} : { note })
})

const generated = (name: string, encoding: "json" | "msgpack", generate: Generate): Malformed => ({ name, encoding, generate, error })

/** Something of everything, so that each of its beginnings breaks off at another place. */
const sample = { type: "broadcast", id: 7, data: { a: [1, "é👋", null, true, -2.5, 70000] } }

const prefixes = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: bytes.length - 1 }, (_, length) => bytes.subarray(0, length + 1))

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const jsonTruncations = prefixes(utf8Of(JSON.stringify(sample))).map((bytes) => {
  const name = `truncated after ${bytes.length} bytes`
  return isUtf8(bytes) ? json(name, new TextDecoder().decode(bytes)) : notUtf8(name, hexOf(bytes))
})

const msgpackTruncations = prefixes(new Uint8Array(Buffer.from(packed(sample), "hex"))).map((bytes) =>
  msgpack(`truncated after ${bytes.length} bytes`, hexOf(bytes))
)

const hex = (text: string): string => hexOf(utf8Of(text))

/** `{"type":"echo","data":` and what follows, in hex. */
const echoText = (data: string): string => hex('{"type":"echo","data":') + data + hex("}")

/** A map of type and data, up to the value of data. */
const echo = "82 a474797065 a46563686f a464617461"
const pingWithId = "82 a474797065 a470696e67 a26964"

const jsonVectors: ReadonlyArray<Malformed> = [
  json("an empty frame", ""),
  json("white space only", " \n"),
  json("a word", "ping"),
  json("no JSON", "{type:ping}"),
  json("single quotes", "{'type':'ping'}"),
  json("a comma after the last field", '{"type":"ping",}'),
  json("a missing comma", '{"type":"ping" "id":1}'),
  json("a comment", '{"type":"ping"} // hello'),
  json("a message and more", '{"type":"ping"}{"type":"ping"}'),
  json("a message and a closing brace", '{"type":"ping"}}'),
  json("brackets that close before they open", "]]][[["),
  json("a byte order mark before the message", '\ufeff{"type":"ping"}'),
  json("NUL after the message", '{"type":"ping"}\u0000'),
  json("NUL inside a string, not escaped", '{"type":"echo","data":"a\u0000b"}'),
  json("a line break inside a string, not escaped", '{"type":"echo","data":"a\nb"}'),
  json("an unknown escape", '{"type":"echo","data":"\\x41"}'),
  json("a short escape", '{"type":"echo","data":"\\u12"}'),
  json("NaN", '{"type":"echo","data":NaN}'),
  json("Infinity", '{"type":"echo","data":Infinity}'),
  json("-Infinity", '{"type":"echo","data":-Infinity}'),
  json("undefined", '{"type":"echo","data":undefined}'),
  json("a number with a leading zero", '{"type":"echo","data":01}'),
  json("a number with a plus", '{"type":"echo","data":+1}'),
  json("a hexadecimal number", '{"type":"echo","data":0x10}'),
  json("a number with nothing behind the point", '{"type":"echo","data":1.}'),
  json("a number that overflows by its exponent", '{"type":"echo","data":1e400}'),
  json("a negative number that overflows", '{"type":"echo","data":[-1E+0309]}'),
  { ...generated("a number of 400 digits", "json", { head: hex('{"type":"echo","data":'), unit: "39", times: 400, tail: "7d" }) },
  json("half of a surrogate pair in a value", '{"type":"echo","data":"\\ud83d"}', "such a string has no UTF-8 form"),
  json("the other half of a surrogate pair", '{"type":"echo","data":["\\ude00 x"]}'),
  json("a surrogate pair the wrong way round", '{"type":"echo","data":"\\ude00\\ud83d"}'),
  json("half of a surrogate pair in a key", '{"type":"echo","data":{"\\ud83d":1}}'),
  json("half of a surrogate pair as id", '{"type":"ping","id":"\\ud83d"}'),
  json("__proto__ as a key", '{"type":"echo","data":1,"__proto__":{"admin":true}}'),
  json("__proto__ as a key, deeper", '{"type":"echo","data":[{"a":{"__proto__":null}}]}'),
  json("__proto__ as a key, escaped", '{"type":"echo","data":{"\\u005f_proto_\\u005F":1}}'),
  json("__proto__ as the only key", '{"__proto__":{"type":"ping"}}'),
  jsonWithId("half of a surrogate pair in a request", 7, '"data":["\\ud83d"]'),
  jsonWithId("half of a surrogate pair in a field that is not known", "a-1", '"data":1,"more":"\\ude00"'),
  jsonWithId("__proto__ as a key in a request", 8, '"data":{"__proto__":[]}'),
  jsonWithId("a number that overflows in a request", 9, '"data":1e999'),
  jsonWithId("65 levels in a request", 10, `"data":${"[".repeat(64)}${"]".repeat(64)}`),
  json("a number that overflows as id", '{"type":"ping","id":1e999}'),
  json("__proto__ that holds an id", '{"type":"ping","__proto__":{"id":1}}'),
  notUtf8("a lone continuation byte", echoText("228022")),
  notUtf8("an overlong form of a slash", echoText("22c0af22")),
  notUtf8("a surrogate in UTF-8", echoText("22eda0bd22")),
  notUtf8("a character beyond U+10FFFF", echoText("22f490808022")),
  notUtf8("a byte that UTF-8 never has", echoText("22ff22")),
  notUtf8("a character that breaks off", echoText("22e282")),
  notUtf8("MessagePack", packed({ type: "ping", id: 200 })),
  notUtf8("UTF-16", "ff fe 7b 00 7d 00"),
  generated("65 levels", "json", { head: "", unit: hex("["), times: 65, tail: hex("]".repeat(65)) }),
  generated("65 levels within a message", "json", {
    head: hex('{"type":"echo","data":'),
    unit: hex('{"a":'),
    times: 64,
    tail: hex(`1${"}".repeat(65)}`)
  }),
  generated("100,000 opening brackets", "json", { head: "", unit: hex("["), times: 100_000, tail: "" }),
  generated("100,000 levels of maps within a message", "json", {
    head: hex('{"type":"echo","data":'),
    unit: hex('{"a":'),
    times: 100_000,
    tail: ""
  }),
  generated("100,000 opening brackets in nested strings' company", "json", {
    head: hex('{"type":"echo","data":["]]]]",'),
    unit: hex('["]",'),
    times: 100_000,
    tail: ""
  })
]

const lengths: ReadonlyArray<readonly [form: string, head: string]> = [
  ["str 8 of 255 bytes", "d9ff"],
  ["str 16 of 65,535 bytes", "daffff"],
  ["str 32 of 4,294,967,295 bytes", "dbffffffff"],
  ["bin 8 of 255 bytes", "c4ff"],
  ["bin 16 of 65,535 bytes", "c5ffff"],
  ["bin 32 of 4,294,967,295 bytes", "c6ffffffff"],
  ["array 16 of 65,535 values", "dcffff"],
  ["array 32 of 4,294,967,295 values", "ddffffffff"],
  ["map 16 of 65,535 fields", "deffff"],
  ["map 32 of 4,294,967,295 fields", "dfffffffff"],
  ["map 32 of 2,147,483,648 fields", "df80000000"]
]

const extensions: ReadonlyArray<readonly [form: string, bytes: string]> = [
  ["fixext 1", "d40100"],
  ["fixext 2", "d5010000"],
  ["fixext 4, a timestamp", "d6ff5f000000"],
  ["fixext 8, a timestamp", "d7ff0000000000000000"],
  ["fixext 16", "d80100000000000000000000000000000000"],
  ["ext 8", "c70101ff"],
  ["ext 16", "c8000101ff"],
  ["ext 32", "c90000000101ff"]
]

const keys: ReadonlyArray<readonly [kind: string, key: string]> = [
  ["an integer", "01"],
  ["a negative integer", "ff"],
  ["nil", "c0"],
  ["a boolean", "c3"],
  ["a float", "cb3ff0000000000000"],
  ["bin", "c40161"],
  ["an array", "90"],
  ["a map", "80"]
]

const msgpackVectors: ReadonlyArray<Malformed> = [
  msgpack("an empty frame", ""),
  msgpack("the byte that is never used", "c1"),
  msgpack("the byte that is never used, as a value", `${echo} c1`),
  msgpack("a map that promises more fields than there are", "83 a474797065 a470696e67"),
  msgpack("a message and one byte more", "81 a474797065 a470696e67 c0"),
  msgpack("two messages", "81 a474797065 a470696e67 81 a474797065 a470696e67"),
  ...lengths.flatMap(([form, head]) => [msgpack(`${form}, alone`, head), msgpack(`${form}, as a value`, `${echo} ${head} 00`)]),
  ...extensions.map(([form, bytes]) => msgpack(form, `${echo} ${bytes}`)),
  ...keys.map(([kind, key]) => msgpack(`${kind} as a key`, `82 a474797065 a470696e67 ${key} 01`)),
  msgpack("NaN as float 64", `${echo} cb7ff8000000000000`),
  msgpack("NaN as float 32", `${echo} ca7fc00000`),
  msgpack("infinity as float 64", `${echo} cb7ff0000000000000`),
  msgpack("negative infinity as float 64", `${echo} cbfff0000000000000`),
  msgpack("infinity as float 32", `${echo} ca7f800000`),
  msgpack("2^53 as uint 64", `${pingWithId} cf0020000000000000`, "a double holds it, but not the integers around it"),
  msgpack("2^64 - 1 as uint 64", `${echo} cfffffffffffffffff`),
  msgpack("-2^53 as int 64", `${echo} d3ffe0000000000000`),
  msgpack("-2^63 as int 64", `${echo} d38000000000000000`),
  msgpack("a lone continuation byte in a string", `${echo} a180`),
  msgpack("an overlong form of a slash", `${echo} a2c0af`),
  msgpack("a surrogate in a string", `${echo} a3eda0bd`),
  msgpack("a character beyond U+10FFFF", `${echo} a4f4908080`),
  msgpack("a byte that UTF-8 never has", `${echo} a1ff`),
  msgpack("a character that breaks off at the end of its string", `${echo} a2e282`),
  msgpack("a key that is not UTF-8", `82 a474797065 a470696e67 a1ff 01`),
  msgpack("a type that is not UTF-8", `81 a474797065 a4ff696e67`),
  {
    ...generated("a long string that is not UTF-8", "msgpack", {
      head: "82a474797065a46563686fa464617461da012c",
      unit: "61",
      times: 299,
      tail: "ff"
    })
  },
  msgpack("__proto__ as a key", `82 a474797065 a470696e67 a95f5f70726f746f5f5f 80`),
  msgpack("__proto__ as a key, deeper", `${echo} 91 81 a95f5f70726f746f5f5f c0`),
  msgpack("__proto__ as a key, as str 8", `${echo} 81 d9095f5f70726f746f5f5f c0`),
  msgpack("__proto__ as a key, as str 32", `${echo} 81 db000000095f5f70726f746f5f5f c0`),
  msgpack("JSON", hex('{"type":"ping"}')),
  generated("65 levels", "msgpack", { head: "", unit: "91", times: 65, tail: "c0" }),
  generated("65 levels within a message", "msgpack", { head: echo.replaceAll(" ", ""), unit: "81a161", times: 64, tail: "c0" }),
  generated("100,000 levels of arrays", "msgpack", { head: "", unit: "91", times: 100_000, tail: "c0" }),
  generated("100,000 levels of arrays that break off", "msgpack", { head: "", unit: "91", times: 100_000, tail: "" }),
  generated("100,000 levels of maps within a message", "msgpack", {
    head: echo.replaceAll(" ", ""),
    unit: "81a161",
    times: 100_000,
    tail: "c0"
  }),
  generated("100,000 levels of the longest array head", "msgpack", { head: "", unit: "dd00000001", times: 100_000, tail: "c0" })
]

export const malformedCodec: ReadonlyArray<Malformed> = [...jsonVectors, ...jsonTruncations, ...msgpackVectors, ...msgpackTruncations]
