import { describe, expect, it } from "vitest"
import { type LimitOptions, Limits } from "../../src/limits/Limits.ts"

const unlimited: LimitOptions = {
  handshakes: 0,
  connections: 0,
  connections_per_address: 0,
  connections_per_user: 0,
  rate: 0,
  rate_per_user: 0,
  rate_per_address: 0,
  burst: 1
}

const open = (options: Partial<LimitOptions>) => {
  const limits = new Limits({ ...unlimited, ...options })
  return {
    limits,
    connection: limits.connectionBucket(0),
    address: limits.acquireAddress("192.0.2.1", 0),
    user: limits.acquireUser("ada", 0)
  }
}

describe("Limits", () => {
  it("admits any number of messages where nothing is limited", () => {
    const { address, connection, limits, user } = open({})
    const verdicts = Array.from({ length: 1000 }, () => limits.takeMessage(connection, address, user, 0))
    expect(new Set(verdicts)).toEqual(new Set(["ok"]))
  })

  it.each([
    [{ rate: 2 }, "connection"],
    [{ rate_per_user: 2 }, "user"],
    [{ rate_per_address: 2 }, "address"]
  ] as const)("names whose rate was passed: %j", (options, verdict) => {
    const { address, connection, limits, user } = open(options)
    const verdicts = [0, 0, 0, 500].map((now) => limits.takeMessage(connection, address, user, now))
    expect(verdicts).toEqual(["ok", "ok", verdict, "ok"])
  })

  it("shares a user's and an address's rate among their connections", () => {
    const { address, connection, limits, user } = open({ rate_per_user: 1, rate_per_address: 10 })
    const other = limits.connectionBucket(0)
    expect(limits.takeMessage(connection, address, user, 0)).toBe("ok")
    expect(limits.takeMessage(other, limits.acquireAddress("192.0.2.2", 0), limits.acquireUser("ada", 0), 0)).toBe("user")
    expect(limits.takeMessage(other, address, limits.acquireUser("bob", 0), 0)).toBe("ok")
  })

  it("takes nothing from the user and the address for a message that the connection may not send", () => {
    const { address, connection, limits, user } = open({ rate: 1, rate_per_user: 2, rate_per_address: 2 })
    expect(limits.takeMessage(connection, address, user, 0)).toBe("ok")
    for (let index = 0; index < 10; index++) expect(limits.takeMessage(connection, address, user, 0)).toBe("connection")
    expect(limits.takeMessage(limits.connectionBucket(0), address, user, 0)).toBe("ok")
  })

  it("has no user rate for anonymous connections", () => {
    const { address, connection, limits } = open({ rate_per_user: 1 })
    expect([0, 0].map((now) => limits.takeMessage(connection, address, undefined, now))).toEqual(["ok", "ok"])
  })

  it("counts IPv6 addresses of one subscriber together", () => {
    const limits = new Limits(unlimited)
    limits.acquireAddress("2001:db8::1", 0)
    expect(limits.acquireAddress("2001:db8::2", 0).connections).toBe(2)
    expect(limits.acquireAddress("2001:db8:0:1::1", 0).connections).toBe(1)
  })

  it("refuses the connection that is one too many, and admits again after a release", () => {
    const limits = new Limits({ ...unlimited, connections_per_user: 1 })
    const attempt = () => {
      const entry = limits.acquireUser("ada", 0)
      return { entry, refusal: limits.admit({ draining: false, handshakes: 0, connections: 1, perAddress: 1, perUser: entry.connections }) }
    }
    const first = attempt()
    expect(first.refusal).toBeUndefined()
    const second = attempt()
    expect(second.refusal?.status).toBe(429)
    limits.releaseUser(second.entry, 0)
    limits.releaseUser(first.entry, 0)
    expect(attempt().refusal).toBeUndefined()
  })

  it("keeps nothing of those who are gone", () => {
    const { address, limits, user } = open({ rate_per_user: 10, rate_per_address: 10 })
    limits.releaseAddress(address, 0)
    limits.releaseUser(user, 0)
    expect(limits.counts()).toEqual({ addresses: 1, users: 1 })
    limits.sweep(1000)
    expect(limits.counts()).toEqual({ addresses: 0, users: 0 })
  })
})
