import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { shownCommand } from "../../src/cli/bench/execute.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { type Child, type Finished, run, startProcess } from "../support/process.ts"
import { projectRoot, startWeft, temporaryFolder, type Weft } from "../support/weft.ts"

const secret = "a secret of the command's test, long enough"
const config = `[auth.jwt]\nsecret = "${secret}"\n[drain]\nperiod = 0\n`

const args = (...rest: ReadonlyArray<string>): ReadonlyArray<string> => ["src/main.ts", "bench", ...rest]
const bench = (...rest: ReadonlyArray<string>): Promise<Finished> => run(process.execPath, args(...rest), { cwd: projectRoot })
const start = (...rest: ReadonlyArray<string>): Promise<Child> => startProcess(process.execPath, args(...rest), { cwd: projectRoot })

let weft: Weft
beforeAll(async () => {
  weft = await startWeft({ config })
})

const short = ["--duration", "0.5", "--warmup", "0.1"] as const

describe("the command line in a report", () => {
  it("shows no token, no secret and no query", () => {
    const given = ["bench", "echo", "wss://a/ws?token=T", "--secret", "S", "--token=T", "--json", "f.json"]
    expect(shownCommand(given)).toEqual(["bench", "echo", "wss://a/ws", "--secret", "…", "--token=…", "--json", "f.json"])
  })
})

describe("weft bench", () => {
  it("measures, prints a table, and writes figures and picture without the secret", async () => {
    const folder = await temporaryFolder()
    const [json, svg] = [join(folder, "figures.json"), join(folder, "latency.svg")]
    const options = ["--secret", secret, "--pid", String(weft.pid), "--encoding", "both", "--json", json, "--plot", svg]
    const { code, stdout, stderr } = await bench("echo", `${weft.socketUrl}?token=hidden`, "--connections", "8", ...short, ...options)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/lost 0$/m)
    expect(stdout).toMatch(/replies\/s/)
    expect(stdout).toMatch(/p99\.9/)
    expect(stdout).toMatch(/server CPU/)
    const text = await readFile(json, "utf8")
    const figures = JSON.parse(text) as Record<string, unknown>
    expect(figures).toMatchObject({ partial: false, lost: 0, spec: { scenario: { kind: "echo", connections: 8 } } })
    expect(figures["machine"]).toMatchObject({ node: process.versions.node })
    expect(text + stdout + stderr).not.toMatch(/a secret of|hidden/)
    expect(await readFile(svg, "utf8")).toMatch(/^<svg [^]*<polyline [^]*<\/svg>\n$/)
  })

  it.each([
    ["fanout", "--subscribers", "20"],
    ["presence", "--connections", "10"],
    ["mixed", "--users", "20", "--think", "0.2"],
    ["soak", "--users", "20", "--think", "0.2"],
    ["connect", "--connections", "50"]
  ])("does %s", async (scenario, ...options) => {
    const { code, stdout, stderr } = await bench(scenario, weft.socketUrl, "--secret", secret, ...short, ...options)
    expect(code, stdout + stderr).toBe(0)
  })

  it("takes the secret from the configuration", async () => {
    const { code, stderr } = await run(process.execPath, args("echo", weft.socketUrl, "--connections", "2", ...short), {
      cwd: projectRoot,
      env: { WEFT_AUTH_JWT_SECRET: secret }
    })
    expect(code, stderr).toBe(0)
  })

  it("says that nobody listens", async () => {
    const { code, stdout, stderr } = await bench("echo", `ws://127.0.0.1:${await freePort()}/ws`)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: can not connect: connection refused$/m)
    expect(stdout).toMatch(/PARTIAL/)
  })

  it.each([["connect"], ["echo"]])("says that the token was refused: %s", async (scenario) => {
    const { code, stderr } = await bench(scenario, weft.socketUrl, "--token", "wrong")
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: .*refused with 401 \(unauthorized/m)
  })

  it("says that a room may not be joined", async () => {
    const strict = await startWeft({ config: `${config}[[room]]\npattern = "bench-*"\njoin = "none"\n` })
    const { code, stderr } = await bench("fanout", strict.socketUrl, "--secret", secret)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: refused with forbidden/m)
  })

  it("says that it is no WebSocket address", async () => {
    const { code, stderr } = await bench("echo", "http://")
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weft: not a WebSocket address/m)
  })

  it("shows what was done when the server dies in the middle, marked as partial", async () => {
    const dying = await startWeft({ config })
    const json = join(await temporaryFolder(), "figures.json")
    const child = await start("echo", dying.socketUrl, "--secret", secret, "--warmup", "0", "--duration", "60", "--json", json)
    await child.output(/measuring/, { on: "stderr" })
    await dying.kill()
    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(child.stdout()).toMatch(/PARTIAL: the server ended a connection in the middle/)
    expect(JSON.parse(await readFile(json, "utf8"))).toMatchObject({ partial: true })
  })

  it("shows what was done when it is told to stop", async () => {
    const child = await start("echo", weft.socketUrl, "--secret", secret, "--warmup", "0", "--duration", "60")
    await child.output(/measuring/, { on: "stderr" })
    child.signal("SIGINT")
    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(child.stdout()).toMatch(/PARTIAL: stopped/)
    await eventually(() => !child.running())
  })
})
