import type { Codec } from "../wire/Codec.ts"
import type { ServerMessage } from "../wire/Messages.ts"
import { TurnBatch } from "./TurnBatch.ts"

/**
 * Messages of one turn of the event loop, on their way to a client that takes several in one frame. They are encoded
 * together, which is cheaper than one by one.
 */
export class Outbox extends TurnBatch<ServerMessage> {
  /** `write` gets each frame, and copies it before it returns; `schedule` is asked once a turn to call back at its end. */
  constructor(codec: Codec, write: (frame: string | Uint8Array) => void, schedule: (flush: () => void) => void) {
    super((messages) => write(codec.encodeShared(messages.length === 1 ? messages[0] : messages)), schedule)
  }
}
