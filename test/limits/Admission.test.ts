import { describe, expect, it } from "vitest"
import { admit, type AdmissionLimits, type Load } from "../../src/limits/Admission.ts"

const none: AdmissionLimits = { handshakes: 0, connections: 0, connections_per_address: 0, connections_per_user: 0 }
const quiet: Load = { draining: false, handshakes: 1, connections: 1, perAddress: 1, perUser: 1 }

const cases: ReadonlyArray<readonly [what: string, load: Partial<Load>, limits: Partial<AdmissionLimits>, status: number | undefined]> = [
  ["a first connection", {}, {}, undefined],
  ["any number where nothing is limited", { handshakes: 1e6, connections: 1e6, perAddress: 1e6, perUser: 1e6 }, {}, undefined],
  ["a draining server", { draining: true }, {}, 503],
  ["the last place", { connections: 5 }, { connections: 5 }, undefined],
  ["a full server", { connections: 6 }, { connections: 5 }, 503],
  ["the last place of an address", { perAddress: 2 }, { connections_per_address: 2 }, undefined],
  ["an address with too many", { perAddress: 3 }, { connections_per_address: 2 }, 429],
  ["a user with too many", { perUser: 3 }, { connections_per_user: 2 }, 429],
  ["a handshake over the limit", { handshakes: 11 }, { handshakes: 10 }, 503],
  ["an address over its limit on a full server", { connections: 6, perAddress: 3 }, { connections: 5, connections_per_address: 2 }, 429],
  ["an address over its limit on a draining server", { draining: true, perAddress: 3 }, { connections_per_address: 2 }, 503]
]

describe("admit", () => {
  it.each(cases)("%s", (_, load, limits, status) => {
    const refusal = admit({ ...quiet, ...load }, { ...none, ...limits })
    expect(refusal?.status).toBe(status)
    if (refusal !== undefined) {
      expect(refusal.code).toBe(status === 429 ? "limit_reached" : "unavailable")
      expect(refusal.headers["retry-after"]).toMatch(/^[1-9][0-9]*$/)
    }
  })

  it("does not count a user who is not known yet", () => {
    const { perUser: _, ...unknown } = quiet
    expect(admit(unknown, { ...none, connections_per_user: 1 })).toBeUndefined()
  })
})
