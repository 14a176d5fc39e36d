/**
 * Incremental parser of the frames that a WebSocket server sends (RFC 6455, section 5). It reads headers and hands on
 * payloads where they lie; only a frame that a chunk cuts in two is copied. No IO.
 */

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Takes each frame. `buffer[start, end)` is the payload and valid only during the call. */
export type OnFrame = (opcode: number, fin: boolean, buffer: Uint8Array, start: number, end: number) => void

/** The bytes are no WebSocket frames that a server may send. The connection is to be given up. */
export class FrameError extends Error {}

const check = (b0: number, b1: number): void => {
  const opcode = b0 & 0x0f
  if ((b0 & 0x70) !== 0) throw new FrameError("a reserved bit is set and no extension was agreed on")
  if ((b1 & 0x80) !== 0) throw new FrameError("the server sent a masked frame")
  if (opcode > 10 || (opcode > 2 && opcode < 8)) throw new FrameError(`unknown opcode ${opcode}`)
  if (opcode >= 8 && ((b0 & 0x80) === 0 || (b1 & 0x7f) > 125)) throw new FrameError("a control frame is fragmented or too long")
}

const headerSize = (b1: number): number => ((b1 & 0x7f) === 126 ? 4 : (b1 & 0x7f) === 127 ? 10 : 2)

export class FrameParser {
  readonly #onFrame: OnFrame
  readonly #maxPayload: number
  /** The bytes so far of a frame that is not complete: the header alone until its length is known, then the whole frame. */
  #partial: Uint8Array | undefined
  #have = 0
  #total = 0

  /** `maxPayload` in bytes: a longer frame throws `FrameError` as soon as its header is known. */
  constructor(onFrame: OnFrame, maxPayload = 64 * 1024 * 1024) {
    this.#onFrame = onFrame
    this.#maxPayload = maxPayload
  }

  /** Takes the next `length` bytes of the stream, in chunks of any size. Throws `FrameError`. */
  push(chunk: Uint8Array, length = chunk.length): void {
    let at = this.#partial === undefined ? 0 : this.#resume(chunk, length)
    while (length - at >= 2) {
      const b0 = chunk[at]!
      const b1 = chunk[at + 1]!
      // The common frame, unfragmented text or binary with a short length, needs no other test.
      if ((b0 !== 0x81 && b0 !== 0x82) || b1 >= 0x80) check(b0, b1)
      let size = b1
      let start = at + 2
      if (b1 >= 126) {
        start = at + headerSize(b1)
        if (start > length) break
        size = this.#payloadSize(chunk, at)
      }
      const end = start + size
      if (end > length) break
      this.#onFrame(b0 & 0x0f, b0 >= 0x80, chunk, start, end)
      at = end
    }
    if (at < length) this.#keep(chunk, at, length)
  }

  #payloadSize(bytes: Uint8Array, at: number): number {
    const b1 = bytes[at + 1]!
    let size = b1
    if (b1 === 126) size = bytes[at + 2]! * 256 + bytes[at + 3]!
    else if (b1 === 127) {
      size = 0
      for (let i = 2; i < 10; i++) size = size * 256 + bytes[at + i]!
    }
    if (size > this.#maxPayload) throw new FrameError(`a frame of ${size} bytes is over the limit of ${this.#maxPayload}`)
    return size
  }

  #keep(chunk: Uint8Array, at: number, length: number): void {
    this.#partial = new Uint8Array(10)
    this.#have = 0
    this.#total = 0
    this.#resume(chunk.subarray(at, length), length - at)
  }

  /** Completes the partial frame from the front of `chunk` as far as it goes; returns how many bytes it took. */
  #resume(chunk: Uint8Array, length: number): number {
    let at = 0
    while (this.#total === 0) {
      const header = this.#partial!
      if (this.#have >= 2 && this.#have >= headerSize(header[1]!)) {
        check(header[0]!, header[1]!)
        this.#total = headerSize(header[1]!) + this.#payloadSize(header, 0)
        this.#partial = new Uint8Array(this.#total)
        this.#partial.set(header.subarray(0, this.#have))
        break
      }
      if (at === length) return at
      header[this.#have++] = chunk[at++]!
    }
    const frame = this.#partial!
    const take = Math.min(this.#total - this.#have, length - at)
    frame.set(chunk.subarray(at, at + take), this.#have)
    this.#have += take
    at += take
    if (this.#have === this.#total) {
      this.#partial = undefined
      this.#onFrame(frame[0]! & 0x0f, frame[0]! >= 0x80, frame, headerSize(frame[1]!), this.#total)
    }
    return at
  }
}
