import { Cause, Effect, Exit, Fiber } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Actor } from "../../src/actor/Actor.ts"

/** A message that may offer others while it is received, take time, or fail. */
interface Script {
  readonly id: number
  readonly takesTime: boolean
  readonly fails: boolean
  readonly offers: ReadonlyArray<Script>
}

class Recorder extends Actor<Script> {
  readonly received: Array<number> = []
  readonly accepted: Array<number> = []
  refused = 0
  inside = 0
  overlapped = false

  give(script: Script): void {
    // Noted before it is offered: an idle actor receives on the caller's stack.
    this.accepted.push(script.id)
    if (!this.offer(script)) {
      this.accepted.splice(this.accepted.lastIndexOf(script.id), 1)
      this.refused++
    }
  }

  protected receive(script: Script): Effect.Effect<void> | undefined {
    if (this.inside > 0) this.overlapped = true
    this.inside++
    this.received.push(script.id)
    for (const next of script.offers) this.give(next)
    if (script.takesTime)
      return Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))).pipe(
        Effect.andThen(
          Effect.sync(() => {
            this.inside--
            if (script.fails) throw new Error("failed")
          })
        )
      )
    this.inside--
    if (script.fails) throw new Error("failed")
    return undefined
  }
}

const idle = () => new Promise<void>((resolve) => setImmediate(resolve))

const settle = async (actor: Recorder): Promise<void> => {
  for (let turn = 0; turn < 1000 && (actor.waiting > 0 || actor.inside > 0); turn++) await idle()
}

let ids = 0
const script = (depth: number): fc.Arbitrary<Script> =>
  fc.record({
    id: fc.constant(0).map(() => ++ids),
    takesTime: fc.boolean(),
    fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    offers: depth === 0 ? fc.constant([]) : fc.array(script(depth - 1), { maxLength: 3 })
  })

/** Message ids in the order in which a queue would receive them are those in which they were accepted. */
const restart = (actor: Recorder): Effect.Effect<never> =>
  Effect.catchCause(actor.run(), (cause) =>
    Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : Effect.suspend(() => restart(actor))
  )

describe("Actor", () => {
  it("receives every accepted message once, in order, one at a time, whatever its messages do", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(script(2), fc.boolean()), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        async (steps, capacity) => {
          const actor = new Recorder(capacity)
          const fiber = Effect.runFork(restart(actor))
          for (const [message, pause] of steps) {
            actor.give(message)
            expect(actor.waiting).toBeLessThanOrEqual(capacity)
            if (pause) await idle()
          }
          await settle(actor)
          expect(actor.received).toEqual(actor.accepted)
          expect(actor.overlapped).toBe(false)
          await Effect.runPromise(Fiber.interrupt(fiber))
        }
      ),
      { numRuns: 300 }
    ))

  const plain = (id: number, more: Partial<Script> = {}): Script => ({ id, takesTime: false, fails: false, offers: [], ...more })

  it("receives on the caller's stack when it is idle", () => {
    const actor = new Recorder(4)
    const fiber = Effect.runFork(actor.run())
    actor.give(plain(1))
    expect(actor.received).toEqual([1])
    fiber.interruptUnsafe()
  })

  it("refuses what is beyond its bound and keeps what it had accepted", async () => {
    const actor = new Recorder(2)
    const fiber = Effect.runFork(actor.run())
    actor.give(plain(1, { takesTime: true }))
    for (const id of [2, 3, 4, 5]) actor.give(plain(id))
    expect(actor.refused).toBe(2)
    await settle(actor)
    expect(actor.received).toEqual([1, 2, 3])
    fiber.interruptUnsafe()
  })

  it("takes answers past its bound", async () => {
    const actor = new Recorder(1)
    const fiber = Effect.runFork(actor.run())
    actor.give(plain(1, { takesTime: true }))
    actor.give(plain(2))
    expect(actor.offerReply(plain(3))).toBe(true)
    await settle(actor)
    expect(actor.received).toEqual([1, 2, 3])
    fiber.interruptUnsafe()
  })

  it("keeps what was offered before it ran", async () => {
    const actor = new Recorder(4)
    actor.give(plain(1))
    actor.give(plain(2))
    expect(actor.received).toEqual([])
    const fiber = Effect.runFork(actor.run())
    await settle(actor)
    expect(actor.received).toEqual([1, 2])
    fiber.interruptUnsafe()
  })

  it("dies of what receiving throws, and keeps the rest for the next life", async () => {
    const actor = new Recorder(4)
    const first = Effect.runFork(actor.run())
    actor.give(plain(1, { fails: true, offers: [plain(2)] }))
    const exit = await Effect.runPromise(Fiber.await(first))
    expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause)).toBe(true)
    expect(actor.received).toEqual([1])
    const second = Effect.runFork(actor.run())
    await settle(actor)
    expect(actor.received).toEqual([1, 2])
    second.interruptUnsafe()
  })

  it("accepts nothing once it has stopped, and hands back what it will not receive", async () => {
    const actor = new Recorder(4)
    const fiber = Effect.runFork(actor.run())
    actor.give(plain(1, { takesTime: true }))
    actor.give(plain(2))
    expect(actor.stop().map(({ id }) => id)).toEqual([2])
    expect(actor.offer(plain(3))).toBe(false)
    expect(actor.offerReply(plain(4))).toBe(false)
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(actor.received).toEqual([1])
  })

  it("interrupts the work of a message with the actor", async () => {
    let interrupted = false
    class Sleeper extends Actor<number> {
      protected receive(): Effect.Effect<void> {
        return Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            interrupted = true
          })
        )
      }
    }
    const actor = new Sleeper(1)
    const fiber = Effect.runFork(actor.run())
    actor.offer(1)
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(interrupted).toBe(true)
  })

  it("lets the event loop breathe in a flood that feeds itself", async () => {
    class Perpetual extends Actor<number> {
      count = 0
      protected receive(n: number): undefined {
        this.count++
        this.offer(n + 1)
      }
    }
    const actor = new Perpetual(4)
    const fiber = Effect.runFork(actor.run())
    actor.offer(1)
    await idle()
    expect(actor.count).toBeGreaterThan(0)
    await Effect.runPromise(Fiber.interrupt(fiber))
    const { count } = actor
    await idle()
    expect(actor.count).toBe(count)
  })
})
