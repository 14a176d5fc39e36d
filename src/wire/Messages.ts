/**
 * Every message of the protocol as a schema. The types of the program, the JSON Schema and the AsyncAPI document in
 * `protocol/` all come from here.
 */
import { Schema } from "effect"
import { type ErrorCode, errorCodes } from "./Codes.ts"

const optional = Schema.optionalKey

const utf8 = new TextEncoder()

const Name = Schema.String.check(Schema.isMinLength(1))
const Seq = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Milliseconds = Schema.Int

/** `id` of a request: the reply carries the same. */
export const RequestId = Schema.Union([
  Schema.Int,
  Schema.String.check(
    Schema.makeFilter((id: string) => (id.length <= 16 || utf8.encode(id).length <= 64 ? undefined : "is longer than 64 bytes"), {
      toJsonSchema: () => [{ maxLength: 64 }, true]
    })
  )
])
export type RequestId = typeof RequestId.Type

/** How far a reader of a room with history has come. `epoch` names the numbering, `seq` the place in it. */
export const Position = Schema.Struct({ epoch: Schema.String, seq: Seq })
export type Position = typeof Position.Type

const id = { id: optional(RequestId) }

export const Ping = Schema.Struct({ type: Schema.Literal("ping"), ...id })
export const Echo = Schema.Struct({ type: Schema.Literal("echo"), ...id, data: Schema.Unknown })
export const JoinRoom = Schema.Struct({ type: Schema.Literal("join_room"), ...id, room: Name, recover: optional(Position) })
export const LeaveRoom = Schema.Struct({ type: Schema.Literal("leave_room"), ...id, room: Name })
export const Broadcast = Schema.Struct({
  type: Schema.Literal("broadcast"),
  ...id,
  data: Schema.Unknown,
  room: optional(Name),
  key: optional(Name.check(Schema.isMaxLength(128))),
  exclude_self: optional(Schema.Boolean)
})
export const Send = Schema.Struct({
  type: Schema.Literal("send"),
  ...id,
  to: Schema.Union([Schema.Struct({ user: Name }), Schema.Struct({ connection: Name })], { mode: "oneOf" }),
  data: Schema.Unknown
})
export const PresenceRequest = Schema.Struct({ type: Schema.Literal("presence"), ...id, room: Name })
export const HistoryRequest = Schema.Struct({
  type: Schema.Literal("history"),
  ...id,
  room: Name,
  since: optional(Position),
  limit: optional(Schema.Int.check(Schema.isGreaterThan(0)))
})
export const StatusRequest = Schema.Struct({ type: Schema.Literal("status"), ...id })
export const Call = Schema.Struct({ type: Schema.Literal("call"), ...id, method: Name, data: optional(Schema.Unknown) })
export const Auth = Schema.Struct({ type: Schema.Literal("auth"), ...id, token: Name })
export const ClientHeartbeat = Schema.Struct({ type: Schema.Literal("heartbeat"), ...id })

/** What a client may send, by `type`. */
export const clientMessages = {
  ping: Ping,
  echo: Echo,
  join_room: JoinRoom,
  leave_room: LeaveRoom,
  broadcast: Broadcast,
  send: Send,
  presence: PresenceRequest,
  history: HistoryRequest,
  status: StatusRequest,
  call: Call,
  auth: Auth,
  heartbeat: ClientHeartbeat
} as const

export type ClientMessage = { [K in keyof typeof clientMessages]: (typeof clientMessages)[K]["Type"] }[keyof typeof clientMessages]
export type ClientType = ClientMessage["type"]

/** Who published a message. Absent on what the server API published. */
export const Sender = Schema.Struct({ connection: Schema.String, user: optional(Schema.String) })
export type Sender = typeof Sender.Type

/** One connection in a room, as presence shows it. `since` is the time of its join. */
export const Member = Schema.Struct({
  connection: Schema.String,
  user: optional(Schema.String),
  info: optional(Schema.Unknown),
  since: Milliseconds
})
export type Member = typeof Member.Type

const numbering = { epoch: optional(Schema.String), seq: optional(Seq), prev: optional(Seq) }

export const Message = Schema.Struct({
  type: Schema.Literal("message"),
  room: optional(Schema.String),
  data: Schema.Unknown,
  time: Milliseconds,
  from: optional(Sender),
  ...numbering
})
export type Message = typeof Message.Type

export const Direct = Schema.Struct({
  type: Schema.Literal("direct"),
  data: Schema.Unknown,
  time: Milliseconds,
  from: optional(Sender),
  ...numbering
})
export type Direct = typeof Direct.Type

