import { Effect } from "effect"

/** How many messages one turn may handle before the event loop gets a chance. */
const turnBudget = 1024

/** How many received messages a queue keeps in front of those that wait before it is compacted. */
const compactAt = 1024

/**
 * An actor: a mailbox, which is a bounded queue of one union of messages, and the loop that empties it.
 *
 * It promises: every accepted message is received exactly once, in the order of acceptance, one at a time; `receive`
 * is never entered while it runs; nothing is accepted beyond the bound, or once the actor has stopped.
 *
 * An actor that is idle receives a message on the stack of whoever offers it; the fiber is only resumed for work that
 * takes time. Waking a fiber for every message costs about as much as handling it, and a reply written on the caller's
 * stack leaves in the same write as those before it. The fiber still owns the actor: its life, its asynchronous work,
 * its interruption and its failure.
 */
export abstract class Actor<M> {
  private readonly capacity: number
  /** Waiting messages from `head` on. Absent while nothing waits, which is nearly always. */
  private queue: Array<M> | undefined = undefined
  private head = 0
  /** Resumes the parked fiber. Present exactly while the fiber waits. */
  private resume: ((effect: Effect.Effect<void>) => void) | undefined = undefined
  private receiving = false
  private stopped = false

  /** `capacity`: how many messages may wait. */
  constructor(capacity: number) {
    this.capacity = capacity
  }

  /**
   * What the actor does with one message. It returns nothing when it is done, or an effect that has to end before the
   * next message is looked at.
   */
  protected abstract receive(message: M): Effect.Effect<void> | undefined

  /** Messages accepted and not yet received. */
  get waiting(): number {
    return this.queue === undefined ? 0 : this.queue.length - this.head
  }

  /** Whether a message offered now is received before `offer` returns. */
  get idle(): boolean {
    return this.resume !== undefined && this.queue === undefined && !this.receiving && !this.stopped
  }

  /** Gives the actor a message. False: the mailbox is full or the actor has stopped, and the message is the caller's to account for. */
  offer(message: M): boolean {
    if (this.stopped || this.waiting >= this.capacity) return false
    this.accept(message)
    return true
  }

  /**
   * As `offer`, but past the bound: for the answer to a request that this actor sent, or for its end. Answers are
   * bounded by the requests, and a lost one would leave a request open for ever.
   */
  offerReply(message: M): boolean {
    if (this.stopped) return false
    this.accept(message)
    return true
  }

  private accept(message: M): void {
    if (this.queue !== undefined) this.queue.push(message)
    else if (this.resume !== undefined && !this.receiving) this.turn(message)
    else {
      this.queue = [message]
      this.head = 0
    }
  }

  private next(queue: Array<M>): M {
    const message = queue[this.head] as M
    this.head++
    if (this.head === queue.length) this.queue = undefined
    else if (this.head >= compactAt) {
      queue.splice(0, this.head)
      this.head = 0
    }
    return message
  }

  /** Receives `first` and what arrives meanwhile, on the caller's stack. What takes time, and what fails, goes to the fiber. */
  private turn(first: M): void {
    this.receiving = true
    let outcome: Effect.Effect<void> | undefined
    try {
      outcome = this.receive(first)
      for (let count = 1; outcome === undefined && this.queue !== undefined && !this.stopped; count++)
        outcome = count < turnBudget ? this.receive(this.next(this.queue)) : Effect.yieldNow
    } catch (defect) {
      outcome = Effect.die(defect)
    }
    this.receiving = false
    const resume = this.resume
    if (outcome === undefined || resume === undefined) return
    this.resume = undefined
    resume(outcome)
  }

  /** Waits for work that takes time, or for a failure. What came while nobody waited is received first. */
  private park(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.resume = resume
      if (this.queue !== undefined) this.turn(this.next(this.queue))
      return Effect.sync(() => {
        this.resume = undefined
      })
    })
  }

  /**
   * The actor's life: it receives until it is interrupted, or dies of what `receive` or its effects die of. It may be run again after a
   * failure: messages that wait are kept, the one that failed is gone.
   */
  run(): Effect.Effect<never> {
    return Effect.forever(this.park(), { disableYield: true })
  }

  /** Nothing is accepted any more. Returns what had been accepted and will not be received. */
  stop(): ReadonlyArray<M> {
    this.stopped = true
    const rest = this.queue?.slice(this.head) ?? []
    this.queue = undefined
    return rest
  }
}
