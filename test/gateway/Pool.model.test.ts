import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ProxyRoute } from "../../src/config/proxy.ts"
import type { Lease } from "../../src/gateway/Pool.ts"
import { gatewayErrorTypes } from "../../src/gateway/GatewayError.ts"
import { asker, sentBack } from "./asker.ts"
import { poolOf } from "./poolOf.ts"
import { proxyRoute, webSocketHealth } from "./proxyRoute.ts"

/** What may happen to a pool. Numbers name targets, leases and clients, counted round. */
type Step =
  | { readonly do: "choose"; readonly client: number; readonly except: number | undefined; readonly acquire: boolean }
  | { readonly do: "acquire" | "request" | "release"; readonly which: number }
  | { readonly do: "succeeded"; readonly which: number }
  | {
      readonly do: "failed"
      readonly which: number
      readonly type: (typeof gatewayErrorTypes)[number]
      readonly fault: boolean | undefined
    }
  | { readonly do: "probed"; readonly which: number; readonly ok: boolean }
  | { readonly do: "drain" | "enable"; readonly which: number; readonly on: boolean }
  | { readonly do: "wait"; readonly milliseconds: number }

const which = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("choose" as const),
      client: fc.nat(5),
      except: fc.option(which, { nil: undefined, freq: 4 }),
      acquire: fc.boolean()
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("acquire" as const, "request" as const, "release" as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("succeeded" as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("failed" as const),
      which,
      type: fc.constantFrom(...gatewayErrorTypes),
      fault: fc.option(fc.boolean(), { nil: undefined })
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("probed" as const), which, ok: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("drain" as const, "enable" as const), which, on: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), milliseconds: fc.constantFrom(1, 500, 2000, 20_000) }) }
)

const bys = ["cookie", "ip", "user", "header:x-key", "query:key", undefined] as const

const scenario = fc.record({
  weights: fc.array(fc.constantFrom(0, 1, 1, 2, 5), { minLength: 1, maxLength: 6 }),
  strategy: fc.constantFrom<ProxyRoute["strategy"]>(
    "round_robin",
    "weighted_round_robin",
    "random",
    "least_connections",
    "power_of_two",
    "consistent_hash"
  ),
  by: fc.constantFrom(...bys),
  all_down: fc.constantFrom<ProxyRoute["all_down"]>("refuse", "use_all"),
  slow_start: fc.constantFrom(0, 5),
  steps: fc.array(step, { minLength: 1, maxLength: 120 })
})

