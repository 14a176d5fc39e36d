/** The gateway's load, small and short, through a route of Weft to an echoing backend and straight to it: the counts must add up. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { mergeLatencies } from "../../src/bench/Latency.ts"
import { runLoad } from "../../src/bench/Load.ts"
import { lost, type Result } from "../../src/bench/Result.ts"
import { connectionsOf, type GatewaySpec, type Spec } from "../../src/bench/Spec.ts"
import { freePort } from "../support/ports.ts"
import { type Finished, run, startProcess } from "../support/process.ts"
import { projectRoot, startWeft, temporaryFolder, type Weft } from "../support/weft.ts"
import { listen } from "./server.ts"

const secret = "a secret of the gateway's load, long enough"

let weft: Weft
/** The way through the proxy, the same with a token required, and the backend's own address. */
let through: string
let guarded: string
let direct: string

beforeAll(async () => {
  const port = await freePort()
  const backend = await startProcess(process.execPath, [
    fileURLToPath(new URL("../../bench/servers/echo.ts", import.meta.url)),
    String(port)
  ])
  await backend.output(/ready/)
  const route = (path: string): string => `[[proxy]]\npath = "${path}"\ntargets = ["http://127.0.0.1:${port}"]\n`
  weft = await startWeft({
    config: `[drain]\nperiod = 0\n[auth.jwt]\nsecret = "${secret}"\n${route("/open")}${route("/guarded")}auth.required = true\n`
  })
  const base = weft.url.replace(/^http/, "ws")
  through = `${base}/open`
  guarded = `${base}/guarded`
  direct = `ws://127.0.0.1:${port}/open`
})

const scenarios: ReadonlyArray<readonly [string, GatewaySpec]> = [
  ["closed loop", { kind: "gateway", connections: 30, idle: 0, inflight: 8, size: 64 }],
  ["closed loop with idle connections, empty messages", { kind: "gateway", connections: 10, idle: 60, inflight: 1, size: 0 }],
  ["open loop with idle connections", { kind: "gateway", connections: 20, idle: 60, inflight: 1, rate: 400, size: 200 }],
  ["large messages", { kind: "gateway", connections: 4, idle: 0, inflight: 2, size: 200_000 }]
]

const load = (url: string, scenario: Spec["scenario"], target: Partial<Spec["target"]> = {}): Promise<Result> =>
  runLoad(
    {
      target: { url, encodings: ["json"], batch: false, pids: [], ...target },
      scenario,
      warmup: 0.1,
      seconds: 0.6,
      ramp: 32,
      patience: 20
    },
    { threads: 2 }
  )

describe("counts of the gateway's load add up", () => {
  it.each(scenarios)("through a route: %s", async (_, scenario) => {
    const result = await load(through, scenario, { pids: [weft.pid] })
    expect(result.partial).toBeUndefined()
    expect(result.notices).toEqual({})
    expect(result.endings).toEqual({})
    expect(result.opened).toBe(connectionsOf(scenario))
    expect(result.window.received).toBeGreaterThan(0)
    expect(result.received).toBe(result.sent)
    expect(lost(result)).toBe(0)
    expect(mergeLatencies([result.latency]).totalCount).toBeGreaterThan(0)
    expect(mergeLatencies([result.lateness]).totalCount > 0).toBe(scenario.rate !== undefined)
    expect(result.server?.cpu).toBeGreaterThan(0)
  })

  it("with a token for each connection, where the route asks for one", async () => {
    const scenario = scenarios[0]![1]
    expect(await load(guarded, scenario, { secret })).toMatchObject({ opened: 30, endings: {} })
    expect((await load(guarded, scenario)).partial).toMatch(/refused with 401/)
  })

  it("and what is no echo is told, not counted", async () => {
    const talkative = await listen((socket) => {
      socket.once("message", () => socket.send("hello"))
      socket.on("message", (data: Buffer) => socket.send(data.toString()))
    })
    const result = await load(talkative, { kind: "gateway", connections: 4, idle: 0, inflight: 2, size: 10 })
    expect(result.notices).toEqual({ "a message that is no echo": 4 })
    expect(lost(result)).toBe(0)
  })

  it("and what does not come back is lost", async () => {
    const silent = await listen(() => undefined)
    const spec = {
      target: { url: silent, encodings: ["json"], batch: false, pids: [] },
      warmup: 0,
      seconds: 0.1,
      ramp: 8,
      patience: 0.3
    } as const
    const result = await runLoad({ ...spec, scenario: { kind: "gateway", connections: 4, idle: 0, inflight: 2, size: 10 } }, { threads: 1 })
    expect(lost(result)).toBe(8)
  })
})

