import type { Socket } from "node:net"
import { Duplex } from "node:stream"

/**
 * A connection for Node's client of HTTP whose request has been sent already: what that client writes goes nowhere, and it
 * reads what has been read from the socket before, then what follows. Destroying it destroys the socket.
 */
export class Replay extends Duplex {
  private readonly source: Socket
  private released = false
  private readonly onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.source.pause()
  }
  private readonly onEnd = (): void => void this.push(null)
  private readonly onError = (error: Error): void => void this.destroy(error)
  private readonly onClose = (): void => void this.destroy()

  /** `source` is paused and has no other readers. */
  constructor(source: Socket, first: Buffer) {
    super()
    this.source = source
    this.push(first)
    source.on("data", this.onData).on("end", this.onEnd).on("error", this.onError).on("close", this.onClose)
  }

  /** Leaves the socket to somebody else, paused. Gives what was not read here. */
  release(): Buffer {
    const rest: unknown = this.read()
    this.released = true
    this.source.off("data", this.onData).off("end", this.onEnd).off("error", this.onError).off("close", this.onClose).pause()
    return Buffer.isBuffer(rest) ? rest : Buffer.alloc(0)
  }

  override _read(): void {
    if (!this.released) this.source.resume()
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.released) this.source.destroy()
    done(error)
  }
}
