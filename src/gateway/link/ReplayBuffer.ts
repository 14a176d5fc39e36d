/** A message of a client on its way to a backend. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly binary: boolean
}

/** What a kept frame costs beside its bytes, so that empty ones have a bound too. */
const frameOverhead = 64

/** How many acknowledged frames may stand in front of the others before the list is compacted. */
const compactAt = 256

/**
 * The client's frames that the backend may not have read yet, in order, and the first few of the connection, which every
 * new backend gets first. Frames are numbered from 1. Bounded in bytes, the preamble included; see `add`.
 */
export class ReplayBuffer {
  private readonly preambleLength: number
  private readonly preamble: Array<Frame> = []
  private frames: Array<Frame> = []
  private head = 0
  private size = 0
  /** The number of the last frame that the backend has read. */
  private acknowledged = 0

  /** `preamble`: how many of the first frames are kept for good. */
  constructor(preamble: number) {
    this.preambleLength = preamble
  }

  /** The number of the last frame. */
  get last(): number {
    return this.acknowledged + this.waiting
  }

  /** Frames that are not acknowledged. */
  get waiting(): number {
    return this.frames.length - this.head
  }

  /** Bytes that are kept, with what each frame costs. */
  get bytes(): number {
    return this.size
  }

  /**
   * Takes a frame, whose bytes must not change any more. False: more than `limit` bytes would be kept, and the frame was not
   * taken. One that is alone, with nothing before it that is not acknowledged, is taken whatever its size: it has to pass
   * some time.
   */
  add(frame: Frame, limit: number): boolean {
    const cost = frame.bytes.byteLength + frameOverhead
    const ofPreamble = this.preamble.length < this.preambleLength
    const alone = this.waiting === 0 && !ofPreamble
    if (!alone && this.size + cost > limit) return false
    this.size += cost
    if (ofPreamble) this.preamble.push(frame)
    this.frames.push(frame)
    return true
  }

  /** The backend has read all frames up to this number. Numbers that are none of ours, or old, change nothing. */
  acknowledge(number: number): void {
    if (number > this.last) return
    while (this.acknowledged < number && this.head < this.frames.length) {
      const frame = this.frames[this.head] as Frame
      this.head++
      this.acknowledged++
      // What belongs to the preamble stays, and goes on to cost.
      if (this.acknowledged > this.preamble.length) this.size -= frame.bytes.byteLength + frameOverhead
    }
    if (this.head === this.frames.length) {
      this.frames = []
      this.head = 0
    } else if (this.head >= compactAt) {
      this.frames.splice(0, this.head)
      this.head = 0
    }
  }

  /** What a new backend gets: the preamble, then what the last backend may not have read. No frame comes twice. */
  replay(): ReadonlyArray<Frame> {
    const unread = this.frames.slice(this.head)
    // Of the preamble, the frames that nobody acknowledged stand in `unread` as well.
    return [...this.preamble.slice(0, Math.min(this.preamble.length, this.acknowledged)), ...unread]
  }
}
