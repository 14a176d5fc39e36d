import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import fc from "fast-check"
import { TestClock } from "effect/testing"
import { defaultPolicy, noRestarts, onFailure, type RestartPolicy } from "../../src/actor/RestartState.ts"
import { supervise } from "../../src/actor/Supervisor.ts"

describe("onFailure", () => {
  it("never allows more restarts in any window than the policy, and never delays beyond its bounds", () => {
    fc.assert(
      fc.property(
        fc.record({
          intensity: fc.nat(6),
          window: fc.integer({ min: 1, max: 10_000 }),
          minDelay: fc.integer({ min: 1, max: 50 }),
          maxDelay: fc.integer({ min: 50, max: 2000 })
        }),
        fc.array(fc.nat(3000), { maxLength: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (policy: RestartPolicy, gaps, random) => {
          let state = noRestarts
          let now = 0
          const restarts: Array<number> = []
          for (const gap of gaps) {
            now += gap
            const decision = onFailure(policy, state, now, random)
            if (!decision.restart) {
              assert.strictEqual(restarts.filter((time) => now - time < policy.window).length, policy.intensity)
              return
            }
            assert.isAtMost(decision.delay, policy.maxDelay)
            assert.isAbove(decision.delay, 0)
            restarts.push(now)
            assert.isAtMost(restarts.filter((time) => now - time < policy.window).length, policy.intensity)
            state = decision.state
          }
        }
      )
    )
  })
})

describe("supervise", () => {
  it.effect("starts a dead actor again, after a pause", () =>
    Effect.gen(function* () {
      let lives = 0
      const life = Effect.suspend(() => (++lives === 1 ? Effect.die("first life") : Effect.never))
      const fiber = yield* Effect.forkChild(supervise(life, { actor: "test", onGiveUp: () => Effect.void }))
      yield* Effect.yieldNow
      assert.strictEqual(lives, 1)
      yield* TestClock.adjust(defaultPolicy.maxDelay)
      assert.strictEqual(lives, 2)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("gives up after too many deaths in the window, once, and says so", () =>
    Effect.gen(function* () {
      let lives = 0
      let restarts = 0
      let gaveUp = 0
      const life = Effect.suspend(() => {
        lives++
        return Effect.die("again")
      })
      const fiber = yield* Effect.forkChild(
        supervise(life, {
          actor: "test",
          onRestart: () => {
            restarts++
          },
          onGiveUp: () =>
            Effect.sync(() => {
              gaveUp++
            })
        })
      )
      yield* TestClock.adjust(defaultPolicy.window)
      yield* Fiber.join(fiber)
      assert.strictEqual(lives, defaultPolicy.intensity + 1)
      assert.strictEqual(restarts, defaultPolicy.intensity)
      assert.strictEqual(gaveUp, 1)
    })
  )

  it.effect("goes on for ever while deaths are rare", () =>
    Effect.gen(function* () {
      let lives = 0
      const life = Effect.suspend(() => {
        lives++
        return Effect.andThen(Effect.sleep(defaultPolicy.window), Effect.die("old age"))
      })
      const fiber = yield* Effect.forkChild(supervise(life, { actor: "test", onGiveUp: () => Effect.die("gave up") }))
      yield* TestClock.adjust(defaultPolicy.window * 20)
      assert.isAtLeast(lives, 15)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("passes an interruption on and restarts nothing", () =>
    Effect.gen(function* () {
      let lives = 0
      const life = Effect.suspend(() => {
        lives++
        return Effect.never
      })
      const fiber = yield* Effect.forkChild(supervise(life, { actor: "test", onGiveUp: () => Effect.void }))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.strictEqual(lives, 1)
    })
  )
})
