import { describe, expect, test } from "vitest"
import { missingBinary } from "../../src/cli/nativeBinary.ts"
import { page } from "../config/page.ts"
import { eventually } from "../support/eventually.ts"
import { startWeft } from "../support/weft.ts"
import { connect } from "../support/wsClient.ts"
import { configFile, foreignNode, weft } from "./weft.ts"

test("standard output holds the ready line and nothing else; the log goes to standard error", async () => {
  const server = await startWeft({ args: ["--log-level", "debug", "--node-id", "one"] })
  expect(server.node).toBe("one")
  expect(await server.stop()).toEqual({ code: 0, signal: null })
  expect(server.stdout()).toBe(`weft listening on ${server.url} (node one)\n`)
  for (const line of server.stderr().trimEnd().split("\n")) expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) })
})

test("flags are stronger than the environment, and that than the file", async () => {
  const server = await startWeft({
    config: '[node]\nid = "file"\n[server]\nport = 1\n[log]\nlevel = "none"',
    env: { NODE_ID: "environment", WEFT_SERVER_PORT: "2" },
    args: ["--port", "0", "--host", "localhost"]
  })
  expect(server.node).toBe("environment")
  expect(server.url).toMatch(/^http:\/\/localhost:\d+$/)
})

test("warnings about the configuration are log lines", async () => {
  const server = await startWeft({ config: '[[room]]\npattern = "a"\n[room.history]\nsize = 5', args: ["--log-format", "json"] })
  const line = await eventually(() =>
    server
      .stderr()
      .split("\n")
      .find((line) => line.includes("room[0].history"))
  )
  expect(JSON.parse(line)).toMatchObject({ level: "warn", message: expect.stringContaining("room[0].history: is not served") })
})

test("the first signal drains, the second does not wait for that", async () => {
  const server = await startWeft({ config: "[drain]\nperiod = 3600" })
  const clients = await Promise.all([connect(server.socketUrl), connect(server.socketUrl)])
  server.signal("SIGTERM")
  const first = await Promise.race(clients.map((client) => client.closed.then(() => client)))
  const other = clients.find((client) => client !== first)
  expect(await other?.request({ type: "ping" })).toMatchObject({ type: "pong" })
  await eventually(() => {
    server.signal("SIGTERM")
    return !server.running()
  })
  expect(await server.exited).toEqual({ code: 143, signal: null })
})

test("a Ctrl-C that npm passes on once more is still the first signal", async () => {
  const server = await startWeft({ config: "[drain]\nperiod = 0" })
  const client = await connect(server.socketUrl)
  server.signal("SIGINT")
  server.signal("SIGTERM")
  expect(await client.closed).toMatchObject({ code: 1001 })
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

describe("what keeps it from starting is one clear line and exit 1:", () => {
  test("a port that is taken", async () => {
    const server = await startWeft()
    const { code, stderr, stdout } = await weft(["serve", "--port", String(server.port)])
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toMatch(/^weft: [^\n]+\n$/)
    expect(stderr).toContain(String(server.port))
  })

  test("a Node without binary", async () => {
    const { code, stderr, stdout } = await weft(["serve", "--port", "0"], { node: foreignNode })
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toBe(
      `weft: no uWebSockets.js binary for Node 24 on ${process.platform} ${process.arch}; run Node 18, 20, 21 or 22 (npm start brings Node 22)\n`
    )
  })

  test("handlers that are not there", async () => {
    const { code, stderr } = await weft(["serve", "--port", "0", "--handlers", "/no/handlers.ts"])
    expect([code, stderr]).toEqual([1, "command line: --handlers: no such file: /no/handlers.ts\n"])
  })

  test("every mistake in the configuration, of whatever source", async () => {
    const file = await configFile('[server]\nhost = "0.0.0.0"\n[heartbeat]\ninterval = 0')
    const { code, stderr, stdout } = await weft(
      ["serve", "-c", file, "--port", "99999", "--nats", "nats://a,nats://b", "--data", "/tmp/x"],
      {
        env: { WEFT_LOG_LEVEL: "loud" }
      }
    )
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr.trimEnd().split("\n")).toEqual([
      "command line: --port: expected a whole number from 0 to 65535, found 99999",
      `${file}: heartbeat.interval: expected a number of seconds, more than 0 and at most a year, found 0`,
      'environment: WEFT_LOG_LEVEL: expected one of "trace", "debug", "info", "warn", "error", "fatal", "none", found "loud"',
      `${file}: server.host: "0.0.0.0" is reachable from other machines and no authentication is configured: set [auth.jwt] or [auth.http], or allow it with --allow-anonymous`,
      "command line: --nats: not served by this version: a node can not join a cluster",
      "command line: --data: not served by this version: everything is kept in memory"
    ])
  })
})

test("an open address is served with --allow-anonymous", async () => {
  const server = await startWeft({ args: ["--host", "0.0.0.0", "--allow-anonymous"] })
  expect(server.running()).toBe(true)
})

describe("a mistake on the command line exits 1 and names the way to help:", () => {
  const cases: ReadonlyArray<readonly [args: string, stderr: string]> = [
    ["srve", 'weft: unknown command "srve"; did you mean serve?\nTry: weft --help\n'],
    ["--bogus", "weft: unknown flag --bogus\nTry: weft --help\n"],
    ["serve extra", 'weft serve: Unexpected positional argument: "extra"\nTry: weft serve --help\n'],
    ["serve --prot 1", "weft serve: unknown flag --prot; did you mean --port?\nTry: weft serve --help\n"],
    [
      "serve --log-format xml",
      'weft serve: Invalid value for flag --log-format: "xml". Expected: "auto" | "pretty" | "json"\nTry: weft serve --help\n'
    ]
  ]
  test.each(cases)("weft %s", async (args, stderr) => {
    expect(await weft(args.split(" "))).toEqual({ code: 1, signal: null, stdout: "", stderr })
  })
})

test.each(["", "serve", "check", "token", "connect"])("weft %s --help goes to standard output, exit 0", async (command) => {
  const { code, stderr, stdout } = await weft([...(command === "" ? [] : [command]), "--help"])
  expect([code, stderr]).toEqual([0, ""])
  expect(stdout).toMatch(/^DESCRIPTION\n/)
})

test("the page on configuration has every flag of weft serve", async () => {
  const { stdout } = await weft(["serve", "--help"])
  const [, flags = ""] = /^FLAGS\n(.*?)\n\n/ms.exec(stdout) ?? []
  const names = flags.match(/--[a-z-]+/g) ?? []
  expect(names).toContain("--allow-anonymous")
  for (const name of names) expect(page).toMatch(new RegExp(`^\\| .*\`${name}[ \`]`, "m"))
})

test("weft --version tells the version of the package", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } })
  expect((await weft(["--version"])).stdout).toBe(`weft v${manifest.version}\n`)
})

test("uWebSockets.js that does not load for another reason is told with that reason", () => {
  const runtime = { node: "22.1.0", platform: "linux", arch: "x64" }
  const error = new Error(
    "This version of uWS.js supports only Node.js versions 18, 20, 21 and 22 on (glibc) Linux.\n\nError: libc.so.6: not found"
  )
  expect(missingBinary(error, runtime)).toBe(
    "uWebSockets.js does not load with Node 22 on linux x64: Error: libc.so.6: not found; it needs glibc Linux, macOS or Windows"
  )
  expect(missingBinary(new Error("something else"), runtime)).toBeUndefined()
})
