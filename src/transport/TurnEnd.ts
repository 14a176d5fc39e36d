/**
 * Runs callbacks at the end of the present turn of the event loop: those of rooms first, then those of connections, so
 * that what a room published stands before the batched replies of the same turn. One `setImmediate` serves them all. One
 * that throws does not keep the others from being run: what it threw is thrown after them.
 */
export class TurnEnd {
  private rooms: Array<() => void> = []
  private connections: Array<() => void> = []
  private armed = false

  readonly afterRooms = (flush: () => void): void => {
    this.rooms.push(flush)
    this.arm()
  }

  readonly afterConnections = (flush: () => void): void => {
    this.connections.push(flush)
    this.arm()
  }

  private arm(): void {
    if (this.armed) return
    this.armed = true
    setImmediate(this.run)
  }

  private readonly run = (): void => {
    this.armed = false
    const { rooms, connections } = this
    this.rooms = []
    this.connections = []
    const failures: Array<unknown> = []
    for (const flushes of [rooms, connections])
      for (const flush of flushes)
        try {
          flush()
        } catch (error) {
          failures.push(error)
        }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, "at the end of a turn")
  }
}
