import type { ServerMessage, ServerType } from "../wire/Messages.ts"
import type { ServerMessageOf } from "./Events.ts"
import type { UnknownMessage } from "./UnknownMessage.ts"

const known: { readonly [T in ServerType]: true } = {
  welcome: true,
  message: true,
  direct: true,
  gap: true,
  member_joined: true,
  member_left: true,
  heartbeat: true,
  error: true,
  bye: true,
  pong: true,
  echo: true,
  joined: true,
  left: true,
  ack: true,
  presence: true,
  history: true,
  status: true,
  result: true
}

const isMessage = (value: unknown): value is UnknownMessage =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

/** The messages of one decoded frame: one, or an array of them (`weft.batch`). Undefined if it holds anything else. */
export const messagesOf = (frame: unknown): ReadonlyArray<UnknownMessage> | undefined => {
  if (isMessage(frame)) return [frame]
  return Array.isArray(frame) && frame.every(isMessage) ? frame : undefined
}

/** Whether the type is one of this protocol version. The server is trusted for the fields of its messages. */
export const isServerMessage = (message: UnknownMessage | ServerMessage): message is ServerMessage => Object.hasOwn(known, message.type)

/** Whether a `welcome` has the fields that the client itself acts on. */
export const isUsable = ({ connection, session, rooms, heartbeat }: ServerMessageOf<"welcome">): boolean =>
  typeof connection === "string" && typeof session === "string" && Array.isArray(rooms) && typeof heartbeat?.timeout === "number"