/** The limits that a client is told at connect. Sizes in bytes, `rate` in messages a second (0: none). */
export const Limits = Schema.Struct({
  message: Schema.Int,
  room_name: Schema.Int,
  rooms: Schema.Int,
  batch: Schema.Int,
  depth: Schema.Int,
  rate: Schema.Number
})
export type LimitsView = typeof Limits.Type

export const Welcome = Schema.Struct({
  type: Schema.Literal("welcome"),
  connection: Schema.String,
  session: Schema.String,
  user: optional(Schema.String),
  node: Schema.String,
  resumed: Schema.Boolean,
  rooms: Schema.Array(Schema.String),
  heartbeat: Schema.Struct({ interval: Schema.Int, timeout: Schema.Int }),
  limits: Limits
})
export type Welcome = typeof Welcome.Type

export const Pong = Schema.Struct({ type: Schema.Literal("pong"), ...id, time: Milliseconds })
export const EchoReply = Schema.Struct({ type: Schema.Literal("echo"), ...id, data: Schema.Unknown })
export const Joined = Schema.Struct({
  type: Schema.Literal("joined"),
  ...id,
  room: Schema.String,
  epoch: Schema.String,
  seq: Seq,
  members: Schema.Int,
  recovered: optional(Schema.Boolean),
  messages: optional(Schema.Array(Message))
})
export const Left = Schema.Struct({ type: Schema.Literal("left"), ...id, room: Schema.String })
export const Ack = Schema.Struct({
  type: Schema.Literal("ack"),
  ...id,
  room: optional(Schema.String),
  epoch: optional(Schema.String),
  seq: optional(Seq),
  delivered: optional(Schema.Int),
  expires_at: optional(Milliseconds)
})
export const PresenceReply = Schema.Struct({
  type: Schema.Literal("presence"),
  ...id,
  room: Schema.String,
  members: Schema.Array(Member)
})
export const HistoryReply = Schema.Struct({
  type: Schema.Literal("history"),
  ...id,
  room: Schema.String,
  epoch: Schema.String,
  seq: Seq,
  messages: Schema.Array(Message)
})
export const StatusReply = Schema.Struct({
  type: Schema.Literal("status"),
  ...id,
  connection: Schema.String,
  session: Schema.String,
  user: optional(Schema.String),
  node: Schema.String,
  rooms: Schema.Array(Schema.String),
  connected_at: Milliseconds,
  expires_at: optional(Milliseconds),
  encoding: Schema.Literals(["json", "msgpack"]),
  time: Milliseconds
})
export const Result = Schema.Struct({ type: Schema.Literal("result"), ...id, data: optional(Schema.Unknown) })
/** `dropped` messages had to be skipped for this connection since the last one it got. */
export const Gap = Schema.Struct({
  type: Schema.Literal("gap"),
  room: optional(Schema.String),
  dropped: Schema.Int.check(Schema.isGreaterThan(0))
})
export const MemberJoined = Schema.Struct({ type: Schema.Literal("member_joined"), room: Schema.String, member: Member })
export const MemberLeft = Schema.Struct({ type: Schema.Literal("member_left"), room: Schema.String, member: Member })
export const Heartbeat = Schema.Struct({ type: Schema.Literal("heartbeat"), time: Milliseconds })
export const ErrorMessage = Schema.Struct({
  type: Schema.Literal("error"),
  ...id,
  code: Schema.Literals(Object.keys(errorCodes) as [ErrorCode, ...Array<ErrorCode>]),
  message: Schema.String,
  retryable: Schema.Boolean
})
export const Bye = Schema.Struct({
  type: Schema.Literal("bye"),
  code: Schema.Int,
  reason: Schema.String,
  reconnect: Schema.Boolean,
  after: optional(Schema.Int)
})

/** What the server may send, by `type`. `echo`, `presence`, `history`, `status` and `heartbeat` answer their namesakes. */
export const serverMessages = {
  welcome: Welcome,
  message: Message,
  direct: Direct,
  gap: Gap,
  member_joined: MemberJoined,
  member_left: MemberLeft,
  heartbeat: Heartbeat,
  error: ErrorMessage,
  bye: Bye,
  pong: Pong,
  echo: EchoReply,
  joined: Joined,
  left: Left,
  ack: Ack,
  presence: PresenceReply,
  history: HistoryReply,
  status: StatusReply,
  result: Result
} as const

export type ServerMessage = { [K in keyof typeof serverMessages]: (typeof serverMessages)[K]["Type"] }[keyof typeof serverMessages]
export type ServerType = ServerMessage["type"]
