import { mostDelay } from "./seekDelay.ts"

/** Milliseconds for which a backend has to keep a link before it is trusted with it: longer than any pause between two rounds. */
export const trialTime = mostDelay

/**
 * The way of one link from a backend that it lost, or has to leave, to one that has proved itself: by an answer to a ping that
 * followed all that was sent again, and by keeping the link for `trialTime`. That a backend accepts a link says little. One that
 * drops it soon after is one more round of the same search, with the pauses and the deadline of that search, or a client would
 * be dialled for without end and without a pause. Pure: all times are `now` in milliseconds.
 */
export class Recovery {
  private lostAt: number | undefined = undefined
  private nextRound = 0
  /** When the backend on trial took the link. */
  private tookOver: number | undefined = undefined
  private answered = false

  /** Where the search goes on, from 0. */
  get round(): number {
    return this.nextRound
  }

  /** There is a backend, and it is not known whether it is good for anything. */
  get onTrial(): boolean {
    return this.tookOver !== undefined
  }

  /** There is no backend any more. The deadline counts from the first time. */
  lost(now: number): void {
    this.lostAt ??= now
    this.tookOver = undefined
  }

  /** Milliseconds that are left of `deadline` seconds: all of them as long as no backend was lost. */
  left(now: number, deadline: number): number {
    return Math.max(0, (this.lostAt ?? now) + deadline * 1000 - now)
  }

  /** A backend was found in this round. */
  found(now: number, round: number): void {
    this.nextRound = round + 1
    this.tookOver = now
    this.answered = false
  }

  /** It has answered a ping. */
  answers(): void {
    this.answered = true
  }

  /** When it will have proved itself, if it keeps the link. Undefined: it has an answer to give, or there is none on trial. */
  get due(): number | undefined {
    return this.answered && this.tookOver !== undefined ? this.tookOver + trialTime : undefined
  }

  /** The link has a backend again, and all this is over. */
  proved(now: number): boolean {
    const { due } = this
    return due !== undefined && now >= due
  }
}
