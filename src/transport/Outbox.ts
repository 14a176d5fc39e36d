import { joinJson, joinMsgpack, maxBatch } from "../wire/Batch.ts"

/** Messages of one turn of the event loop, on their way to clients that take several in one frame. */
export class Outbox<T extends string | Uint8Array> {
  private messages: Array<T> = []
  private scheduled = false
  private readonly join: (messages: ReadonlyArray<T>) => T
  private readonly write: (frame: T) => void
  private readonly schedule: (flush: () => void) => void

  private constructor(join: (messages: ReadonlyArray<T>) => T, write: (frame: T) => void, schedule: (flush: () => void) => void) {
    this.join = join
    this.write = write
    this.schedule = schedule
  }

  /** `write` gets each full frame; `schedule` is asked once a turn to call back at its end. */
  static json(write: (frame: string) => void, schedule: (flush: () => void) => void): Outbox<string> {
    return new Outbox<string>(joinJson, write, schedule)
  }

  static msgpack(write: (frame: Uint8Array) => void, schedule: (flush: () => void) => void): Outbox<Uint8Array> {
    return new Outbox<Uint8Array>(joinMsgpack, write, schedule)
  }

  /** Takes an encoded message, which must not change any more. */
  add(message: T): void {
    this.messages.push(message)
    if (this.messages.length === maxBatch) this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      this.schedule(this.flushScheduled)
    }
  }

  /** Writes what waits now, ahead of the end of the turn. */
  flush(): void {
    if (this.messages.length === 0) return
    const messages = this.messages
    this.messages = []
    this.write(this.join(messages))
  }

  private readonly flushScheduled = (): void => {
    this.scheduled = false
    this.flush()
  }
}
