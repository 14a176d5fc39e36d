/**
 * Frames as a client sends them (RFC 6455, section 5.3). The mask key is zero, which the RFC's form allows: the payload
 * stays as it is, so that a frame is built once and sent any number of times. A server does the same work for any key.
 */
import { Opcode } from "./FrameParser.ts"

const maskBit = 0x80

/** One final, masked frame with `payload`. */
export const clientFrame = (opcode: number, payload: Uint8Array): Uint8Array => {
  const size = payload.length
  const header = size < 126 ? 6 : size < 65536 ? 8 : 14
  const frame = new Uint8Array(header + size)
  frame[0] = 0x80 | opcode
  if (header === 6) frame[1] = maskBit | size
  else if (header === 8) {
    frame[1] = maskBit | 126
    frame[2] = size >> 8
    frame[3] = size & 0xff
  } else {
    frame[1] = maskBit | 127
    new DataView(frame.buffer).setBigUint64(2, BigInt(size))
  }
  frame.set(payload, header)
  return frame
}

/** The parts in one buffer, to be written at once. */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/**
 * `table[n]` holds the first `n` of `frames` in one buffer (`table[0]` is empty), so that the answers to a chunk with `n`
 * replies go out in one write.
 */
export const runs = (frames: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> =>
  Array.from({ length: frames.length + 1 }, (_, n) => concat(frames.slice(0, n)))

/** A close frame with `code` and `reason` (at most 123 bytes). */
export const closeFrame = (code: number, reason = ""): Uint8Array => {
  const text = Buffer.from(reason)
  const payload = new Uint8Array(2 + text.length)
  payload[0] = code >> 8
  payload[1] = code & 0xff
  payload.set(text, 2)
  return clientFrame(Opcode.close, payload)
}

/** The code of a close frame's payload; 1005 when it holds none (RFC 6455, section 7.1.5). */
export const closeCode = (buffer: Uint8Array, start: number, end: number): number =>
  end - start >= 2 ? buffer[start]! * 256 + buffer[start + 1]! : 1005
