/** What the mailbox of a link takes. */
import type { Backend, BackendEnd } from "./Backend.ts"
import type { Goodbye } from "./LinkState.ts"
import type { Frame } from "./ReplayBuffer.ts"
import type { SeekOutcome } from "./seek.ts"

/** A message of the client. Only for a link that is idle: the bytes are the transport's. */
export interface ClientFrame {
  readonly type: "frame"
  readonly frame: ArrayBuffer
  readonly binary: boolean
}

export interface ClientClosed {
  readonly type: "client_closed"
  readonly code: number
  readonly reason: string
}

/** What a backend tells; of one that the link has left nothing is of interest. */
export type BackendEvent =
  | { readonly type: "backend_frames"; readonly from: Backend; readonly frames: ReadonlyArray<Frame> }
  | { readonly type: "backend_pong"; readonly from: Backend; readonly payload: Uint8Array }
  | { readonly type: "backend_alive"; readonly from: Backend }
  | { readonly type: "backend_end"; readonly from: Backend; readonly end: BackendEnd }

/** The search for another backend has ended. */
export interface Sought extends SeekOutcome {
  readonly type: "sought"
}

/** The link has to leave its backend: for another one if it may, else the client is told `goodbye`. */
export interface Move {
  readonly type: "move"
  readonly goodbye: Goodbye
}

/** The client has to go. `abrupt`: it is not waited for. */
export interface Close {
  readonly type: "close"
  readonly goodbye: Goodbye
  readonly abrupt?: boolean
}

export type LinkMessage =
  ClientFrame | ClientClosed | BackendEvent | Sought | Move | Close | { readonly type: "alive" | "drained" | "timer" | "mark" }
