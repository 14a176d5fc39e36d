/** The port between a link and the WebSocket of its backend. */
import type { BackendFailure } from "../BackendFailure.ts"
import type { GatewayErrorType } from "../GatewayError.ts"
import type { Frame } from "./ReplayBuffer.ts"

/** How a backend's WebSocket came to its end. */
export interface BackendEnd {
  /** Of its close frame; 1005: the frame had none; 1006: there was no close frame. */
  readonly code: number
  readonly reason: string
  /** What was wrong, if something was. */
  readonly problem: { readonly type: GatewayErrorType; readonly message: string } | undefined
}

/** What a backend tells of itself, on the event loop, one thing at a time. */
export interface BackendHandler {
  /** All messages of one read, in order. Their bytes stay valid. */
  onFrames(frames: ReadonlyArray<Frame>): void
  /** A ping of the backend's own, which has been answered. */
  onPing(): void
  onPong(payload: Uint8Array): void
  /** Once, and nothing follows. */
  onEnd(end: BackendEnd): void
}

/** One open WebSocket to a backend. Nothing is read from it before `start`. */
export interface Backend {
  /** The subprotocol that it chose; empty: none. */
  readonly protocol: string
  start(handler: BackendHandler): void
  /** Sends a message, copying it before it returns. What one turn of the event loop sends leaves in one write. */
  send(bytes: ArrayBuffer | Uint8Array, binary: boolean): void
  /** After everything that was sent before. The backend's pong says that it has read all that. */
  ping(payload: string): void
  /** Bytes that wait for the backend, beyond what the kernel holds. */
  buffered(): number
  /** Stops and resumes reading. */
  pause(): void
  resume(): void
  /** Says goodbye, after all that was sent. `1005` sends a close frame without a code. */
  close(code: number, reason: string): void
  /** Closes at once, without a close frame. */
  terminate(): void
}

/** Why there is no WebSocket: something failed, or the backend said no in HTTP, or the client's headers can go to no backend. */
export type DialFailure =
  | { readonly outcome: "failed"; readonly failure: BackendFailure }
  | { readonly outcome: "unsendable" }
  | {
      readonly outcome: "refused"
      readonly status: number
      readonly headers: ReadonlyArray<readonly [string, string]>
      /** Undefined: it is longer than was asked for. */
      readonly body: Uint8Array | undefined
    }
