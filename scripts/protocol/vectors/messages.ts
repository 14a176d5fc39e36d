/** The messages of the golden vectors: for each type the least that it needs, everything it may have, and odd values. */
import type { ClientMessage, ServerMessage } from "../../../src/wire/index.ts"
import { bin } from "./bytes.ts"

export type Case<M> = readonly [name: string, message: M]

/** One of each kind of value that a message may carry. */
const everyKind: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  false: false,
  integers: [0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 9007199254740991],
  negatives: [-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, -9007199254740991],
  fractions: [0.5, -2.25, 3.141592653589793, 1e300, 5e-324],
  strings: [
    "",
    "a",
    "a string of more than thirty-one bytes, which needs a longer head",
    "é",
    "中文",
    "👋🏽",
    "line\nbreak",
    "\u0000",
    '"\\/'
  ],
  arrays: [[], [[]], [1, "two", [3]]],
  maps: [{}, { "": "empty key" }, { constructor: 1, toString: 2, hasOwnProperty: 3, "a b": 4, ключ: 5 }]
}

const time = 1764000000000
const epoch = "Zx81k"

export const clientCases: ReadonlyArray<Case<ClientMessage>> = [
  ["ping", { type: "ping" }],
  ["ping with an integer id", { type: "ping", id: 1 }],
  ["ping with id 0", { type: "ping", id: 0 }],
  ["ping with a negative id", { type: "ping", id: -7 }],
  ["ping with the largest id", { type: "ping", id: 9007199254740991 }],
  ["ping with the smallest id", { type: "ping", id: -9007199254740991 }],
  ["ping with a string id", { type: "ping", id: "a1" }],
  ["ping with an empty id", { type: "ping", id: "" }],
  ["ping with an id of 64 bytes", { type: "ping", id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }],
  ["ping with an id of 64 bytes in 16 characters", { type: "ping", id: "👋👋👋👋👋👋👋👋👋👋👋👋👋👋👋👋" }],
  ["echo of null", { type: "echo", data: null }],
  ["echo of a string, with id", { type: "echo", id: 2, data: "hello" }],
  ["echo of every kind of value", { type: "echo", id: "kinds", data: everyKind }],
  ["echo of bin", { type: "echo", id: 3, data: bin(0, 1, 127, 128, 255) }],
  ["echo of empty bin", { type: "echo", id: 4, data: { bytes: [bin()] } }],
  ["join_room", { type: "join_room", room: "lobby" }],
  ["join_room with recover", { type: "join_room", id: 5, room: "lobby", recover: { epoch, seq: 41 } }],
  ["join_room, recover from the beginning", { type: "join_room", id: 6, room: "chat:42", recover: { epoch: "", seq: 0 } }],
  ["join_room with a name that is not ASCII", { type: "join_room", id: "j", room: "комната/部屋" }],
  ["leave_room", { type: "leave_room", room: "lobby" }],
  ["leave_room with id", { type: "leave_room", id: 7, room: "lobby" }],
  ["broadcast to everyone", { type: "broadcast", data: { notice: "restart at noon" } }],
  ["broadcast to a room", { type: "broadcast", id: 8, room: "lobby", data: { text: "hello" } }],
  ["broadcast with all fields", { type: "broadcast", id: "b-1", room: "lobby", data: [1, 2, 3], key: "order-17", exclude_self: true }],
  ["broadcast of bin", { type: "broadcast", id: 9, room: "lobby", data: { name: "pixel.gif", bytes: bin(71, 73, 70, 56) } }],
  ["broadcast that includes its sender", { type: "broadcast", room: "lobby", data: false, exclude_self: false }],
  ["send to a user", { type: "send", to: { user: "ann" }, data: "hi" }],
  ["send to a user, with id", { type: "send", id: 10, to: { user: "ann" }, data: { text: "hi" } }],
  ["send to a connection", { type: "send", id: 11, to: { connection: "c-7f3a" }, data: null }],
  ["presence", { type: "presence", room: "lobby" }],
  ["presence with id", { type: "presence", id: 12, room: "lobby" }],
  ["history", { type: "history", room: "lobby" }],
  ["history with all fields", { type: "history", id: 13, room: "lobby", since: { epoch, seq: 40 }, limit: 100 }],
  ["status", { type: "status" }],
  ["status with id", { type: "status", id: 14 }],
  ["call without data", { type: "call", method: "now" }],
  ["call with all fields", { type: "call", id: 15, method: "math.add", data: { a: 1, b: 2 } }],
  ["auth", { type: "auth", token: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl" }],
  ["auth with id", { type: "auth", id: 16, token: "t" }],
  ["heartbeat", { type: "heartbeat" }],
  ["heartbeat with id", { type: "heartbeat", id: 17 }]
]

const limits = { message: 524288, room_name: 128, rooms: 128, batch: 64, depth: 64, rate: 0 }
const heartbeat = { interval: 30000, timeout: 60000 }
const ann = { connection: "c-7f3a", user: "ann" }

export const serverCases: ReadonlyArray<Case<ServerMessage>> = [
  [
    "welcome",
    { type: "welcome", connection: "c-7f3a", session: "s-91", node: "node-a1b2c3", resumed: false, rooms: [], heartbeat, limits }
  ],
  [
    "welcome with all fields, resumed",
    {
      type: "welcome",
      connection: "c-7f3a",
      session: "s-91",
      user: "ann",
      node: "node-a1b2c3",
      resumed: true,
      rooms: ["lobby", "部屋"],
      heartbeat,
      limits: { ...limits, rate: 12.5 }
    }
  ],
  ["message to everyone, from the server API", { type: "message", data: "restart at noon", time }],
  ["message in a room without history", { type: "message", room: "lobby", data: { text: "hello" }, time, from: { connection: "c-7f3a" } }],
  ["message in a room with history", { type: "message", room: "lobby", data: null, time, from: ann, epoch, seq: 42, prev: 41 }],
  ["message with bin", { type: "message", room: "lobby", data: { bytes: bin(71, 73, 70, 56) }, time, from: ann }],
  ["message with every kind of value", { type: "message", room: "комната", data: everyKind, time, from: ann }],
  ["direct from the server API", { type: "direct", data: 1, time }],
  ["direct with all fields", { type: "direct", data: { text: "hi" }, time, from: ann, epoch, seq: 7, prev: 5 }],
  ["direct with bin", { type: "direct", data: bin(255), time, from: { connection: "c-1" } }],
  ["gap in what is not of a room", { type: "gap", dropped: 1 }],
  ["gap in a room", { type: "gap", room: "lobby", dropped: 750 }],
  ["member_joined", { type: "member_joined", room: "lobby", member: { connection: "c-7f3a", since: time } }],
  [
    "member_joined with all fields",
    {
      type: "member_joined",
      room: "lobby",
      member: { connection: "c-7f3a", user: "ann", info: { name: "Ann", color: "#f60" }, since: time }
    }
  ],
  ["member_left", { type: "member_left", room: "lobby", member: { connection: "c-7f3a", since: time } }],
  [
    "member_left with all fields",
    { type: "member_left", room: "lobby", member: { connection: "c-7f3a", user: "ann", info: [1], since: time } }
  ],
  ["heartbeat", { type: "heartbeat", time }],
  ["error without id", { type: "error", code: "invalid_message", message: "the frame is not JSON", retryable: false }],
  ["error with an integer id", { type: "error", id: 8, code: "not_in_room", message: "join the room first", retryable: false }],
  ["error with a string id, worth a retry", { type: "error", id: "b-1", code: "unavailable", message: "try again", retryable: true }],
  ["bye", { type: "bye", code: 4403, reason: "disconnected by the server", reconnect: false }],
  ["bye with after", { type: "bye", code: 1001, reason: "going away", reconnect: true, after: 2750 }],
  ["pong", { type: "pong", time }],
  ["pong with id", { type: "pong", id: 1, time }],
  ["echo", { type: "echo", data: null }],
  ["echo with id", { type: "echo", id: "kinds", data: everyKind }],
  ["echo of bin", { type: "echo", id: 3, data: bin(0, 1, 127, 128, 255) }],
  ["joined, without history", { type: "joined", room: "lobby", epoch: "", seq: 0, members: 1 }],
  ["joined, with history", { type: "joined", id: 5, room: "lobby", epoch, seq: 42, members: 3 }],
  [
    "joined with all fields",
    {
      type: "joined",
      id: 5,
      room: "lobby",
      epoch,
      seq: 42,
      members: 3,
      recovered: true,
      messages: [{ type: "message", room: "lobby", data: { text: "missed" }, time, from: ann, epoch, seq: 42, prev: 41 }]
    }
  ],
  ["joined, not recovered", { type: "joined", id: 6, room: "lobby", epoch: "", seq: 0, members: 2, recovered: false }],
  ["left", { type: "left", room: "lobby" }],
  ["left with id", { type: "left", id: 7, room: "lobby" }],
  ["ack", { type: "ack" }],
  ["ack of a heartbeat", { type: "ack", id: 17 }],
  ["ack of a broadcast, without history", { type: "ack", id: 8, room: "lobby" }],
  ["ack of a broadcast, with history", { type: "ack", id: "b-1", room: "lobby", epoch, seq: 43 }],
  ["ack of a send", { type: "ack", id: 10, delivered: 2 }],
  ["ack of auth", { type: "ack", id: 16, expires_at: time }],
  ["presence of nobody", { type: "presence", room: "lobby", members: [] }],
  [
    "presence",
    {
      type: "presence",
      id: 12,
      room: "lobby",
      members: [
        { connection: "c-7f3a", user: "ann", info: { name: "Ann" }, since: time },
        { connection: "c-81", since: time + 1 }
      ]
    }
  ],
  ["history of nothing", { type: "history", room: "lobby", epoch, seq: 0, messages: [] }],
  [
    "history",
    {
      type: "history",
      id: 13,
      room: "lobby",
      epoch,
      seq: 43,
      messages: [
        { type: "message", room: "lobby", data: 1, time, from: ann, epoch, seq: 42, prev: 41 },
        { type: "message", room: "lobby", data: 2, time: time + 5, epoch, seq: 43, prev: 42 }
      ]
    }
  ],
  [
    "status",
    {
      type: "status",
      connection: "c-7f3a",
      session: "s-91",
      node: "node-a1b2c3",
      rooms: [],
      connected_at: time,
      encoding: "json",
      time: time + 60
    }
  ],
  [
    "status with all fields",
    {
      type: "status",
      id: 14,
      connection: "c-7f3a",
      session: "s-91",
      user: "ann",
      node: "node-a1b2c3",
      rooms: ["@ann", "lobby"],
      connected_at: time,
      expires_at: time + 3600000,
      encoding: "msgpack",
      time: time + 60
    }
  ],
  ["result of nothing", { type: "result", id: 15, data: null }],
  ["result", { type: "result", id: 15, data: { sum: 3 } }],
  ["result without data", { type: "result" }]
]
