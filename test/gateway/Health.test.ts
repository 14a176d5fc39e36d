import { assert, it as effectIt } from "@effect/vitest"
import { Effect, Exit, Latch, Layer, Logger, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { allOf, type HealthOptions, type HealthTarget, watchHealth } from "../../src/gateway/Health.ts"
import { type HealthChecks, healthPlan, type HttpCheck, type WebSocketCheck } from "../../src/gateway/HealthPlan.ts"
import { type HealthState, type HealthStatus, makeHealth, probed, type ProbeOutcome } from "../../src/gateway/HealthState.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { startProcess } from "../support/process.ts"
import { httpBackend, silentBackend, tcpBackend, upgradingBackend, webSocketBackend } from "./probes/backends.ts"

/** Short times, so that a test sees many checks. Nothing below depends on how short. */
const quick: WebSocketCheck = { interval: 0.05, timeout: 20, path: "/", up: 2, down: 3 }
const quickHttp: HttpCheck = { ...quick, status: "200-399" }

interface Watched extends HealthTarget {
  enabled: () => boolean
  probed: (outcome: ProbeOutcome) => void
  state: HealthState
  readonly outcomes: Array<ProbeOutcome>
  /** The outcomes in a row that led to each change of status: "+" passed, "-" failed. */
  readonly changes: Array<readonly [HealthStatus, string]>
}

const watched = (url: URL, checks: HealthChecks): Watched => {
  const plan = healthPlan(checks)
  if (plan === undefined) throw new Error("nothing is checked")
  let since = ""
  const target: Watched = {
    route: "chat",
    id: url.host,
    url,
    enabled: () => true,
    state: makeHealth(0),
    outcomes: [],
    changes: [],
    probed: (outcome) => {
      const before = target.state.status
      target.outcomes.push(outcome)
      target.state = probed(target.state, plan, outcome, 0)
      since += outcome.ok ? "+" : "-"
      if (target.state.status === before) return
      target.changes.push([target.state.status, since])
      since = ""
    }
  }
  return target
}

/** Checks until the end of the file, or until what it gives is called. */
const watch = async (
  checks: HealthChecks,
  targets: ReadonlyArray<HealthTarget>,
  options: HealthOptions = {},
  layer: Layer.Layer<never> = Layer.empty
) => {
  const scope = await Effect.runPromise(Scope.make())
  await Effect.runPromise(watchHealth(checks, targets, options).pipe(Effect.provide(layer), Scope.provide(scope)))
  const stop = () => Effect.runPromise(Scope.close(scope, Exit.void))
  atEnd(stop)
  return stop
}

const ignore = () => undefined

/** A byte of an answer now and then: each comes in time, the whole does not. */
const slowly = (socket: Socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nX: ")
  const timer = setInterval(() => socket.write("x"), 20)
  socket.on("close", () => clearInterval(timer))
}

const becomes = (target: Watched, status: HealthStatus) =>
  eventually(() => target.state.status === status, {
    message: () => `${target.id} is ${target.state.status}, not ${status}, after ${JSON.stringify(target.outcomes.slice(-3))}`
  })

describe("a target", () => {
  it("is up after its first check", async () => {
    const backend = await webSocketBackend()
    const checks = { websocket_health: quick }
    const target = watched(backend.url, checks)
    await watch(checks, [target])
    await becomes(target, "up")
    expect(target.changes).toEqual([["up", "+"]])
  })

  it("that dies is down after `down` failures and up after `up` successes once it is back", async () => {
    const first = await webSocketBackend()
    const checks = { websocket_health: quick }
    const target = watched(first.url, checks)
    await watch(checks, [target])
    await becomes(target, "up")
    await first.stop()
    await becomes(target, "down")
    await webSocketBackend({ at: first.port })
    await becomes(target, "up")
    const [, down, up] = target.changes
    expect(down?.[1]).toMatch(/^\+*---$/)
    expect(up?.[1]).toMatch(/^-*\+\+$/)
    expect(target.state.lastError?.message).toMatch(/refused|closed the connection/)
  })

  it.each<readonly [string, string, number, string, () => Promise<URL>]>([
    ["refuses connections", "connect", 20, "---", async () => new URL(`http://127.0.0.1:${await freePort()}`)],
    ["says nothing", "timeout", 0.1, "-", async () => (await silentBackend()).url],
    ["answers slowly", "timeout", 0.1, "-", async () => (await tcpBackend((socket) => void slowly(socket))).url],
    ["answers 401", "refused", 20, "---", async () => (await httpBackend((_request, response) => void response.writeHead(401).end())).url],
    ["has a wrong accept key", "protocol", 20, "---", async () => (await upgradingBackend(ignore, () => "wrong")).url]
  ])("that %s is down, and the reason is told", async (_what, type, timeout, outcomes, start) => {
    const checks = { websocket_health: { ...quick, timeout } }
    const target = watched(await start(), checks)
    await watch(checks, [target])
    await becomes(target, "down")
    expect(target.changes).toEqual([["down", outcomes]])
    expect(target.state.lastError?.type).toBe(type)
  })

  it("that is frozen leaves, and returns when it goes on", async () => {
    const script = `
      const { WebSocketServer } = require("ws")
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => console.log("port " + server.address().port))
    `
    const root = fileURLToPath(new URL("../..", import.meta.url))
    const child = await startProcess(process.execPath, ["-e", script], { cwd: root })
    const port = (await child.output(/port (\d+)/))[1]
    const checks = { websocket_health: { ...quick, timeout: 0.5 } }
    const target = watched(new URL(`http://127.0.0.1:${port}`), checks)
    await watch(checks, [target])
    await becomes(target, "up")
    await child.freeze()
    await becomes(target, "down")
    expect(target.state.lastError?.type).toBe("timeout")
    child.thaw()
    await becomes(target, "up")
    expect(child.running()).toBe(true)
    await child.kill()
  })

  it("that is silent is asked `down` times within one check, and passes if one of them is answered", async () => {
    let asked = 0
    const backend = await httpBackend((_request, response) => {
      // Only the third request of a check has an answer.
      if (++asked % 3 === 0) response.end()
    })
    const checks = { http_health: { ...quickHttp, timeout: 3 } }
    const target = watched(backend.url, checks)
    await watch(checks, [target])
    await becomes(target, "up")
    expect(target.changes).toEqual([["up", "+"]])
  })

  it("with both checks is up only if both pass", async () => {
    let status = 500
    const backend = await webSocketBackend({ onRequest: (_request, response) => void response.writeHead(status).end() })
    const checks = { websocket_health: quick, http_health: quickHttp }
    const target = watched(backend.url, checks)
    await watch(checks, [target])
    await becomes(target, "down")
    expect(target.state.lastError?.message).toBe("the backend answered with status 500")
    status = 204
    await becomes(target, "up")
  })

  it("is not checked while it is disabled", async () => {
    const [resting, busy] = [await webSocketBackend(), await webSocketBackend()]
    const checks = { websocket_health: quick }
    const [asleep, awake] = [watched(resting.url, checks), watched(busy.url, checks)]
    let enabled = false
    asleep.enabled = () => enabled
    await watch(checks, [asleep, awake])
    await eventually(() => awake.outcomes.length > 10)
    expect([asleep.outcomes.length, resting.seen()]).toEqual([0, 0])
    enabled = true
    await becomes(asleep, "up")
  })

  it("that is disabled during a check gets no outcome of it", async () => {
    const backend = await silentBackend()
    const checks = { websocket_health: { ...quick, timeout: 1 } }
    const target = watched(backend.url, checks)
    let enabled = true
    target.enabled = () => enabled
    await watch(checks, [target])
    await eventually(() => backend.open() > 0)
    enabled = false
    await eventually(() => backend.open() === 0)
    const before = backend.seen()
    // The next check begins once the last one is done with.
    enabled = true
    await eventually(() => backend.seen() > before)
    expect(target.outcomes).toEqual([])
  })

  it("is not held up by another that says nothing", async () => {
    const checks = { websocket_health: { ...quick, timeout: 60 } }
    const [mute, well] = [watched((await silentBackend()).url, checks), watched((await webSocketBackend()).url, checks)]
    await watch(checks, [mute, well])
    await eventually(() => well.outcomes.length > 5)
    expect(mute.outcomes).toEqual([])
  })
})

describe("a route", () => {
  it("without checks checks nothing", async () => {
    const [backend, other] = [await webSocketBackend(), await webSocketBackend()]
    const checks = { websocket_health: quick }
    await watch({}, [watched(backend.url, checks)])
    const target = watched(other.url, checks)
    await watch(checks, [target])
    await eventually(() => target.outcomes.length > 5)
    expect(backend.seen()).toBe(0)
  })

  it("stops its checks with the scope, also one that is under way", async () => {
    const [silent, busy] = [await silentBackend(), await webSocketBackend()]
    const checks = { websocket_health: { ...quick, timeout: 60 } }
    const [mute, well] = [watched(silent.url, checks), watched(busy.url, checks)]
    const stop = await watch(checks, [mute, well])
    await eventually(() => silent.open() === 1 && well.outcomes.length > 2)
    await stop()
    await eventually(() => silent.open() === 0 && busy.open() === 0)
    const [outcomes, seen] = [well.outcomes.length, busy.seen()]
    // Time for many more checks, had there been any.
    const control = watched((await webSocketBackend()).url, checks)
    await watch(checks, [control])
    await eventually(() => control.outcomes.length > 5)
    expect([well.outcomes.length, busy.seen(), mute.outcomes.length]).toEqual([outcomes, seen, 0])
  })

  it("logs a fiber that fails, with route and backend, and starts it again", async () => {
    const backend = await webSocketBackend()
    const checks = { websocket_health: quick }
    const target = watched(backend.url, checks)
    const take = target.probed
    let failures = 2
    target.probed = (outcome) => {
      if (failures-- > 0) throw new Error("the pool fell over")
      take(outcome)
    }
    const lines: Array<Readonly<Record<string, unknown>>> = []
    const logger = Logger.make(({ cause, fiber, message }) => {
      lines.push({ message: String(message), cause: String(cause), ...fiber.getRef(References.CurrentLogAnnotations) })
    })
    const restarts: Array<string> = []
    await watch(checks, [target], { onRestart: (actor) => restarts.push(actor) }, Logger.layer([logger]))
    await becomes(target, "up")
    expect(restarts).toEqual(["health", "health"])
    expect(lines).toEqual(
      Array.from({ length: 2 }, () => ({
        message: "an actor failed and is restarted",
        cause: expect.stringContaining("the pool fell over"),
        actor: "health",
        route: "chat",
        backend: target.id
      }))
    )
  })

  it("goes on with a fiber that failed too often, an interval later", async () => {
    const backend = await webSocketBackend()
    const checks = { websocket_health: quick }
    const target = watched(backend.url, checks)
    const take = target.probed
    let failures = 8
    target.probed = (outcome) => {
      if (failures-- > 0) throw new Error("the pool fell over")
      take(outcome)
    }
    await watch(checks, [target], {}, Logger.layer([]))
    await becomes(target, "up")
  })
})

describe("the intervals", () => {
  effectIt.effect("begin within a second, are short until it is clear what is the matter, then as configured", () =>
    Effect.gen(function* () {
      const port = yield* Effect.promise(freePort)
      const checks = { websocket_health: { interval: 30, timeout: 5, path: "/", up: 2, down: 3 } }
      const target = watched(new URL(`http://127.0.0.1:${port}`), checks)
      yield* watchHealth(checks, [target])
      const after = (milliseconds: number, count: number) =>
        TestClock.adjust(milliseconds).pipe(Effect.andThen(Effect.promise(() => eventually(() => target.outcomes.length === count))))
      yield* after(1000, 1)
      yield* after(5000, 2)
      yield* after(5000, 3)
      assert.deepStrictEqual(target.changes, [["down", "---"]])
      // Were the interval still 5 s, there would be more than one check in 30 s.
      for (let step = 0; step < 29; step++) yield* TestClock.adjust(1000)
      yield* after(1000, 4)
    })
  )
})

describe("allOf", () => {
  const fast: ProbeOutcome = { ok: true, milliseconds: 1 }
  const slow: ProbeOutcome = { ok: true, milliseconds: 9 }
  const first: ProbeOutcome = { ok: false, type: "timeout", message: "no pong" }
  const second: ProbeOutcome = { ok: false, type: "refused", message: "status 500" }

  it.each<readonly [string, ReadonlyArray<ProbeOutcome>, ProbeOutcome]>([
    ["one success", [fast], fast],
    ["two successes, the slower one", [slow, fast], slow],
    ["a failure after a success", [fast, first], first],
    ["a failure before a success", [first, slow], first],
    ["the first of two failures", [first, second], first]
  ])("gives %s", async (_what, outcomes, expected) => {
    expect(await Effect.runPromise(allOf(outcomes.map((outcome) => Effect.succeed(outcome))))).toEqual(expected)
  })

  it("asks all at the same time", async () => {
    const ready = Latch.makeUnsafe()
    const waits = Effect.as(ready.await, fast)
    const opens = Effect.as(ready.open, fast)
    expect(await Effect.runPromise(allOf([waits, opens]))).toEqual(fast)
  })
})
