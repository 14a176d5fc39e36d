import { finite, refuse, wellFormed } from "./refuse.ts"

const utf8 = new TextEncoder()

/** Bytes of the memory that frames are written into, one after the other. */
const pieceSize = 16_384

/** Longer texts go through `TextEncoder`, whose call costs as much as this many characters added by hand. */
const shortText = 64

/** The longest head of a value: one byte that says what it is, and a length or number. */
const longestHead = 9

/**
 * Writes MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), every value in its shortest form.
 *
 * Frames stand one after the other in pieces of memory: a copy with memory of its own would cost more than writing the
 * frame. All of it is a few functions: between two messages of a server the caches forget the code too.
 *
 * Fields that are `undefined` are left out, elsewhere it is null; what has a `toJSON` is what that returns. Throws `CodecError` for
 * what a message can not hold: functions, numbers that are not finite, half of a surrogate pair, more than `maxDepth` levels.
 */
export class MsgpackWriter {
  private readonly maxDepth: number
  private bytes = new Uint8Array(pieceSize)
  private view = new DataView(this.bytes.buffer)
  /** Where the frame begins that is being written, and where its next byte goes. */
  private from = 0
  private at = 0
  private writing = false

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth
  }

  /** The frame is not changed by later calls. It shares its memory with others: one that is kept for long is better copied. */
  write(value: unknown): Uint8Array<ArrayBuffer> {
    const outermost = !this.writing
    const frame = this.writeShared(value)
    if (outermost) this.from = this.at
    return frame
  }

  /** As `write`, but the next call overwrites the frame. */
  writeShared(value: unknown): Uint8Array<ArrayBuffer> {
    // A `toJSON` may write a frame of its own.
    if (this.writing) return new MsgpackWriter(this.maxDepth).write(value)
    this.at = this.from
    this.writing = true
    try {
      this.value(value, 1)
    } finally {
      this.writing = false
    }
    return this.bytes.subarray(this.from, this.at)
  }

  /** Makes room for so many bytes more. A frame that does not fit in what is left of the piece moves to a new one. */
  private reserve(count: number): void {
    const needed = this.at - this.from + count
    if (this.from + needed <= this.bytes.length) return
    const written = this.bytes.subarray(this.from, this.at)
    this.bytes = new Uint8Array(Math.max(pieceSize, needed * 2))
    this.view = new DataView(this.bytes.buffer)
    this.bytes.set(written)
    this.from = 0
    this.at = written.length
  }

  private value(value: unknown, level: number): void {
    if (typeof value === "string") return this.text(value)
    this.reserve(longestHead)
    switch (typeof value) {
      case "number":
        return this.number(value)
      case "boolean":
        this.bytes[this.at++] = value ? 0xc3 : 0xc2
        return
      case "undefined":
        this.bytes[this.at++] = 0xc0
        return
      case "object":
        if (value !== null) return this.object(value, level)
        this.bytes[this.at++] = 0xc0
        return
      default:
        return refuse(`no message can hold a value of the kind ${typeof value}`)
    }
  }

  private object(value: object, level: number): void {
    if (ArrayBuffer.isView(value)) return this.bin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    if (level > this.maxDepth) return refuse(`nested deeper than ${this.maxDepth} levels`)
    if (Array.isArray(value)) return this.array(value, level)
    if ("toJSON" in value && typeof value.toJSON === "function") return this.value(value.toJSON() as unknown, level + 1)
    this.map(value, level)
  }

  /** A head with a length: `short` up to a length of `limit`, else the byte `long`, and those after it for longer lengths. */
  private head(length: number, short: number, limit: number, long: number): void {
    const { bytes, view } = this
    if (length < limit) bytes[this.at++] = short | length
    else if (length < 0x1_0000) {
      bytes[this.at] = long
      view.setUint16(this.at + 1, length)
      this.at += 3
    } else {
      bytes[this.at] = long + 1
      view.setUint32(this.at + 1, length)
      this.at += 5
    }
  }

  private array(value: ReadonlyArray<unknown>, level: number): void {
    this.head(value.length, 0x90, 16, 0xdc)
    for (const item of value) this.value(item, level + 1)
  }

  private map(value: object, level: number): void {
    const keys = Object.keys(value) as Array<keyof typeof value>
    let count = 0
    for (const key of keys) if (value[key] !== undefined) count++
    this.head(count, 0x80, 16, 0xde)
    for (const key of keys) {
      const item: unknown = value[key]
      if (item === undefined) continue
      this.text(key)
      this.value(item, level + 1)
    }
  }

  private bin(value: Uint8Array): void {
    if (value.length < 0x100) {
      this.bytes[this.at++] = 0xc4
      this.bytes[this.at++] = value.length
    } else this.head(value.length, 0, 0, 0xc5)
    this.reserve(value.length)
    this.bytes.set(value, this.at)
    this.at += value.length
  }

  private textHead(length: number): void {
    if (length < 0x20) this.bytes[this.at++] = 0xa0 | length
    else if (length < 0x100) {
      this.bytes[this.at++] = 0xd9
      this.bytes[this.at++] = length
    } else this.head(length, 0, 0, 0xda)
  }

  private text(value: string): void {
    const { length } = value
    if (length > shortText) return this.longText(value)
    this.reserve(longestHead + length)
    const start = this.at
    this.textHead(length)
    const { bytes } = this
    let at = this.at
    for (let i = 0; i < length; i++) {
      const char = value.charCodeAt(i)
      if (char >= 0x80) {
        this.at = start
        return this.longText(value)
      }
      bytes[at++] = char
    }
    this.at = at
  }

  /** Written first where it stands if it is ASCII, for its length in bytes is not known before. */
  private longText(value: string): void {
    // Three bytes for each unit of UTF-16 are enough (https://encoding.spec.whatwg.org/#dom-textencoder-encodeinto).
    this.reserve(longestHead + value.length * 3)
    const start = this.at
    this.textHead(value.length)
    const guessed = this.at
    const { written } = utf8.encodeInto(value, this.bytes.subarray(guessed))
    if (written !== value.length) {
      wellFormed(value)
      this.at = start
      this.textHead(written)
      // The head may have grown over what has been written.
      if (this.at !== guessed) utf8.encodeInto(value, this.bytes.subarray(this.at))
    }
    this.at += written
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value)) return value >= 0 ? this.unsigned(value) : this.negative(value)
    this.bytes[this.at] = 0xcb
    this.view.setFloat64(this.at + 1, finite(value))
    this.at += 9
  }

  private unsigned(value: number): void {
    const { at, bytes, view } = this
    if (value < 0x80) {
      bytes[at] = value
      this.at = at + 1
    } else if (value < 0x100) {
      bytes[at] = 0xcc
      bytes[at + 1] = value
      this.at = at + 2
    } else if (value < 0x1_0000) {
      bytes[at] = 0xcd
      view.setUint16(at + 1, value)
      this.at = at + 3
    } else if (value < 0x1_0000_0000) {
      bytes[at] = 0xce
      view.setUint32(at + 1, value)
      this.at = at + 5
    } else {
      bytes[at] = 0xcf
      view.setUint32(at + 1, value / 0x1_0000_0000)
      view.setUint32(at + 5, value)
      this.at = at + 9
    }
  }

  private negative(value: number): void {
    const { at, bytes, view } = this
    if (value >= -0x20) {
      bytes[at] = 0x100 + value
      this.at = at + 1
    } else if (value >= -0x80) {
      bytes[at] = 0xd0
      view.setInt8(at + 1, value)
      this.at = at + 2
    } else if (value >= -0x8000) {
      bytes[at] = 0xd1
      view.setInt16(at + 1, value)
      this.at = at + 3
    } else if (value >= -0x8000_0000) {
      bytes[at] = 0xd2
      view.setInt32(at + 1, value)
      this.at = at + 5
    } else {
      bytes[at] = 0xd3
      view.setInt32(at + 1, Math.floor(value / 0x1_0000_0000))
      view.setUint32(at + 5, value)
      this.at = at + 9
    }
  }
}
