import type { ClientMessage, ClientType, ServerMessage, ServerType } from "../wire/Messages.ts"

/** The type of the reply to each type of request. */
export const replyTypes = {
  ping: "pong",
  echo: "echo",
  join_room: "joined",
  leave_room: "left",
  broadcast: "ack",
  send: "ack",
  presence: "presence",
  history: "history",
  status: "status",
  call: "result",
  auth: "ack",
  heartbeat: "ack"
} as const satisfies { readonly [T in ClientType]: ServerType }

type WithoutId<M> = M extends unknown ? Omit<M, "id"> : never

/** What `request` takes: any message of a client, without the `id`, which the client gives it. */
export type Request = WithoutId<ClientMessage>

/** The reply to a request of type `T`. */
export type Reply<T extends ClientType> = Extract<ServerMessage, { readonly type: (typeof replyTypes)[T] }>

/** Whether `message` is the reply that a request of type `type` asks for. The server is trusted for its fields. */
export const isReplyTo = <T extends ClientType>(type: T, message: ServerMessage): message is Reply<T> => message.type === replyTypes[type]
