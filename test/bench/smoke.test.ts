/** Every scenario once, small and short, against Weft and against the bare server: the counts must add up. */
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { mergeLatencies } from "../../src/bench/Latency.ts"
import { runLoad } from "../../src/bench/Load.ts"
import { lost, type Result } from "../../src/bench/Result.ts"
import { connectionsOf, type Scenario, type Spec, type Target } from "../../src/bench/Spec.ts"
import { freePort } from "../support/ports.ts"
import { startProcess } from "../support/process.ts"
import { startWeft } from "../support/weft.ts"

const secret = "a secret of the smoke run, long enough"

const scenarios: ReadonlyArray<readonly [string, Scenario]> = [
  ["connect", { kind: "connect", connections: 300, prime: 10, members: 20, hold: 0.2 }],
  ["echo", { kind: "echo", connections: 200, inflight: 4, size: 64 }],
  ["presence", { kind: "presence", connections: 200, members: 20, inflight: 1 }],
  ["fanout, closed loop", { kind: "fanout", rooms: 2, subscribers: 100, publishers: 1, outstanding: 4, size: 64 }],
  ["fanout, open loop", { kind: "fanout", rooms: 10, subscribers: 19, publishers: 1, outstanding: 1, rate: 100, size: 64 }],
  ["mixed with guests", { kind: "mixed", users: 200, members: 20, think: 1, size: 64, churn: 20 }]
]

const kinds: ReadonlyArray<readonly [string, Pick<Target, "encodings" | "batch">]> = [
  ["JSON and MessagePack", { encodings: ["json", "msgpack"], batch: false }],
  ["both, in batches", { encodings: ["json", "msgpack"], batch: true }]
]

const servers: Record<string, Pick<Target, "url" | "secret" | "dialect" | "pids">> = {}

beforeAll(async () => {
  const weft = await startWeft({ config: `[auth.jwt]\nsecret = "${secret}"\n[drain]\nperiod = 0\n` })
  servers["weft"] = { url: weft.socketUrl, secret, pids: [weft.pid] }
  const port = await freePort()
  const bare = await startProcess(process.execPath, [fileURLToPath(new URL("../../bench/servers/uws.ts", import.meta.url)), String(port)])
  await bare.output(/ready/)
  servers["bare"] = {
    url: `ws://127.0.0.1:${port}/ws`,
    dialect: new URL("../../bench/contenders/uws.ts", import.meta.url).href,
    pids: [bare.pid]
  }
})

const run = (server: string, kind: Pick<Target, "encodings" | "batch">, scenario: Scenario): Promise<Result> => {
  const spec: Spec = { target: { ...servers[server]!, ...kind }, scenario, warmup: 0.2, seconds: 1, ramp: 32, patience: 20 }
  return runLoad(spec, { threads: 2 })
}

const runs = [
  ...kinds.flatMap(([name, kind]) => scenarios.map(([scenario, numbers]) => ["weft", scenario, name, kind, numbers] as const)),
  // The bare server knows no presence.
  ...scenarios
    .filter(([, { kind }]) => kind !== "presence")
    .map(([scenario, numbers]) => ["bare", scenario, kinds[0]![0], kinds[0]![1], numbers] as const)
]

describe("counts of a load add up", () => {
  it.each(runs)("on %s: %s in %s", async (server, _scenario, _kind, kind, scenario) => {
    const result = await run(server, kind, scenario)
    expect(result.partial).toBeUndefined()
    expect(result.notices).toEqual({})
    expect(result.endings).toEqual({})
    expect(result.opened).toBeGreaterThanOrEqual(connectionsOf(scenario))
    expect(result.sent).toBeGreaterThan(0)
    expect(result.received).toBe(result.expected)
    expect(lost(result)).toBe(0)
    expect(mergeLatencies([result.handshakes]).totalCount).toBe(result.opened)
    if (scenario.kind !== "connect") {
      expect(result.window.received).toBeGreaterThan(0)
      expect(mergeLatencies([result.latency]).totalCount).toBeGreaterThan(0)
    }
  })
})
