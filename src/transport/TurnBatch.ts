import { maxBatch } from "../wire/Batch.ts"

/** What one turn of the event loop brings, to be handled together at its end: in order, at most `maxBatch` at once. */
export class TurnBatch<A> {
  private items: Array<A> = []
  private scheduled = false
  private readonly handle: (items: ReadonlyArray<A>) => void
  private readonly schedule: (flush: () => void) => void

  /** `schedule` is asked once a turn to call back at its end. */
  constructor(handle: (items: ReadonlyArray<A>) => void, schedule: (flush: () => void) => void) {
    this.handle = handle
    this.schedule = schedule
  }

  /** Takes an item, which must not change any more. */
  add(item: A): void {
    this.items.push(item)
    if (this.items.length === maxBatch) this.flush()
    else if (!this.scheduled) {
      this.scheduled = true
      this.schedule(this.flushScheduled)
    }
  }

  /** Handles what waits now, ahead of the end of the turn. */
  flush(): void {
    const { items } = this
    if (items.length === 0) return
    this.items = []
    this.handle(items)
  }

  private readonly flushScheduled = (): void => {
    this.scheduled = false
    this.flush()
  }
}