describe("weft bench gateway", () => {
  const bench = (...rest: ReadonlyArray<string>): Promise<Finished> =>
    run(process.execPath, ["src/main.ts", "bench", "gateway", ...rest, "--duration", "0.3", "--warmup", "0.1"], { cwd: projectRoot })

  it("measures the proxy, and the backend without it in turn", async () => {
    const json = join(await temporaryFolder(), "figures.json")
    const options = ["--connections", "8", "--idle", "8", "--rate", "200", "--pid", String(weft.pid), "--json", json]
    const { code, stderr, stdout } = await bench(`${through}?token=hidden`, "--direct", `${direct}?x=hidden`, "--rounds", "2", ...options)
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/^gateway: 8 connections and 8 idle ones, 200 messages a second over all, 64 bytes$/m)
    expect(stdout.match(/lost 0$/gm)).toHaveLength(2)
    expect(stdout.match(/server CPU/g)).toHaveLength(1)
    expect(stdout).toMatch(/^added latency ms: p50 .* 2 rounds of each in turn\)$/m)
    const text = await readFile(json, "utf8")
    const figures = JSON.parse(text) as Record<string, unknown>
    expect(figures).toMatchObject({ partial: false, lost: 0, direct: { url: direct, rounds: 2, lost: 0 } })
    expect(Object.keys(figures["added_ms"] as object)).toEqual(["p50", "p90", "p99", "p999"])
    expect(text + stdout).not.toMatch(/hidden/)
  })

  it("does without the direct way, with a token", async () => {
    const { code, stderr, stdout } = await bench(guarded, "--connections", "4", "--inflight", "2", "--secret", secret)
    expect(code, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/lost 0$/m)
    expect(stdout).not.toMatch(/added|directly/)
  })

  it("keeps an address as it is given", async () => {
    const { code, stderr } = await bench(through.replace(/^ws:\/\/(.*)\/open$/, "$1/nowhere"))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: refused with 404/m)
  })

  it.each([
    [["http://"], /^weft: not a WebSocket address: http:\/\//m],
    [["ws://127.0.0.1:1/", "--direct", "ftp://a"], /^weft: not a WebSocket address: ftp:\/\/a/m],
    [[], /url/i],
    [["ws://127.0.0.1:1/", "--rate", "0"], /must be more than 0/],
    [["ws://127.0.0.1:1/", "--rounds", "0"], /must be at least 1/],
    [["ws://127.0.0.1:1/", "--encoding", "json"], /encoding/]
  ])("says what is wrong with %j", async (args, message) => {
    const { code, stderr, stdout } = await bench(...args)
    expect(code).toBe(1)
    expect(stderr + stdout).toMatch(message)
  })

  it("says that nobody listens, on either way", async () => {
    const nobody = `ws://127.0.0.1:${await freePort()}/`
    const gone = await bench(nobody, "--connections", "2")
    expect(gone.code).toBe(1)
    expect(gone.stderr).toMatch(/^weft: can not connect: connection refused$/m)
    const half = await bench(through, "--direct", nobody, "--connections", "2")
    expect(half.code).toBe(1)
    expect(half.stderr).toMatch(/^weft: directly: can not connect: connection refused$/m)
    expect(half.stdout).toMatch(/PARTIAL/)
  })
})
