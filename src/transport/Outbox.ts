import { maxBatch } from "../wire/Batch.ts"
import type { Codec } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"

/**
 * Messages of one turn of the event loop, on their way to clients that take several in one frame. They are encoded
 * together, which is cheaper than one by one.
 */
export class Outbox {
  private messages: Array<ServerMessage> = []
  private scheduled = false
  private readonly codec: Codec
  private readonly write: (frame: string | Uint8Array) => void
  private readonly schedule: (flush: () => void) => void

  /** `write` gets each frame, and copies it before it returns; `schedule` is asked once a turn to call back at its end. */
  constructor(codec: Codec, write: (frame: string | Uint8Array) => void, schedule: (flush: () => void) => void) {
    this.codec = codec
    this.write = write
    this.schedule = schedule
  }

  /** Takes a message, which must not change any more. */
  add(message: ServerMessage): void {
    this.messages.push(message)
    if (this.messages.length === maxBatch) this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      this.schedule(this.flushScheduled)
    }
  }

  /** Writes what waits now, ahead of the end of the turn. */
  flush(): void {
    const { messages } = this
    if (messages.length === 0) return
    this.messages = []
    this.write(this.codec.encodeShared(messages.length === 1 ? messages[0] : messages))
  }

  private readonly flushScheduled = (): void => {
    this.scheduled = false
    this.flush()
  }
}
