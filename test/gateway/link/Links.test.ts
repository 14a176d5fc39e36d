import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { goingAway } from "../../../src/gateway/link/LinkState.ts"
import { Links } from "../../../src/gateway/Links.ts"
import { world, type World } from "./world.ts"

const noLinks = () => new Links({ fork: (life) => Effect.runFork(life), onDefect: () => undefined })

const run = <A>(effect: Effect.Effect<A>): Promise<A> => Effect.runPromise(effect.pipe(Effect.provide(TestClock.layer())))

const left = (worlds: ReadonlyArray<World>): number => worlds.filter(({ searches }) => searches.length > 0).length
const closed = (worlds: ReadonlyArray<World>): number => worlds.filter(({ socket }) => socket.ended !== undefined).length

describe("links that have to leave", () => {
  it("do so one after the other, evenly spread over the period", () =>
    run(
      Effect.gen(function* () {
        const worlds = Array.from({ length: 40 }, () => world())
        const fiber = yield* Effect.forkChild(
          noLinks().leave(
            worlds.map(({ link }) => link),
            10,
            goingAway
          )
        )
        yield* TestClock.adjust(0)
        for (let second = 1; second < 10; second++) {
          yield* TestClock.adjust("1 second")
          expect(Math.abs(left(worlds) - 4 * second)).toBeLessThanOrEqual(1)
        }
        yield* TestClock.adjust("1 second")
        expect(left(worlds)).toBe(40)
        expect(closed(worlds)).toBe(0)
        yield* Fiber.join(fiber)
      })
    ))

  it("leave at once where there is no period, and with these words where they may not move", () =>
    run(
      Effect.gen(function* () {
        const worlds = Array.from({ length: 5 }, () => world({ failover: { mode: "close" } }))
        yield* noLinks().leave(
          worlds.map(({ link }) => link),
          0,
          goingAway
        )
        expect(worlds.map(({ socket }) => socket.ended)).toEqual(worlds.map(() => goingAway))
      })
    ))

  it("stay when that is taken back before their turn", () =>
    run(
      Effect.gen(function* () {
        const worlds = Array.from({ length: 40 }, () => world())
        const fiber = yield* Effect.forkChild(
          noLinks().leave(
            worlds.map(({ link }) => link),
            10,
            goingAway
          )
        )
        yield* TestClock.adjust("5 seconds")
        const before = left(worlds)
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 minute")
        expect(before).toBeLessThan(40)
        expect(left(worlds)).toBe(before)
      })
    ))

  it("are gone before their turn without harm", () =>
    run(
      Effect.gen(function* () {
        const worlds = Array.from({ length: 10 }, () => world())
        const fiber = yield* Effect.forkChild(
          noLinks().leave(
            worlds.map(({ link }) => link),
            10,
            goingAway
          )
        )
        yield* TestClock.adjust("2 seconds")
        worlds.forEach(({ socket }) => socket.onClose(1000, ""))
        const before = left(worlds)
        yield* TestClock.adjust("1 minute")
        expect(left(worlds)).toBe(before)
        yield* Fiber.join(fiber)
      })
    ))
})

describe("a server that ends", () => {
  it("closes its links with 1001, and waits for them", () =>
    run(
      Effect.gen(function* () {
        const w = world({ closesAtOnce: false })
        const fiber = yield* Effect.forkChild(w.links.drain(10))
        yield* TestClock.adjust("1 second")
        expect(w.socket.ended).toEqual(goingAway)
        expect(fiber.pollUnsafe()).toBeUndefined()
        w.socket.onClose(1001, "")
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        expect(w.links.size).toBe(0)
      })
    ))

  it("does not wait for ever", () =>
    run(
      Effect.gen(function* () {
        const w = world({ closesAtOnce: false })
        const fiber = yield* Effect.forkChild(w.links.drain(0))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        expect(w.links.size).toBe(1)
      })
    ))
})
