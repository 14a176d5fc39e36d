import { describe, expect, it } from "vitest"
import { asker } from "./asker.ts"
import { misfit } from "./balancers/statistics.ts"
import { poolOf } from "./poolOf.ts"
import { circuitBreaker, proxyRoute, urls, webSocketHealth } from "./proxyRoute.ts"

const monitored = { circuit_breaker: circuitBreaker, websocket_health: webSocketHealth }

describe("Pool.choose", () => {
  it("follows the strategy of the route", () => {
    const weights = [1, 2, 0, 3]
    const route = proxyRoute(urls(4).map((url, index) => ({ url, weight: weights[index] ?? 0 })))
    const counts = (strategy: typeof route.strategy, lasting: boolean) => {
      const { indexOf, pool } = poolOf({ ...route, strategy })
      const found = [0, 0, 0, 0]
      for (let n = 0; n < 6000; n++) {
        const choice = pool.choose(asker({ address: `10.1.${n >> 8}.${n & 255}` }))
        found[indexOf(choice) ?? -1]!++
        if (choice !== undefined && lasting) pool.acquire(choice.target)
      }
      return found
    }
    expect(counts("round_robin", false)).toEqual([2000, 2000, 0, 2000])
    expect(counts("weighted_round_robin", false)).toEqual([1000, 2000, 0, 3000])
    expect(counts("least_connections", true)).toEqual([1000, 2000, 0, 3000])
    expect(misfit(counts("random", false), weights)).toBeLessThan(1)
    expect(misfit(counts("power_of_two", true), weights)).toBeLessThan(0.1)
    counts("consistent_hash", false).forEach((count, index) => expect(Math.abs(count - (weights[index] ?? 0) * 1000)).toBeLessThan(300))
  })

  it("passes over targets that are disabled, draining, down, or have an open circuit", () => {
    const { down, indexOf, pool, target, trip } = poolOf(
      proxyRoute([...urls(5), { url: "http://10.0.0.6:9000", enabled: false }], monitored)
    )
    const seen = () => new Set(Array.from({ length: 20 }, () => indexOf(pool.choose(asker()))))
    expect(seen()).toEqual(new Set([0, 1, 2, 3, 4]))
    pool.enable(target(0), false)
    pool.drain(target(1), true)
    down(2)
    trip(3)
    expect(seen()).toEqual(new Set([4]))
    down(4)
    expect(seen()).toEqual(new Set([undefined]))
    pool.enable(target(5), true)
    expect(seen()).toEqual(new Set([5]))
    pool.drain(target(1), false)
    expect(seen()).toEqual(new Set([1, 5]))
  })

  it("leaves out the targets that have just failed this client", () => {
    const { indexOf, pool, target } = poolOf(proxyRoute(urls(3)))
    expect(indexOf(pool.choose(asker(), new Set([target(0), target(1)])))).toBe(2)
    expect(pool.choose(asker(), new Set(pool.targets))).toBeUndefined()
  })

  it("takes all targets in service when all are down, if the route says so", () => {
    const { down, indexOf, pool, target, trip, up } = poolOf(proxyRoute(urls(4), { ...monitored, all_down: "use_all" }))
    const seen = () => new Set(Array.from({ length: 20 }, () => indexOf(pool.choose(asker()))))
    pool.drain(target(0), true)
    pool.enable(target(1), false)
    down(2)
    expect(seen()).toEqual(new Set([3]))
    trip(3)
    expect(seen()).toEqual(new Set([2, 3]))
    expect(indexOf(pool.choose(asker(), new Set([target(3)])))).toBe(2)
    up(2)
    expect(seen()).toEqual(new Set([2]))
  })

  it("does not take a target that is down because another one has just failed this client", () => {
    const { down, pool, target } = poolOf(proxyRoute(urls(2), { ...monitored, all_down: "use_all" }))
    down(0)
    expect(pool.choose(asker(), new Set([target(1)]))).toBeUndefined()
  })

  it("hashes the address of the client, if the strategy is consistent hashing", () => {
    const { indexOf, pool } = poolOf(proxyRoute(urls(3), { strategy: "consistent_hash" }))
    const found = (address: string) => indexOf(pool.choose(asker({ address })))
    const addresses = Array.from({ length: 50 }, (_, n) => `192.0.2.${n}`)
    expect(addresses.map(found)).toEqual(addresses.map(found))
    expect(new Set(addresses.map(found)).size).toBe(3)
    expect(found("2001:db8::1")).toBe(found("2001:db8::2"))
  })

  it("gives a target that returned a growing share over the slow start, from whatever it was out for", () => {
    const outages = ["down", "drained", "disabled", "open circuit"] as const
    for (const outage of outages) {
      const { clock, down, indexOf, pool, target, trip, up } = poolOf(
        proxyRoute(urls(2), { ...monitored, strategy: "weighted_round_robin", slow_start: 60 })
      )
      const share = () => Array.from({ length: 1100 }, () => indexOf(pool.choose(asker()))).filter((index) => index === 0).length / 1100
      expect(share(), "at the start nothing is cold").toBe(0.5)
      pool.succeeded(pool.acquire(target(0)), 1)
      expect(share(), "nor after its first client").toBe(0.5)
      if (outage === "down") down(0)
      if (outage === "drained") pool.drain(target(0), true)
      if (outage === "disabled") pool.enable(target(0), false)
      if (outage === "open circuit") trip(0)
      expect(share(), outage).toBe(0)
      clock.now += 30_000
      if (outage === "down") up(0)
      if (outage === "drained") pool.drain(target(0), false)
      if (outage === "disabled") pool.enable(target(0), true)
      if (outage === "open circuit") {
        const lease = pool.acquire(target(0))
        pool.succeeded(lease, 1)
        pool.release(lease)
      }
      expect(share(), outage).toBeCloseTo(0.1 / 1.1, 2)
      clock.now += 30_000
      // What happens to it meanwhile does not begin the slow start anew.
      const lease = pool.acquire(target(0))
      pool.succeeded(lease, 1)
      pool.release(lease)
      up(0)
      expect(share(), outage).toBeCloseTo(0.5 / 1.5, 2)
      clock.now += 30_000
      expect(share(), outage).toBeCloseTo(0.5, 2)
    }
  })
})

