/** Reads what a server sends over a WebSocket (RFC 6455, section 5), whatever the pieces that it comes in. */
import { isUtf8 } from "node:buffer"

/** What was wrong with the frames, and the close code that says so to their sender (RFC 6455, section 7.4.1). */
export interface FrameFault {
  readonly code: 1002 | 1007 | 1009
  readonly message: string
}

/** Who is told what the frames say, one thing at a time and in order. */
export interface FrameSink {
  /** A whole message. Its bytes stay valid. */
  onMessage(bytes: Uint8Array, binary: boolean): void
  /** The bytes are lent. */
  onPing(payload: Uint8Array): void
  onPong(payload: Uint8Array): void
  /** A close frame, after which nothing is read any more. `1005`: it has no code. */
  onCloseFrame(code: number, reason: string): void
}

const text = 0x1
const binary = 0x2
const close = 0x8
const ping = 0x9
const pong = 0xa

/** Where in a frame the next byte stands. */
const firstByte = 0
const secondByte = 1
const longLength = 2
const payload = 3
/** After a fault or a close frame. */
const over = 4

/** Bytes that are set aside at once for a message that comes in pieces. What is longer gets its memory as it arrives. */
const firstRoom = 65_536

const nothing = Buffer.alloc(0)

const invalid = (message: string): FrameFault => ({ code: 1002, message: `Invalid WebSocket frame: ${message}` })

const notUtf8: FrameFault = { code: 1007, message: "Invalid WebSocket frame: invalid UTF-8 sequence" }

/** Whether a close frame may hold this code (RFC 6455, section 7.4, and its registry). */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)

/**
 * One connection's reader. A message that lies whole in one piece is passed on where it lies; any other is gathered in memory
 * of its own, so that between pieces nothing is kept of them, and each byte is copied twice at most on average. Fragments are
 * put together. What is gathered is bounded by the limit, and the message that would pass it is refused by its header.
 */
export class FrameReader {
  private readonly maxMessage: number
  private step = firstByte
  /** The first byte of the present frame. */
  private first = 0
  /** Bytes of its length that are still to come. */
  private lengthBytes = 0
  /** Of its payload; `have` of them were in earlier pieces. */
  private length = 0
  private have = 0
  /** The opcode of the message whose fragments are being read; 0: there is none. */
  private fragments = 0
  /** Bytes of the present message, all its frames so far taken together. */
  private total = 0
  /** What is there of it from earlier pieces and fragments: the first `size` bytes. */
  private gathered: Buffer = nothing
  private size = 0
  /** What is there of a control frame from earlier pieces. */
  private control: Buffer = nothing

  /** `maxMessage`: bytes of the largest message. */
  constructor(maxMessage: number) {
    this.maxMessage = maxMessage
  }

  /** Takes the next bytes, and tells of all that they complete. A fault ends the reading, after all that came before it. */
  read(chunk: Buffer, sink: FrameSink): FrameFault | undefined {
    let at = 0
    while (this.step !== over) {
      let fault: FrameFault | undefined
      if (this.step === payload) {
        const from = at
        at = Math.min(chunk.length, from + this.length - this.have)
        if (this.have + at - from < this.length) return this.keep(chunk, from)
        fault = this.frame(chunk, from, at, sink)
      } else {
        const byte = chunk[at++]
        if (byte === undefined) return undefined
        fault = this.header(byte)
      }
      if (fault !== undefined) {
        this.finish()
        return fault
      }
    }
    return undefined
  }

  private finish(): void {
    this.step = over
    this.gathered = nothing
    this.control = nothing
  }

  private header(byte: number): FrameFault | undefined {
    if (this.step === firstByte) {
      this.first = byte
      this.step = secondByte
      return undefined
    }
    if (this.step === secondByte) return this.begin(byte)
    this.length = this.length * 256 + byte
    return --this.lengthBytes === 0 ? this.measured() : undefined
  }

