import type { ServerMessage, ServerType } from "../wire/Messages.ts"
import type { LinkState } from "./ClientState.ts"
import type { UnknownMessage } from "./UnknownMessage.ts"
import type { WeftError } from "./WeftError.ts"

/** The server's message of type `T`. */
export type ServerMessageOf<T extends ServerType> = Extract<ServerMessage, { readonly type: T }>

/** A message that passed the link, undecided what it is: for logs and for the curious. */
export type Frame = { readonly direction: "in"; readonly message: UnknownMessage } | { readonly direction: "out"; readonly message: object }

/** What `client.on` gives, by name. */
export interface ClientEvents {
  /** Every change of the link. */
  state: LinkState
  /** Every message in and out, heartbeats included, before it is acted on. */
  frame: Frame
  welcome: ServerMessageOf<"welcome">
  message: ServerMessageOf<"message">
  direct: ServerMessageOf<"direct">
  /** The server had to skip messages for this connection. */
  gap: ServerMessageOf<"gap">
  member_joined: ServerMessageOf<"member_joined">
  member_left: ServerMessageOf<"member_left">
  heartbeat: ServerMessageOf<"heartbeat">
  /** An error that answers no request. */
  error: ServerMessageOf<"error">
  bye: ServerMessageOf<"bye">
  /** A room of before the reconnect is joined again. */
  rejoined: ServerMessageOf<"joined">
  /** A room of before could not be joined again and is given up. */
  rejoin_failed: { readonly room: string; readonly error: WeftError }
}
