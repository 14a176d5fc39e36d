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
   * Set where the bytes are not UTF-8, so that a WebSocket text frame can not carry them: the connection fails with this
   * close code before anybody decodes (RFC 6455, section 8.1).
   */
  readonly text_frame_closes?: number
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