const run = ({ all_down, by, slow_start, steps, strategy, weights }: typeof scenario extends fc.Arbitrary<infer T> ? T : never): void => {
  const route = proxyRoute(
    weights.map((weight, index) => ({ url: `http://10.0.0.${index}:80`, weight })),
    {
      strategy,
      all_down,
      slow_start,
      websocket_health: { ...webSocketHealth, up: 1, down: 2 },
      circuit_breaker: { failures: 2, rate: 0, min: 20, window: 10, open: 2, tests: 1, successes: 2 },
      ...(by === undefined ? {} : { sticky_sessions: { by, cookie: "stick", ttl: 86_400 } })
    }
  )
  const { clock, pool, target } = poolOf(route)
  const at = <A>(list: ReadonlyArray<A>, n: number): A | undefined => list[n % list.length]
  // What must be true, kept apart from the pool.
  const held: Array<Lease> = []
  const out = weights.map(() => ({ disabled: false, draining: false, failedChecks: 0 }))
  const cookies = new Map<number, string>()
  const stuckTo = new Map<number, number>()
  const owners = new Map<string, number | undefined>()

  const inRotation = (index: number): boolean => {
    const known = out[index]
    return known !== undefined && !known.disabled && !known.draining && known.failedChecks < 2 && target(index).breaker.allows(clock.now)
  }
  const indices = weights.map((_, index) => index)

  const choose = (client: number, failed: number | undefined, acquire: boolean): void => {
    const key = `client ${client}`
    const cookie = cookies.get(client)
    const choice = pool.choose(
      asker({ address: key, user: key, query: `key=${key}`, headers: { "x-key": key, ...(cookie === undefined ? {} : { cookie }) } }),
      failed === undefined ? undefined : new Set([target(failed)])
    )
    const index = choice === undefined ? undefined : pool.targets.indexOf(choice.target)
    const up = indices.filter(inRotation)
    const usesAll = all_down === "use_all" && !up.some((one) => (weights[one] ?? 0) > 0)
    const own = stuckTo.get(client)
    const usable = (usesAll ? indices.filter((one) => out[one]?.disabled === false && out[one].draining === false) : up).filter(
      (one) => one !== failed
    )
    const usableFirst = up.filter((one) => one !== failed)

    if (index === undefined) expect(usable.filter((one) => (weights[one] ?? 0) > 0)).toEqual([])
    else {
      expect(usable.concat(usableFirst)).toContain(index)
      if ((weights[index] ?? 0) === 0) expect(index).toBe(own)
    }
    if (own !== undefined && usableFirst.includes(own)) expect(index).toBe(own)
    if (by !== undefined && by !== "cookie") {
      // The same client and the same targets in rotation: the same choice, at any time.
      const situation = `${client} ${usable.join()}`
      if (owners.has(situation)) expect(index).toBe(owners.get(situation))
      owners.set(situation, index)
    }
    if (by !== "cookie") expect(choice?.setCookie).toBeUndefined()
    if (choice?.setCookie !== undefined && index !== undefined) {
      cookies.set(client, sentBack(choice.setCookie))
      stuckTo.set(client, index)
    }
    if (choice !== undefined && acquire) held.push(pool.acquire(choice.target))
  }

  const take = (one: Step): void => {
    switch (one.do) {
      case "choose":
        return choose(one.client, one.except === undefined ? undefined : one.except % weights.length, one.acquire)
      case "acquire":
      case "request":
        return void held.push(pool.acquire(target(one.which % weights.length), one.do === "request" ? "http" : "websocket"))
      case "release": {
        const lease = at(held, one.which)
        if (lease === undefined) return
        pool.release(lease)
        // Half of those released remain to be released again, to have an outcome, to fail.
        if (one.which % 2 === 0) held.splice(held.indexOf(lease), 1)
        return
      }
      case "succeeded": {
        const lease = at(held, one.which)
        return lease === undefined ? undefined : pool.succeeded(lease, 5)
      }
      case "failed": {
        const lease = at(held, one.which)
        return lease === undefined ? undefined : pool.failed(lease, one.type, "a failure", one.fault)
      }
      case "probed": {
        const known = at(out, one.which)
        if (known === undefined || known.disabled) return
        known.failedChecks = one.ok ? 0 : known.failedChecks + 1
        return pool.probed(
          target(one.which % weights.length),
          one.ok ? { ok: true, milliseconds: 1 } : { ok: false, type: "connect", message: "connection refused" }
        )
      }
      case "drain": {
        const known = at(out, one.which)
        if (known !== undefined) known.draining = one.on
        return pool.drain(target(one.which % weights.length), one.on)
      }
      case "enable": {
        const known = at(out, one.which)
        if (known !== undefined && known.disabled && one.on) known.failedChecks = 0
        if (known !== undefined) known.disabled = !one.on
        return pool.enable(target(one.which % weights.length), one.on)
      }
      case "wait":
        clock.now += one.milliseconds
    }
  }

  for (const one of steps) {
    take(one)
    for (const index of indices) {
      const { connections, http, websocket } = target(index)
      const here = held.filter((lease) => lease.target === target(index) && !lease.released)
      expect(connections).toBe(here.length)
      expect(http.open).toBe(here.filter(({ kind }) => kind === "http").length)
      expect(websocket.open).toBe(here.filter((lease) => lease.kind === "websocket" && lease.open).length)
    }
    expect(pool.retryAfter).toBeGreaterThanOrEqual(1)
    expect(pool.retryAfter).toBeLessThanOrEqual(30)
  }
  // Once all clients are gone and all outages over, everything is as in the beginning.
  for (const lease of held) pool.release(lease)
  clock.now += 60_000
  for (const index of indices) {
    pool.drain(target(index), false)
    pool.enable(target(index), true)
    pool.probed(target(index), { ok: true, milliseconds: 1 })
    expect([target(index).connections, target(index).http.open, target(index).websocket.open]).toEqual([0, 0, 0])
    expect(target(index).available(clock.now), `target ${index} is back`).toBe(true)
  }
}

describe("Pool, whatever happens to it", () => {
  it("chooses only what is in rotation, keeps clients where they stick, and counts to zero", () => {
    fc.assert(fc.property(scenario, run), { numRuns: 600 })
  })
})