  private begin(byte: number): FrameFault | undefined {
    const { first, fragments } = this
    const opcode = first & 0x0f
    const final = first >= 0x80
    const length = byte & 0x7f
    if ((first & 0x70) !== 0) return invalid("RSV1, RSV2 and RSV3 must be clear")
    if (opcode === text || opcode === binary) {
      if (fragments !== 0) return invalid(`invalid opcode ${opcode}`)
      if (!final) this.fragments = opcode
    } else if (opcode === 0) {
      if (fragments === 0) return invalid("invalid opcode 0")
    } else {
      if (opcode !== close && opcode !== ping && opcode !== pong) return invalid(`invalid opcode ${opcode}`)
      if (!final) return invalid("FIN must be set")
      if (length > 125 || (opcode === close && length === 1)) return invalid(`invalid payload length ${length}`)
    }
    if (byte >= 0x80) return invalid("MASK must be clear")
    this.have = 0
    if (length < 126) {
      this.length = length
      return this.measured()
    }
    this.length = 0
    this.lengthBytes = length === 126 ? 2 : 8
    this.step = longLength
    return undefined
  }

  private measured(): FrameFault | undefined {
    this.step = payload
    if ((this.first & 0x0f) >= close) return undefined
    this.total += this.length
    return this.total > this.maxMessage ? { code: 1009, message: "Max payload size exceeded" } : undefined
  }

  /** Keeps the end of a piece, which is the beginning or the middle of a payload. */
  private keep(chunk: Buffer, from: number): undefined {
    if ((this.first & 0x0f) < close) this.gather(chunk, from, chunk.length)
    else {
      if (this.have === 0) this.control = Buffer.allocUnsafeSlow(this.length)
      chunk.copy(this.control, this.have, from)
    }
    this.have += chunk.length - from
  }

  /** The rest of the present frame's payload is here. */
  private frame(chunk: Buffer, from: number, to: number, sink: FrameSink): FrameFault | undefined {
    this.step = firstByte
    const opcode = this.first & 0x0f
    if (opcode >= close) return this.controlFrame(opcode, this.controlPayload(chunk, from, to), sink)
    const final = this.first >= 0x80
    if (final && this.size === 0) return this.message(chunk.subarray(from, to), sink)
    this.gather(chunk, from, to)
    return final ? this.message(this.gathered.subarray(0, this.size), sink) : undefined
  }

  private message(bytes: Buffer, sink: FrameSink): FrameFault | undefined {
    const kind = this.first & 0x0f || this.fragments
    this.fragments = 0
    this.total = 0
    this.size = 0
    this.gathered = nothing
    if (kind === text && !isUtf8(bytes)) return notUtf8
    sink.onMessage(bytes, kind === binary)
    return undefined
  }

  private gather(chunk: Buffer, from: number, to: number): void {
    const needed = this.size + to - from
    if (needed > this.gathered.length) {
      // Of the last frame it is known how much comes; before it, only that there may be more.
      const final = this.first >= 0x80
      const room = Math.min(final ? this.total : this.maxMessage, Math.max(2 * needed, final ? firstRoom : 0))
      const gathered = Buffer.allocUnsafeSlow(room)
      this.gathered.copy(gathered, 0, 0, this.size)
      this.gathered = gathered
    }
    chunk.copy(this.gathered, this.size, from, to)
    this.size = needed
  }

  private controlPayload(chunk: Buffer, from: number, to: number): Buffer {
    if (this.have === 0) return chunk.subarray(from, to)
    const whole = this.control
    chunk.copy(whole, this.have, from, to)
    this.control = nothing
    return whole
  }

  private controlFrame(opcode: number, bytes: Buffer, sink: FrameSink): FrameFault | undefined {
    if (opcode === ping) sink.onPing(bytes)
    else if (opcode === pong) sink.onPong(bytes)
    else return this.closeFrame(bytes, sink)
    return undefined
  }

  private closeFrame(bytes: Buffer, sink: FrameSink): FrameFault | undefined {
    const code = bytes.length === 0 ? 1005 : bytes.readUInt16BE(0)
    const reason = bytes.subarray(2)
    if (bytes.length > 0 && !isCloseCode(code)) return invalid(`invalid status code ${code}`)
    if (!isUtf8(reason)) return notUtf8
    this.finish()
    sink.onCloseFrame(code, reason.toString())
    return undefined
  }
}