describe("Pool's circuits", () => {
  it("lets one test through when the open time is over, and closes with its success", () => {
    const { clock, pool, target, trip } = poolOf(proxyRoute(urls(1), monitored))
    trip(0)
    expect(pool.choose(asker())).toBeUndefined()
    clock.now += 30_000
    expect(pool.choose(asker())?.target).toBe(target(0))
    const test = pool.acquire(target(0))
    expect(pool.choose(asker())).toBeUndefined()
    pool.succeeded(test, 1)
    expect(pool.choose(asker())?.target).toBe(target(0))
  })

  it("gives the place of a test back when its client goes before there is an outcome", () => {
    const { clock, pool, target, trip } = poolOf(proxyRoute(urls(1), monitored))
    trip(0)
    clock.now += 30_000
    pool.release(pool.acquire(target(0)))
    expect(pool.choose(asker())?.target).toBe(target(0))
  })

  it("opens for links that are lost after they were made", () => {
    const { pool, target } = poolOf(proxyRoute(urls(2), monitored))
    const leases = [1, 2, 3].map(() => pool.acquire(target(0)))
    for (const lease of leases) pool.succeeded(lease, 1)
    expect(target(0).breaker.state(0)).toBe("closed")
    for (const lease of leases) {
      pool.failed(lease, "lost")
      pool.release(lease)
    }
    expect(target(0).circuit).toBe("open")
    expect(target(0).websocket.errors.lost).toBe(3)
  })

  it("opens for links that are accepted and lost again before they have proved themselves, one after another", () => {
    const { clock, pool, target } = poolOf(proxyRoute(urls(2), monitored))
    const drop = () => {
      const lease = pool.acquire(target(0))
      pool.accepted(lease, 1)
      pool.failed(lease, "lost")
      pool.release(lease)
    }
    for (let n = 0; n < 3; n++) drop()
    expect(target(0).circuit).toBe("open")
    expect(target(0).websocket.latency.count).toBe(3)
    clock.now += 30_000
    drop()
    expect(target(0).circuit).toBe("open")
    clock.now += 30_000
    const test = pool.acquire(target(0))
    pool.accepted(test, 1)
    expect(target(0).circuit).toBe("half_open")
    pool.proved(test)
    expect(target(0).circuit).toBe("closed")
  })

  it("does not open for what is no fault of the target", () => {
    const { pool, target } = poolOf(proxyRoute(urls(1), monitored))
    for (const type of ["slow", "too_large", "refused", "unavailable"] as const)
      for (let n = 0; n < 30; n++) {
        const lease = pool.acquire(target(0))
        pool.failed(lease, type)
        pool.release(lease)
      }
    expect(target(0).circuit).toBe("closed")
    expect(target(0).websocket.errors).toMatchObject({ slow: 30, too_large: 30, refused: 30, unavailable: 30, connect: 0 })
    expect(pool.view()[0]?.health.traffic).toEqual({ successes: 30, failures: 0, success_rate: 1, failure_rate: 0 })
  })

  it("opens for refusals that are a fault of the target, and a test that is refused otherwise closes it", () => {
    const { changes, clock, pool, target } = poolOf(proxyRoute(urls(1), monitored))
    for (let n = 0; n < 3; n++) pool.failed(pool.acquire(target(0)), "refused", "status 503", true)
    expect(target(0).circuit).toBe("open")
    clock.now += 30_000
    pool.failed(pool.acquire(target(0)), "refused", "status 401")
    expect(target(0).circuit).toBe("closed")
    expect(changes.at(-1)).toMatchObject({ change: "circuit_closed" })
    expect(changes.at(-1)?.detail).not.toHaveProperty("error")
  })
})

