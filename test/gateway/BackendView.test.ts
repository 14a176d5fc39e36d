import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { quantile } from "../../src/gateway/BackendView.ts"
import { HistogramCounts } from "../../src/observe/Counters.ts"
import { poolOf } from "./poolOf.ts"
import { circuitBreaker, proxyRoute, urls, webSocketHealth } from "./proxyRoute.ts"

describe("backendView", () => {
  it("shows a target of which nothing is known", () => {
    const { clock, pool } = poolOf(proxyRoute([{ url: "http://10.0.0.1:9000/base", weight: 3 }]))
    expect(pool.view()).toEqual([
      {
        route: "/chat/*",
        backend: "http://10.0.0.1:9000/base",
        weight: 3,
        state: "unknown",
        connections: 0,
        health: {
          status: "unknown",
          since: clock.now,
          checks: { successes: 0, failures: 0 },
          traffic: { successes: 0, failures: 0 }
        },
        circuit: { state: "closed", openings: 0 },
        messages: { in: 0, out: 0 },
        websocket: { open: 0, total: 0, errors: {} },
        http: { open: 0, total: 0, errors: {} }
      }
    ])
  })

  it("shows traffic, checks, errors, the circuit and the last change", () => {
    const { clock, pool, target, trip } = poolOf(
      proxyRoute(urls(1), { circuit_breaker: circuitBreaker, websocket_health: webSocketHealth })
    )
    pool.probed(target(0), { ok: true, milliseconds: 2 })
    const lease = pool.acquire(target(0))
    pool.succeeded(lease, 20)
    target(0).messagesIn += 7
    target(0).messagesOut += 9
    clock.now += 1000
    trip(0)
    expect(pool.view()[0]).toMatchObject({
      state: "up",
      last_change: clock.now,
      connections: 1,
      health: {
        status: "up",
        since: clock.now - 1000,
        checks: { successes: 1, failures: 0, success_rate: 1, failure_rate: 0 },
        traffic: { successes: 1, failures: 3, success_rate: 0.25, failure_rate: 0.75 },
        last_error: { at: clock.now, source: "traffic", type: "connect", message: "connection refused" }
      },
      circuit: { state: "open", openings: 1, opened_at: clock.now },
      messages: { in: 7, out: 9 },
      websocket: { open: 1, total: 4, errors: { connect: 3 }, latency: { p50: 0.02, p99: 0.02 } },
      http: { open: 0, total: 0, errors: {} }
    })
  })

  it("names the state that decides: disabled before draining before what the checks say", () => {
    const { clock, down, pool, target, up } = poolOf(proxyRoute(urls(1), { websocket_health: webSocketHealth }))
    const state = () => pool.view()[0]?.state
    expect(state()).toBe("unknown")
    up(0)
    expect(state()).toBe("up")
    down(0)
    expect(state()).toBe("down")
    pool.drain(target(0), true)
    expect(state()).toBe("draining")
    expect(pool.view()[0]?.draining_since).toBe(clock.now)
    expect(pool.view()[0]?.health.status).toBe("down")
    pool.enable(target(0), false)
    expect(state()).toBe("disabled")
  })
})

describe("quantile", () => {
  const of = (boundaries: ReadonlyArray<number>, values: ReadonlyArray<number>) => {
    const counts = new HistogramCounts(boundaries)
    for (const value of values) counts.observe(value)
    return counts
  }

  it("is within the bucket of the true one, and within what was seen", () => {
    const boundaries = [1, 2, 5, 10, 20, 50, 100]
    const values = fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (seen, q) => {
        const sorted = seen.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(q * seen.length - 1e-9) - 1] ?? 0
        const estimate = quantile(of(boundaries, seen), q)
        const bucket = boundaries.findIndex((boundary) => exact <= boundary)
        expect(estimate).toBeGreaterThanOrEqual(bucket === 0 ? 0 : (boundaries.at(bucket === -1 ? -1 : bucket - 1) ?? 0))
        expect(estimate).toBeLessThanOrEqual(bucket === -1 ? Infinity : (boundaries[bucket] ?? Infinity))
        expect(estimate).toBeGreaterThanOrEqual(sorted[0] ?? 0)
        expect(estimate).toBeLessThanOrEqual(sorted.at(-1) ?? 0)
      })
    )
  })

  it("is 0 of nothing", () => {
    expect(quantile(of([1, 2], []), 0.5)).toBe(0)
  })
})
