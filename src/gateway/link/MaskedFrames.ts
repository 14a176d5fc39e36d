import { randomFillSync } from "node:crypto"

/** Frames gather in slabs of this size, which the kernel is given in one piece. */
const slabSize = 65_536

/** Bytes in front of the payload of a frame that is as long as one can be here. */
const head = 8

const random = Buffer.allocUnsafeSlow(8_192)
let spent = random.length

/** Fetched for many frames at once: each call costs more than all the bytes. */
const nextMask = (): number => {
  if (spent === random.length) {
    randomFillSync(random)
    spent = 0
  }
  const mask = random.readInt32LE(spent)
  spent += 4
  return mask
}

let slab = Buffer.allocUnsafeSlow(slabSize)
let used = 0

const nothing = Buffer.alloc(0)

/** The longest payload that a slab takes; a longer one gets memory of its own. */
export const maxPayload = 16_384

export const textFrame = 0x1
export const binaryFrame = 0x2
export const closeFrame = 0x8
export const pingFrame = 0x9
export const pongFrame = 0xa

/** Where the payload of a frame with memory of its own begins: behind the longest head, at whole words. */
const payloadAt = 16

/** One frame of more than `maxPayload` bytes, masked word by word. */
const longFrame = (payload: Uint8Array, opcode: number): Buffer => {
  const { length } = payload
  // Rounded up, so that the last word is whole.
  const frame = Buffer.allocUnsafeSlow(payloadAt + ((length + 3) & ~3))
  frame.set(payload, payloadAt)
  frame.writeInt32LE(nextMask(), payloadAt - 4)
  const words = new Int32Array(frame.buffer)
  const mask = words[payloadAt / 4 - 1] ?? 0
  for (let i = payloadAt / 4; i < words.length; i++) words[i] = (words[i] ?? 0) ^ mask
  const long = length > 0xffff
  const start = payloadAt - 4 - (long ? 10 : 4)
  frame[start] = 0x80 | opcode
  frame[start + 1] = 0x80 | (long ? 127 : 126)
  if (long) frame.writeBigUInt64BE(BigInt(length), start + 2)
  else frame.writeUInt16BE(length, start + 2)
  return frame.subarray(start, payloadAt + length)
}

/**
 * Whole frames of a client, masked (RFC 6455, sections 5.2 and 5.3), one behind the other until they are taken. The slabs
 * are shared: what one backend gets in one turn of the event loop nearly always lies in one piece.
 */
export class MaskedFrames {
  private pieces: Array<Buffer> | undefined = undefined
  private piece: Buffer = nothing
  private start = 0
  private end = 0

  /** Bytes that were not taken yet. */
  size = 0

  /** Adds a frame, whose payload is copied. */
  add(payload: Uint8Array, opcode: number): void {
    const { length } = payload
    if (length > maxPayload) return this.addLong(longFrame(payload, opcode))
    if (used + head + length > slabSize) {
      slab = Buffer.allocUnsafeSlow(slabSize)
      used = 0
    }
    if (this.piece !== slab || this.end !== used) this.begin()
    let at = used
    slab[at++] = 0x80 | opcode
    if (length < 126) slab[at++] = 0x80 | length
    else {
      slab[at++] = 0x80 | 126
      slab[at++] = length >>> 8
      slab[at++] = length & 0xff
    }
    const mask = nextMask()
    const a = mask & 0xff
    const b = (mask >>> 8) & 0xff
    const c = (mask >>> 16) & 0xff
    const d = mask >>> 24
    slab[at++] = a
    slab[at++] = b
    slab[at++] = c
    slab[at++] = d
    const whole = length & ~3
    let i = 0
    for (; i < whole; i += 4) {
      slab[at++] = (payload[i] ?? 0) ^ a
      slab[at++] = (payload[i + 1] ?? 0) ^ b
      slab[at++] = (payload[i + 2] ?? 0) ^ c
      slab[at++] = (payload[i + 3] ?? 0) ^ d
    }
    if (i < length) slab[at++] = (payload[i] ?? 0) ^ a
    if (i + 1 < length) slab[at++] = (payload[i + 1] ?? 0) ^ b
    if (i + 2 < length) slab[at++] = (payload[i + 2] ?? 0) ^ c
    this.size += at - used
    used = at
    this.end = at
  }

  private addLong(frame: Buffer): void {
    this.begin()
    const pieces = (this.pieces ??= [])
    pieces.push(frame)
    this.size += frame.length
  }

  /** Another one has written behind the last frame, or the slab was full. */
  private begin(): void {
    if (this.end > this.start) (this.pieces ??= []).push(this.piece.subarray(this.start, this.end))
    this.piece = slab
    this.start = used
    this.end = used
  }

  /** All frames since the last time, in order. The bytes are the caller's. */
  take(): ReadonlyArray<Buffer> {
    const pieces = this.pieces ?? []
    if (this.end > this.start) pieces.push(this.piece.subarray(this.start, this.end))
    this.pieces = undefined
    // An idle one must not keep a slab in memory.
    this.piece = nothing
    this.start = 0
    this.end = 0
    this.size = 0
    return pieces
  }
}
