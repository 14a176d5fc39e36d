/** How many milliseconds may lie between two broadcasts that perhaps share a turn: those of a busy server take that long. */
const closely = 10

/** How often another publisher than the last has to come closely after it for the next to be one of a crowd. */
const changesOfCrowd = 4

/**
 * Tells a crowd from one that publishes much, and from many that do so now and then: its broadcasts follow each other closely,
 * and are now one's and now another's.
 */
export class Crowd<P> {
  private last = -Infinity
  private publisher: P | undefined = undefined
  private changes = 0

  /** Notes a broadcast at `now`, in milliseconds of a clock that never goes back. True: it is one of a crowd. */
  joinedBy(publisher: P | undefined, now: number): boolean {
    if (now - this.last >= closely) this.changes = 0
    else if (publisher !== this.publisher) this.changes++
    this.last = now
    this.publisher = publisher
    return this.changes >= changesOfCrowd
  }

  /** For a publisher that is gone: it is not to be kept in memory. */
  forget(publisher: P): void {
    if (this.publisher === publisher) this.publisher = undefined
  }
}