describe("Pool's accounts", () => {
  it("counts a client from acquire to release, and a second release not at all", () => {
    const { pool, target } = poolOf(proxyRoute(urls(2)))
    const leases = [0, 0, 0].map(() => pool.acquire(target(0)))
    expect(target(0).connections).toBe(3)
    for (const lease of [...leases, ...leases]) pool.release(lease)
    expect(target(0).connections).toBe(0)
    expect(target(1).connections).toBe(0)
  })

  it("counts as open the WebSockets that the backend has accepted, and all HTTP requests under way", () => {
    const { pool, target } = poolOf(proxyRoute(urls(1)))
    const open = () => [target(0).connections, target(0).websocket.open, target(0).http.open]
    const link = pool.acquire(target(0), "websocket")
    const refused = pool.acquire(target(0), "websocket")
    const request = pool.acquire(target(0), "http")
    expect(open()).toEqual([3, 0, 1])
    pool.succeeded(link, 1)
    pool.succeeded(request, 1)
    pool.failed(refused, "refused")
    expect(open()).toEqual([3, 1, 1])
    for (const lease of [link, refused, request, link, refused, request]) pool.release(lease)
    expect(open()).toEqual([0, 0, 0])
    // Too late to count.
    pool.succeeded(link, 1)
    expect(open()).toEqual([0, 0, 0])
    expect([target(0).websocket.total, target(0).http.total]).toEqual([2, 1])
  })

  it("keeps what happens to WebSockets apart from what happens to HTTP requests", () => {
    const { pool, target } = poolOf(proxyRoute(urls(1)))
    const link = pool.acquire(target(0), "websocket")
    const request = pool.acquire(target(0), "http")
    pool.failed(link, "lost")
    pool.failed(request, "too_large")
    pool.succeeded(request, 20)
    const { http, websocket } = target(0)
    expect([websocket.errors.lost, websocket.errors.too_large, http.errors.lost, http.errors.too_large]).toEqual([1, 0, 0, 1])
    expect([websocket.latency.count, http.latency.count]).toEqual([0, 1])
  })

  it("tells of every change of state, once, with what a log line needs", () => {
    const { changes, clock, down, pool, target, trip, up } = poolOf(proxyRoute(urls(2), monitored))
    const told = () => changes.splice(0).map(({ change, detail, target: { id } }) => [id, change, detail])
    const id = "http://10.0.0.1:9000"
    const base = { route: "/chat/*", backend: id, connections: 0 }
    up(0)
    expect(told()).toEqual([[id, "up", base]])
    down(0)
    expect(told()).toEqual([[id, "down", { ...base, error_type: "timeout", error: "no answer in time" }]])
    up(0)
    expect(told()).toEqual([[id, "up", base]])
    for (const draining of [true, true, false, false]) pool.drain(target(0), draining)
    for (const enabled of [true, false, false, true]) pool.enable(target(0), enabled)
    expect(told().map(([, change]) => change)).toEqual(["draining", "undrained", "disabled", "enabled"])
    trip(0)
    expect(told()).toEqual([[id, "circuit_open", { ...base, connections: 1, error_type: "connect", error: "connection refused" }]])
    clock.now += 30_000
    const test = pool.acquire(target(0))
    expect(told()).toEqual([[id, "circuit_half_open", { ...base, connections: 1 }]])
    pool.succeeded(test, 1)
    pool.release(test)
    expect(told()).toEqual([[id, "circuit_closed", { ...base, connections: 1 }]])
  })

  it("knows nothing of the health of a target that is enabled again, and takes it", () => {
    const { down, pool, target } = poolOf(proxyRoute(urls(1), monitored))
    down(0)
    pool.enable(target(0), false)
    pool.enable(target(0), true)
    expect(target(0).health.status).toBe("unknown")
    expect(pool.choose(asker())?.target).toBe(target(0))
  })

  it("remembers since when a target drains", () => {
    const { clock, pool, target } = poolOf(proxyRoute(urls(1)))
    pool.drain(target(0), true)
    const since = clock.now
    clock.now += 5000
    pool.drain(target(0), true)
    expect(target(0).drainedSince).toBe(since)
    pool.drain(target(0), false)
    expect(target(0).drainedSince).toBeUndefined()
  })

  it("finds targets by their id", () => {
    const { pool, target } = poolOf(proxyRoute(urls(3)))
    expect(pool.find("http://10.0.0.2:9000")).toBe(target(1))
    expect(pool.find("http://10.0.0.9:9000")).toBeUndefined()
  })
})

describe("Pool.retryAfter", () => {
  it("is when the first open circuit is tested", () => {
    const { clock, pool, trip } = poolOf(proxyRoute(urls(2), { circuit_breaker: { ...circuitBreaker, open: 20 } }))
    trip(0)
    clock.now += 5500
    trip(1)
    expect(pool.retryAfter).toBe(15)
    clock.now += 14_400
    expect(pool.retryAfter).toBe(1)
  })

  it("is when targets that are down are checked again", () => {
    const { down, pool } = poolOf(proxyRoute(urls(1), monitored))
    down(0)
    expect(pool.retryAfter).toBe(5)
  })

  it("is a few seconds when nothing is known, and never more than 30", () => {
    const { pool, target } = poolOf(proxyRoute(urls(1)))
    pool.drain(target(0), true)
    expect(pool.retryAfter).toBe(5)
    const patient = poolOf(proxyRoute(urls(1), { circuit_breaker: { ...circuitBreaker, open: 3600 } }))
    patient.trip(0)
    expect(patient.pool.retryAfter).toBe(30)
  })
})
