/** Frames that hold one value, which is no message. The same values in both encodings. */
import { type ClientType, clientMessages, type ErrorCode, type RequestId } from "../../../src/wire/index.ts"
import { bin, packed } from "./bytes.ts"
import type { Malformed } from "./malformed.ts"

interface Refused {
  readonly name: string
  readonly value: unknown
  readonly error: ErrorCode
  readonly id?: RequestId
}

const refused = (name: string, value: unknown, id?: RequestId, error: ErrorCode = "invalid_message"): Refused => ({
  name,
  value,
  error,
  ...(id === undefined ? {} : { id })
})

const unknownType = (type: string): Refused => refused(`unknown type ${JSON.stringify(type)}`, { type, id: 1 }, 1, "unknown_type")

/** A value of every JSON kind, to stand where another kind belongs. */
const kinds: ReadonlyArray<readonly [kind: string, value: unknown]> = [
  ["null", null],
  ["a boolean", true],
  ["an integer", 1],
  ["a fraction", 1.5],
  ["a string", "x"],
  ["an array", []],
  ["a map", {}]
]

const except = (...wanted: ReadonlyArray<string>): ReadonlyArray<readonly [kind: string, value: unknown]> =>
  kinds.filter(([kind]) => !wanted.includes(kind))

const emptyString = ["an empty string", ""] as const
const name = [...except("a string"), emptyString]

const position: ReadonlyArray<readonly [kind: string, value: unknown]> = [
  ...except(),
  ["a map without seq", { epoch: "e" }],
  ["a map without epoch", { seq: 1 }],
  ["a map with a negative seq", { epoch: "e", seq: -1 }],
  ["a map with a fraction as seq", { epoch: "e", seq: 1.5 }],
  ["a map with a string as seq", { epoch: "e", seq: "1" }],
  ["a map with an integer as epoch", { epoch: 1, seq: 1 }],
  ["a map with null as epoch", { epoch: null, seq: 1 }]
]

/** What each field must not be. `data` may be anything. */
const wrong: Readonly<Record<string, ReadonlyArray<readonly [kind: string, value: unknown]>>> = {
  room: name,
  method: name,
  token: name,
  recover: position,
  since: position,
  exclude_self: except("a boolean"),
  key: [...name, ["a string of 129 characters", "k".repeat(129)]],
  limit: [...except("an integer"), ["zero", 0], ["a negative integer", -1]],
  to: [
    ...except(),
    ["a map with an integer as user", { user: 1 }],
    ["a map with an empty user", { user: "" }],
    ["a map with null as connection", { connection: null }],
    ["a map with an empty connection", { connection: "" }],
    ["a map with user and connection", { user: "ann", connection: "c-7f3a" }]
  ]
}

/** A message of each type with all its fields. */
const full: Readonly<Record<ClientType, Readonly<Record<string, unknown>>>> = {
  ping: {},
  echo: { data: 1 },
  join_room: { room: "lobby", recover: { epoch: "e", seq: 1 } },
  leave_room: { room: "lobby" },
  broadcast: { room: "lobby", data: 1, key: "k", exclude_self: true },
  send: { to: { user: "ann" }, data: 1 },
  presence: { room: "lobby" },
  history: { room: "lobby", since: { epoch: "e", seq: 1 }, limit: 10 },
  status: {},
  call: { method: "now", data: 1 },
  auth: { token: "t" },
  heartbeat: {}
}

const required: Readonly<Record<ClientType, ReadonlyArray<string>>> = {
  ping: [],
  echo: ["data"],
  join_room: ["room"],
  leave_room: ["room"],
  broadcast: ["data"],
  send: ["to", "data"],
  presence: ["room"],
  history: ["room"],
  status: [],
  call: ["method"],
  auth: ["token"],
  heartbeat: []
}

const types = Object.keys(clientMessages) as ReadonlyArray<ClientType>

const missing = types.flatMap((type) =>
  required[type].map((field) => {
    const { [field]: _, ...rest } = full[type]
    return refused(`${type} without ${field}`, { type, id: 7, ...rest }, 7)
  })
)

const illTyped = types.flatMap((type) =>
  Object.keys(full[type]).flatMap((field) =>
    (wrong[field] ?? []).map(([kind, value]) =>
      refused(`${type} with ${kind} as ${field}`, { type, id: "q", ...full[type], [field]: value }, "q")
    )
  )
)

const badIds = types.flatMap((type) =>
  [...except("an integer", "a string"), ["2^53 as a float", 2 ** 53] as const, ["65 bytes", "x".repeat(65)] as const].map(([kind, id]) =>
    refused(`${type} with ${kind} as id`, { type, id, ...full[type] })
  )
)

const values: ReadonlyArray<Refused> = [
  refused("null", null),
  refused("true", true),
  refused("an integer", 42),
  refused("a fraction", 0.5),
  refused("a string", "ping"),
  refused("an empty map", {}),
  refused("a map without type", { id: 3, data: 1 }, 3),
  refused("a map with a type in capitals only", { Type: "ping", id: 3 }, 3),
  ...except("a string").map(([kind, type]) => refused(`${kind} as type`, { type, id: 4 }, 4)),
  refused("an array that names a type", { type: ["ping"], id: 4 }, 4),
  refused("an id that can not be repeated, without type", { id: { a: 1 } }),
  refused("33 characters of two bytes as id", { type: "ping", id: "é".repeat(33) }),
  refused("17 characters of four bytes as id", { type: "ping", id: "👋".repeat(17) }),
  ...["", "Ping", " ping", "pong", "welcome", "message", "subscribe"].map(unknownType),
  ...["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf", "__defineGetter__", "prototype"].map(unknownType),
  refused("an unknown type with an id that can not be repeated", { type: "nope", id: 1.5 }, undefined, "unknown_type"),
  refused("an unknown type of 10,000 characters", { type: "x".repeat(10_000) }, undefined, "unknown_type"),
  refused("an unknown type that would be cut inside of a character", { type: `${"x".repeat(63)}👋` }, undefined, "unknown_type"),
  refused("names of Object.prototype as fields", { constructor: 1, toString: 2, hasOwnProperty: 3, id: 5 }, 5),
  ...missing,
  ...illTyped,
  ...badIds
]

const onlyMsgpack: ReadonlyArray<Refused> = [
  refused("bin alone", bin(1, 2, 3)),
  refused("bin as type", { type: bin(0x70, 0x69, 0x6e, 0x67), id: 6 }, 6),
  refused("bin as id", { type: "ping", id: bin(1) }),
  refused("bin as room", { type: "join_room", id: 6, room: bin(1) }, 6),
  refused("bin as token", { type: "auth", id: 6, token: bin(1) }, 6),
  refused("bin as recover", { type: "join_room", id: 6, room: "lobby", recover: bin(1) }, 6)
]

const inJson = ({ name: title, value, ...expected }: Refused): Malformed => ({
  name: title,
  encoding: "json",
  text: JSON.stringify(value),
  ...expected
})
const inMsgpack = ({ name: title, value, ...expected }: Refused): Malformed => ({
  name: title,
  encoding: "msgpack",
  hex: packed(value),
  ...expected
})

export const malformedMessages: ReadonlyArray<Malformed> = [...values.map(inJson), ...[...values, ...onlyMsgpack].map(inMsgpack)]
