import { describe, expect, it } from "vitest"
import type { ProxyRoute } from "../../src/config/proxy.ts"
import { asker, sentBack } from "./asker.ts"
import { poolOf } from "./poolOf.ts"
import { circuitBreaker, proxyRoute, urls, webSocketHealth } from "./proxyRoute.ts"

type Sticky = NonNullable<ProxyRoute["sticky_sessions"]>

const sticky = (by: Sticky["by"], options: Partial<ProxyRoute> = {}) => ({
  circuit_breaker: circuitBreaker,
  websocket_health: webSocketHealth,
  sticky_sessions: { by, cookie: "weft_backend", ttl: 86_400 },
  ...options
})

const withCookie = (cookie: string) => asker({ headers: { cookie } })

describe("a pool that sticks clients by cookie", () => {
  it("sets the cookie with the first choice, and then keeps the client there without setting it again", () => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(5), sticky("cookie")))
    for (let n = 0; n < 5; n++) {
      const first = pool.choose(asker())
      const cookie = sentBack(first?.setCookie)
      for (let again = 0; again < 10; again++) {
        const choice = pool.choose(withCookie(cookie))
        expect(indexOf(choice)).toBe(indexOf(first))
        expect(choice?.setCookie).toBeUndefined()
      }
    }
  })

  it("sets no cookie on a route without stickiness, and takes no notice of one", () => {
    const [cookie] = [sentBack(poolOf(proxyRoute(urls(3), sticky("cookie"))).pool.choose(asker())?.setCookie)]
    const { indexOf, pool } = poolOf(proxyRoute(urls(3)))
    const choices = [1, 2, 3].map(() => pool.choose(withCookie(cookie)))
    expect(choices.map(indexOf)).toEqual([0, 1, 2])
    expect(choices.map((choice) => choice?.setCookie)).toEqual([undefined, undefined, undefined])
  })

  it("makes the same choice after a restart and on a node whose targets stand in another order", () => {
    const there = poolOf(proxyRoute(urls(5), sticky("cookie")), { seed: 1 })
    const here = poolOf(proxyRoute(urls(5).toReversed(), sticky("cookie")), { seed: 2 })
    for (let n = 0; n < 20; n++) {
      const first = there.pool.choose(asker())
      expect(here.pool.choose(withCookie(sentBack(first?.setCookie)))?.target.id).toBe(first?.target.id)
    }
  })

  it("sets the cookie anew, for the same target, once half of its time has passed", () => {
    const { clock, indexOf, pool } = poolOf(proxyRoute(urls(5), sticky("cookie")))
    const first = pool.choose(asker())
    clock.now += 43_201_000
    const renewed = pool.choose(withCookie(sentBack(first?.setCookie)))
    expect(indexOf(renewed)).toBe(indexOf(first))
    expect(renewed?.setCookie).toBeDefined()
    clock.now += 43_201_000
    expect(indexOf(pool.choose(withCookie(sentBack(renewed?.setCookie))))).toBe(indexOf(first))
  })

  it("sticks the client to another target when its own is down, drained, disabled or has an open circuit, and it stays there", () => {
    const outages = ["down", "drained", "disabled", "open circuit", "just failed"] as const
    for (const outage of outages) {
      const { clock, down, indexOf, pool, target, trip, up } = poolOf(proxyRoute(urls(3), sticky("cookie")))
      const first = pool.choose(asker())
      const own = indexOf(first) ?? -1
      if (outage === "down") down(own)
      if (outage === "drained") pool.drain(target(own), true)
      if (outage === "disabled") pool.enable(target(own), false)
      if (outage === "open circuit") trip(own)
      const except = outage === "just failed" ? new Set([target(own)]) : undefined
      const second = pool.choose(withCookie(sentBack(first?.setCookie)), except)
      expect(indexOf(second), outage).not.toBe(own)
      expect(second?.setCookie, outage).toBeDefined()
      up(own)
      pool.drain(target(own), false)
      pool.enable(target(own), true)
      clock.now += 60_000
      expect(indexOf(pool.choose(withCookie(sentBack(second?.setCookie)))), outage).toBe(indexOf(second))
    }
  })

  it("keeps the client at a target that takes no new ones for its weight", () => {
    const even = poolOf(proxyRoute(urls(2), sticky("cookie")))
    const first = even.pool.choose(asker())
    const weights = even.pool.targets.map((target) => ({ url: target.id, weight: target === first?.target ? 0 : 1 }))
    const { pool } = poolOf(proxyRoute(weights, sticky("cookie")))
    expect(pool.choose(withCookie(sentBack(first?.setCookie)))?.target.id).toBe(first?.target.id)
    expect(pool.choose(asker())?.target.id).not.toBe(first?.target.id)
  })

  it("keeps the client at its own target when all are down and all are used", () => {
    const { down, indexOf, pool } = poolOf(proxyRoute(urls(4), sticky("cookie", { all_down: "use_all" })))
    pool.choose(asker())
    const first = pool.choose(asker())
    for (const index of [0, 1, 2, 3]) down(index)
    for (let n = 0; n < 5; n++) expect(indexOf(pool.choose(withCookie(sentBack(first?.setCookie))))).toBe(indexOf(first))
  })

  it("treats a client with a forged cookie as one without", () => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(3), sticky("cookie")))
    const forger = poolOf(proxyRoute(urls(3), sticky("cookie")), { secret: new Uint8Array(32).fill(1) })
    const forged = sentBack(forger.pool.choose(asker())?.setCookie)
    const choices = [1, 2, 3].map(() => pool.choose(withCookie(forged)))
    expect(choices.map(indexOf)).toEqual([0, 1, 2])
    for (const choice of choices) expect(choice?.setCookie).toBeDefined()
  })

  it("chooses by the strategy for clients without a cookie", () => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(3), sticky("cookie", { strategy: "least_connections" })))
    for (let n = 0; n < 30; n++) pool.acquire(pool.choose(asker())?.target ?? pool.targets[0]!)
    expect(pool.targets.map(({ connections }) => connections)).toEqual([10, 10, 10])
    expect(indexOf(pool.choose(asker()))).toBeDefined()
  })
})

