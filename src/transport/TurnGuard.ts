import type { SocketHandler } from "./Transport.ts"

/** How much work one connection may cause before the timers get a turn, in milliseconds of processor time. */
const patience = 500

/** How often that is looked at: after so many frames of one connection in a row, or so many bytes. */
const frames = 64
const bytes = 1_048_576

/**
 * Finds the connection that keeps everyone else waiting. The transport reads one socket for as long as it has something
 * to read, and can not be told to pause: a client that sends faster than it can be served would have the whole server to
 * itself. While frames of one connection come in a row, the event loop may not turn; work that piles up without a turn of
 * the timers shows it. Work and not time, for a process that gets no processor is late through nobody's fault.
 */
export class TurnGuard<C> {
  private current: C | undefined = undefined
  private frames = 0
  private bytes = 0
  private readonly work: () => number

  /** `work`: the milliseconds of processor time since the timers last had a turn. */
  constructor(work: () => number) {
    this.work = work
  }

  /** Notes a frame. True: its connection alone has kept the event loop for too long. */
  holdsUp(connection: C, length: number): boolean {
    if (this.current !== connection) {
      this.current = connection
      this.frames = 0
      this.bytes = 0
      return false
    }
    this.bytes += length
    if (++this.frames % frames !== 0 && this.bytes < bytes) return false
    this.bytes = 0
    return this.work() > patience
  }

  /** For a connection that is gone: it is not to be kept in memory. */
  forget(connection: C): void {
    if (this.current === connection) this.current = undefined
  }
}

/** A handler that sends away whoever holds up the event loop. `expel` has to close without waiting for the client. */
export const guarded = <A, C>(handler: SocketHandler<A, C>, guard: TurnGuard<C>, expel: (connection: C) => void): SocketHandler<A, C> => {
  const check = (connection: C, length: number): boolean => {
    const holdsUp = guard.holdsUp(connection, length)
    if (holdsUp) expel(connection)
    return !holdsUp
  }
  return {
    ...handler,
    onFrame: (connection, frame, binary) => {
      if (check(connection, frame.byteLength)) handler.onFrame(connection, frame, binary)
    },
    onAlive: (connection, ping) => {
      if (check(connection, 0)) handler.onAlive(connection, ping)
    },
    onClose: (connection, code, reason) => {
      guard.forget(connection)
      handler.onClose(connection, code, reason)
    }
  }
}
