/** The port of the two encodings. Free of Node and of Effect at run time, since browsers load it. */

export type Encoding = "json" | "msgpack"

/** How deep values may be nested, unless a codec is told otherwise. */
export const defaultMaxDepth = 64

/** What is not one value of the JSON model within the bounds: a frame, or a value. The text is fit for the sender's eyes. */
export class CodecError extends Error {
  override readonly name = "CodecError"
  /** What the frame holds, where it could be parsed and only the value is at fault. Fit for looking for an `id`, and for nothing else. */
  readonly value: unknown

  constructor(message: string, value?: unknown) {
    super(message)
    this.value = value
  }
}

/** `F` is what a frame of the encoding holds: a text or bytes. */
export interface Codec<F extends string | Uint8Array = string | Uint8Array<ArrayBuffer>> {
  readonly encoding: Encoding
  /** Whether its frames travel as WebSocket binary frames. */
  readonly binary: boolean
  /**
   * Reads exactly one value of the JSON model, MessagePack's bin beside it (as `Bin`). Keeps nothing of `frame`.
   * Throws `CodecError` for anything else: truncated, trailing bytes, nested too deep, a key named `__proto__`.
   */
  decode(frame: Uint8Array): unknown
  /**
   * Writes one value; fields that are `undefined` are left out. The result is the caller's to keep, but bytes may share their
   * memory with others that were written about then: what is kept for long is better copied.
   */
  encode(value: unknown): F
  /** As `encode`, but the result may be overwritten by the next call: for a send that copies at once. */
  encodeShared(value: unknown): F
}

/** Bytes inside a decoded MessagePack value. A JSON client gets them as a base64 string. */
export class Bin extends Uint8Array<ArrayBuffer> {
  toJSON(): string {
    let text = ""
    for (let i = 0; i < this.length; i += 0x8000) text += String.fromCharCode(...this.subarray(i, i + 0x8000))
    return btoa(text)
  }
}
