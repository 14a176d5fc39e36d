import { Bin } from "./Codec.ts"
import { finite, refuse } from "./refuse.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const safe = (value: number): number => (Number.isSafeInteger(value) ? value : refuse("an integer is beyond 2^53 - 1"))

/** Keys repeat from message to message; those up to this long are kept, one for each value of a small hash. */
const cachedKeyLength = 16
/** Longer strings go through `TextDecoder`, whose call costs as much as this many characters added by hand. */
const shortText = 48

/**
 * Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) in one pass: a value is built while its
 * bytes are checked. No length is believed: strings and bin have to be there, arrays and maps grow with what comes, so
 * that a frame of five bytes can not ask for four billion places. Every valid form of a value is taken, also those that
 * are longer than need be.
 *
 * Throws `CodecError` for what is truncated, followed by more bytes, nested deeper than `maxDepth`, or outside of the
 * JSON model: extensions, keys that are no strings, NaN and infinities, integers that a double can not hold.
 */
export class MsgpackReader {
  private readonly maxDepth: number
  private readonly keys = new Array<string | undefined>(256)
  private bytes: Uint8Array = new Uint8Array()
  private view: DataView = new DataView(new ArrayBuffer(0))
  private at = 0

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth
  }

  /** The one value that `frame` holds. The result shares no memory with `frame`. */
  read(frame: Uint8Array): unknown {
    this.bytes = frame
    this.view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    this.at = 0
    const value = this.value(1)
    if (this.at !== frame.length) refuse("more bytes follow the message")
    return value
  }

  /** Steps over `count` bytes and says where they began. */
  private take(count: number): number {
    const from = this.at
    if (count > this.bytes.length - from) refuse("the frame ends in the middle of a value")
    this.at = from + count
    return from
  }

  private byte(at: number): number {
    return this.bytes[at] ?? 0
  }

  private value(depth: number): unknown {
    const head = this.byte(this.take(1))
    if (head < 0x80) return head
    if (head < 0x90) return this.map(head & 0x0f, depth)
    if (head < 0xa0) return this.array(head & 0x0f, depth)
    if (head < 0xc0) return this.text(head & 0x1f)
    if (head >= 0xe0) return head - 0x100
    const view = this.view
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.bin(view.getUint8(this.take(1)))
      case 0xc5:
        return this.bin(view.getUint16(this.take(2)))
      case 0xc6:
        return this.bin(view.getUint32(this.take(4)))
      case 0xca:
        return finite(view.getFloat32(this.take(4)))
      case 0xcb:
        return finite(view.getFloat64(this.take(8)))
      case 0xcc:
        return view.getUint8(this.take(1))
      case 0xcd:
        return view.getUint16(this.take(2))
      case 0xce:
        return view.getUint32(this.take(4))
      case 0xcf: {
        const at = this.take(8)
        return safe(view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4))
      }
      case 0xd0:
        return view.getInt8(this.take(1))
      case 0xd1:
        return view.getInt16(this.take(2))
      case 0xd2:
        return view.getInt32(this.take(4))
      case 0xd3: {
        const at = this.take(8)
        return safe(view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4))
      }
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.textLength(head))
      case 0xdc:
        return this.array(view.getUint16(this.take(2)), depth)
      case 0xdd:
        return this.array(view.getUint32(this.take(4)), depth)
      case 0xde:
        return this.map(view.getUint16(this.take(2)), depth)
      case 0xdf:
        return this.map(view.getUint32(this.take(4)), depth)
      case 0xc1:
        return refuse("no value begins with the byte c1")
      default:
        return refuse("extension types are not part of this protocol")
    }
  }

  private textLength(head: number): number {
    if (head >= 0xa0 && head < 0xc0) return head & 0x1f
    if (head === 0xd9) return this.view.getUint8(this.take(1))
    if (head === 0xda) return this.view.getUint16(this.take(2))
    if (head === 0xdb) return this.view.getUint32(this.take(4))
    return refuse("the keys of a map must be strings")
  }

  private enter(depth: number): void {
    if (depth > this.maxDepth) refuse(`nested deeper than ${this.maxDepth} levels`)
  }

  private array(length: number, depth: number): Array<unknown> {
    this.enter(depth)
    const array: Array<unknown> = []
    for (let i = 0; i < length; i++) array.push(this.value(depth + 1))
    return array
  }

  private map(length: number, depth: number): Record<string, unknown> {
    this.enter(depth)
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = this.key()
      map[key] = this.value(depth + 1)
    }
    return map
  }

  private key(): string {
    const length = this.textLength(this.byte(this.take(1)))
    const key = length <= cachedKeyLength ? this.cachedText(length) : this.text(length)
    return key === "__proto__" ? refuse("a key must not be named __proto__") : key
  }

  private cachedText(length: number): string {
    const from = this.take(length)
    let hash = length
    for (let i = from; i < this.at; i++) hash = (hash * 31 + this.byte(i)) & 0xff
    const cached = this.keys[hash]
    if (cached !== undefined && cached.length === length) {
      let same = 0
      while (same < length && cached.charCodeAt(same) === this.byte(from + same)) same++
      if (same === length) return cached
    }
    const text = this.slice(from, this.at)
    if (text.length === length) this.keys[hash] = text
    return text
  }

  private text(length: number): string {
    const from = this.take(length)
    return this.slice(from, this.at)
  }

  private slice(from: number, to: number): string {
    if (to - from > shortText) return this.utf8(from, to)
    let text = ""
    for (let i = from; i < to; i++) {
      const byte = this.byte(i)
      if (byte >= 0x80) return this.utf8(from, to)
      text += String.fromCharCode(byte)
    }
    return text
  }

  private utf8(from: number, to: number): string {
    try {
      return utf8.decode(this.bytes.subarray(from, to))
    } catch {
      return refuse("a string is not UTF-8")
    }
  }

  private bin(length: number): Bin {
    const from = this.take(length)
    const bin = new Bin(new ArrayBuffer(length))
    bin.set(this.bytes.subarray(from, this.at))
    return bin
  }
}