describe("a pool that sticks clients by key", () => {
  const kinds = [
    { by: "ip", client: (n: number) => asker({ address: `192.0.2.${n}` }) },
    { by: "user", client: (n: number) => asker({ user: `${n}` }) },
    { by: "header:X-Tenant", client: (n: number) => asker({ headers: { "x-tenant": `tenant ${n}` } }) },
    { by: "query:room", client: (n: number) => asker({ query: `room=room-${n}` }) }
  ] as const
  const clients = Array.from({ length: 60 }, (_, n) => n)

  it.each(kinds)("by $by chooses the same after a restart and on a node whose targets stand in another order", ({ by, client }) => {
    const there = poolOf(proxyRoute(urls(5), sticky(by)), { seed: 1 })
    const here = poolOf(proxyRoute(urls(5).toReversed(), sticky(by)), { seed: 2, secret: new Uint8Array(32) })
    const ids = (pool: typeof there.pool) => clients.map((n) => pool.choose(client(n))?.target.id)
    const found = ids(there.pool)
    expect(ids(here.pool)).toEqual(found)
    expect(ids(there.pool)).toEqual(found)
    expect(new Set(found).size).toBe(5)
  })

  it.each(kinds)("by $by moves only the clients of a target that goes, and moves them back", ({ by, client }) => {
    const { down, indexOf, pool, up } = poolOf(proxyRoute(urls(4), sticky(by, { slow_start: 60 })))
    const found = () => clients.map((n) => indexOf(pool.choose(client(n))))
    const before = found()
    down(2)
    found().forEach((now, n) => (before[n] === 2 ? expect(now).not.toBe(2) : expect(now).toBe(before[n])))
    up(2)
    expect(found()).toEqual(before)
  })

  it.each(kinds)("by $by sets no cookie", ({ by, client }) => {
    expect(poolOf(proxyRoute(urls(3), sticky(by))).pool.choose(client(1))?.setCookie).toBeUndefined()
  })

  it.each(kinds.slice(1))("by $by chooses by the strategy for a client without that key", ({ by }) => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(3), sticky(by)))
    expect([1, 2, 3].map(() => indexOf(pool.choose(asker())))).toEqual([0, 1, 2])
  })

  it("hashes the key and not the address, also where the strategy is consistent hashing", () => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(4), sticky("user", { strategy: "consistent_hash" })))
    const from = (address: string, user?: string) => indexOf(pool.choose(asker({ address, user })))
    const addresses = Array.from({ length: 30 }, (_, n) => `192.0.2.${n}`)
    expect(new Set(addresses.map((address) => from(address, "ada"))).size).toBe(1)
    expect(new Set(addresses.map((address) => from(address))).size).toBe(4)
  })

  it("has nobody for a client when all targets are out, and keeps it when all are used then", () => {
    const refusing = poolOf(proxyRoute(urls(2), sticky("user")))
    const using = poolOf(proxyRoute(urls(2), sticky("user", { all_down: "use_all" })))
    const before = using.pool.choose(asker({ user: "ada" }))?.target
    for (const index of [0, 1]) {
      refusing.down(index)
      using.down(index)
    }
    expect(refusing.pool.choose(asker({ user: "ada" }))).toBeUndefined()
    expect(using.pool.choose(asker({ user: "ada" }))?.target).toBe(before)
  })
})
