/** What a connection's mailbox takes: what its client sent, and what the rest of the server tells it. */
import type { RoomReply } from "../room/RoomMessages.ts"
import type { Identity } from "../auth/Auth.ts"
import type { CloseCode } from "../wire/Codes.ts"
import type { Refusal } from "../wire/Decode.ts"
import type { ClientMessage, Direct, Message, ServerMessage } from "../wire/Messages.ts"

/** The client sent something that is no message. */
export interface Malformed {
  readonly type: "@malformed"
  readonly offence: "undecodable" | "invalid"
  readonly refusal: Refusal
}

/** The client sent more than a frame may hold. */
export interface Oversized {
  readonly type: "@oversized"
  readonly limit: number
}

/** A frame of `count` echoes that is its own reply. Only for a connection that is idle: the bytes are the transport's. */
export interface Echoes {
  readonly type: "@echoes"
  readonly count: number
  readonly frame: ArrayBuffer
}

/** A message to this connection alone, or to all connections of its user. */
export interface DirectDelivery {
  readonly type: "@direct"
  readonly direct: Direct | Message
}

/** A call or a refresh of the token has ended. */
export interface Settled {
  readonly type: "@settled"
  readonly reply: ServerMessage
  /** A refreshed identity, where the request was `auth`. */
  readonly identity?: Identity
}

/** The connection has to go: told with `bye`, then closed. */
export interface Disconnect {
  readonly type: "@disconnect"
  readonly code: CloseCode
  readonly reason: string
  /** When to come back, in milliseconds from now. */
  readonly after?: number
  /** Not to be waited for: the socket is closed without a close frame. */
  readonly abrupt?: boolean
}

/** `onTimer` has something to decide; the socket has room again; the socket is gone. */
export interface Event {
  readonly type: "@timer" | "@drained" | "@closed"
}

export const timerEvent: Event = { type: "@timer" }
export const drainedEvent: Event = { type: "@drained" }
export const closedEvent: Event = { type: "@closed" }

/** A client can not send a type that begins with @: the schemas know their types. */
export type ConnectionMessage = ClientMessage | Malformed | Oversized | Echoes | DirectDelivery | Settled | Disconnect | Event | RoomReply
