/** The form of a malformed vector, and the whole list by section. */
import type { Encoding, ErrorCode, RequestId } from "../../../src/wire/index.ts"

/** A frame too large to store: `head`, `times` times `unit`, `tail`, each as hex. */
export interface Generate {
  readonly head: string
  readonly unit: string
  readonly times: number
  readonly tail: string
}

/** The bytes of a frame, in one of three ways. */
export interface FrameBytes {
  /** UTF-8 text. */
  readonly text?: string
  readonly hex?: string
  readonly generate?: Generate
}

/** A frame that gets exactly one `error`. */
export interface Malformed extends FrameBytes {
  readonly name: string
  readonly encoding: Encoding
  readonly error: ErrorCode
  /** The `id` that the error carries. Absent: it carries none. */
  readonly id?: RequestId
  /**
   * False: the bytes are not UTF-8. In a text frame WebSocket itself refuses them and the connection fails, without an
   * `error` (RFC 6455, section 8.1: 1007; uWebSockets.js cuts it, which clients see as 1006).
   */
  readonly utf8?: false
  readonly note?: string
}

/** What a frame of several messages is answered with, in order. */
export interface Reply {
  readonly type: string
  readonly id?: RequestId
  readonly code?: ErrorCode
}

export interface MalformedFrame extends FrameBytes {
  readonly name: string
  readonly encoding: Encoding
  readonly replies: ReadonlyArray<Reply>
  readonly note?: string
}
