import type { ClientSocket } from "../../transport/Transport.ts"
import { type Goodbye, shrinks } from "./LinkState.ts"
import type { Frame } from "./ReplayBuffer.ts"

/** The client's side of a link: how far it is behind with reading, and how it is let go. */
export class ClientSide {
  private readonly socket: ClientSocket
  private readonly buffer: number
  /** Bytes for the client when it was last looked whether it reads them, once it is being let go. */
  private unread = 0

  /** `buffer`: bytes that may wait for the client before its backend has to. */
  constructor(socket: ClientSocket, buffer: number) {
    this.socket = socket
    this.buffer = buffer
  }

  /** Sends all messages of one read of the backend in one write. False: more waits for the client than may, and one was dropped. */
  send(frames: ReadonlyArray<Frame>): boolean {
    const { socket } = this
    const first = frames[0]
    if (frames.length === 1 && first !== undefined) return socket.sendBytes(first.bytes, first.binary) !== "dropped"
    let dropped = false
    socket.cork(() => {
      for (const { binary, bytes } of frames) dropped = socket.sendBytes(bytes, binary) === "dropped" || dropped
    })
    return !dropped
  }

  /** The backend has to wait. */
  get behind(): boolean {
    return this.socket.buffered() > this.buffer / 2
  }

  /** It need not wait any longer. */
  get caughtUp(): boolean {
    return this.socket.buffered() <= this.buffer / 4
  }

  /** Closes with these words, after all that was sent. */
  end({ code, reason }: Goodbye): void {
    this.unread = this.socket.buffered()
    this.socket.end(code, reason)
  }

  /** Whether it has read something since the last look, so that it may go on. Else it is cut off. */
  reads(): boolean {
    const unread = this.socket.buffered()
    const reads = shrinks(this.unread, unread)
    this.unread = unread
    if (!reads) this.socket.terminate()
    return reads
  }

  terminate(): void {
    this.socket.terminate()
  }
}
