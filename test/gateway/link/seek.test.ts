import { Clock, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { headerRules } from "../../../src/gateway/ForwardHeaders.ts"
import { seek } from "../../../src/gateway/link/seek.ts"
import type { Route } from "../../../src/gateway/Route.ts"
import { TurnEnd } from "../../../src/transport/TurnEnd.ts"
import { arrived } from "../asker.ts"
import { poolOf } from "../poolOf.ts"
import { proxyRoute, urls } from "../proxyRoute.ts"

/** A search where no target takes anybody: when its rounds began, in milliseconds, and how it ended. */
const searchInVain = (round: number, left: number, seed: number) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const settings = proxyRoute(urls(2).map((url) => ({ url, enabled: false })))
      const { pool, target } = poolOf(settings)
      const clock = yield* Clock.Clock
      const rounds = new Set<number>()
      const { choose } = pool
      pool.choose = (...args) => {
        rounds.add(clock.currentTimeMillisUnsafe())
        return choose.apply(pool, args)
      }
      const route: Route = { path: settings.path, settings, pool, rules: headerRules(settings), users: new Map() }
      const search = seek(route, arrived(), { protocol: "", from: target(0), extra: [], turnEnd: new TurnEnd(), round, left }).pipe(
        Effect.map((outcome) => ({ ended: clock.currentTimeMillisUnsafe(), outcome })),
        Random.withSeed(seed)
      )
      const fiber = yield* Effect.forkChild(search)
      for (let time = 0; fiber.pollUnsafe() === undefined && time <= left + 1_000; time++) yield* TestClock.adjust("1 millis")
      return { ...(yield* Fiber.join(fiber)), rounds: [...rounds] }
    }).pipe(Effect.provide(TestClock.layer()))
  )

describe("a search that finds nobody", () => {
  it("tries at once and for the last time when the time is over, not before and not after", async () => {
    for (const seed of [1, 2, 3]) {
      const { ended, outcome, rounds } = await searchInVain(0, 3_000, seed)
      expect([rounds[0], rounds.at(-1), ended]).toEqual([0, 3_000, 3_000])
      expect(outcome).toMatchObject({ found: undefined, round: rounds.length - 1 })
    }
  })

  it("pauses before it begins where another one ended", async () => {
    const { outcome, rounds } = await searchInVain(4, 3_000, 1)
    expect(rounds[0]).toBeGreaterThanOrEqual(200)
    expect(rounds.at(-1)).toBe(3_000)
    expect(outcome.round).toBe(3 + rounds.length)
  })
})
