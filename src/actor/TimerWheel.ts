/** Something that has one timer in a wheel. The fields belong to the wheel; `due` is the time in milliseconds. */
export interface Timed {
  due: number
  timerNext: Timed | undefined
  timerPrevious: Timed | undefined
}

const slotCount = 4096

const emptySlot = (): Timed => {
  const slot: Timed = { due: 0, timerNext: undefined, timerPrevious: undefined }
  slot.timerNext = slot
  slot.timerPrevious = slot
  return slot
}

const unlink = (entry: Timed): void => {
  if (entry.timerNext === undefined || entry.timerPrevious === undefined) return
  entry.timerNext.timerPrevious = entry.timerPrevious
  entry.timerPrevious.timerNext = entry.timerNext
  entry.timerNext = undefined
  entry.timerPrevious = undefined
}

/**
 * One coarse timer for very many things: a hashed timing wheel (Varghese and Lauck, 1987) with the entries linked
 * through themselves, so that setting and clearing a timer allocates nothing.
 *
 * A timer fires at the first `advance` past its time, so late by at most the distance between two advances, never early. One
 * that is set for a time that has been advanced over fires with the next tick.
 */
export class TimerWheel<T extends Timed> {
  private readonly slots = Array.from({ length: slotCount }, emptySlot)
  private readonly granularity: number
  private readonly fire: (entry: T) => void
  /** The last tick that was advanced over. */
  private tick: number

  /** `granularity` in milliseconds: how much time one slot stands for. */
  constructor(granularity: number, now: number, fire: (entry: T) => void) {
    this.granularity = granularity
    this.fire = fire
    this.tick = Math.floor(now / granularity)
  }

  /** Sets the entry's one timer to `due`, in place of the one it had. */
  schedule(entry: T, due: number): void {
    unlink(entry)
    entry.due = due
    this.link(entry)
  }

  cancel(entry: T): void {
    unlink(entry)
  }

  /** Beyond the wheel's horizon an entry waits in the farthest slot and is put on from there. */
  private link(entry: Timed): void {
    const tick = Math.min(Math.max(Math.ceil(entry.due / this.granularity), this.tick + 1), this.tick + slotCount - 1)
    const slot = this.slots[tick % slotCount]
    if (slot === undefined) return
    const last = slot.timerPrevious ?? slot
    entry.timerPrevious = last
    entry.timerNext = slot
    last.timerNext = entry
    slot.timerPrevious = entry
  }

  /** Fires every timer that is due at `now`, and says how many. A fired timer is off until it is scheduled again, which `fire` may do. */
  advance(now: number): number {
    let fired = 0
    const target = Math.floor(now / this.granularity)
    const from = Math.max(this.tick, target - slotCount)
    for (let tick = from + 1; tick <= target; tick++) {
      this.tick = tick
      const slot = this.slots[tick % slotCount]
      if (slot === undefined || slot.timerNext === slot) continue
      // The list is taken off first: an entry that is scheduled anew while it fires must not be met again in this round.
      const due = emptySlot()
      due.timerNext = slot.timerNext
      due.timerPrevious = slot.timerPrevious
      if (due.timerNext !== undefined) due.timerNext.timerPrevious = due
      if (due.timerPrevious !== undefined) due.timerPrevious.timerNext = due
      slot.timerNext = slot
      slot.timerPrevious = slot
      for (let entry = due.timerNext; entry !== undefined && entry !== due; entry = due.timerNext) {
        unlink(entry)
        // Only things of type T are ever linked; the slots' own heads are not entries.
        if (entry.due <= now) {
          fired++
          this.fire(entry as T)
        } else this.link(entry)
      }
    }
    this.tick = Math.max(this.tick, target)
    return fired
  }
}
