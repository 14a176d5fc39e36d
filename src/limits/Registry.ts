/** What all connections of one address, or of one user, share. */
import { makeBucket, type Rate, timeToFill, type TokenBucket } from "./TokenBucket.ts"

export interface Entry {
  readonly key: string
  /** Those that hold the entry now. */
  connections: number
  readonly bucket: TokenBucket
}

/** Entries that nobody holds and whose bucket may not be full yet. Beyond this the longest unused is forgotten early. */
const MAX_IDLE = 100_000

/**
 * Counted entries by key. One lives while a connection holds it, and then until its bucket is full again: who leaves and
 * comes back finds it as empty as before, and who stays away costs nothing. Times are milliseconds, as of `TokenBucket`.
 */
export class Registry {
  private readonly entries = new Map<string, Entry>()
  /** Unheld entries and when they were let go, the earliest first. */
  private readonly idle = new Map<Entry, number>()
  private readonly rate: Rate
  private readonly fillTime: number

  constructor(rate: Rate) {
    this.rate = rate
    this.fillTime = timeToFill(rate)
  }

  /** Entries that are kept, held or not. */
  get size(): number {
    return this.entries.size
  }

  acquire(key: string, now: number): Entry {
    this.sweep(now)
    const known = this.entries.get(key)
    const entry = known ?? { key, connections: 0, bucket: makeBucket(now, this.rate) }
    if (known === undefined) this.entries.set(key, entry)
    else if (entry.connections === 0) this.idle.delete(entry)
    entry.connections++
    return entry
  }

  /** Once for each `acquire`; the entry must not be used afterwards. */
  release(entry: Entry, now: number): void {
    if (entry.connections === 0) return
    entry.connections--
    if (entry.connections === 0) {
      this.idle.set(entry, now)
      this.sweep(now)
    }
  }

  /** Forgets what is of no use any more. `acquire` and `release` do it too; a server at rest should do it now and then. */
  sweep(now: number): void {
    for (const [entry, since] of this.idle) {
      const full = now - since >= this.fillTime || now < since
      if (!full && this.idle.size <= MAX_IDLE) return
      this.idle.delete(entry)
      this.entries.delete(entry.key)
    }
  }
}
