import { beforeAll, expect, it } from "vitest"
import { createClient } from "../../src/client/index.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { type Child, run, startProcess } from "../support/process.ts"
import { projectRoot, startWeft, type Weft } from "../support/weft.ts"
import { connectOptions, start } from "./connectRun.ts"
import { fakeTerminal } from "./connectTerminal.ts"

const command = (...args: ReadonlyArray<string>) => [process.execPath, ["src/main.ts", "connect", ...args], { cwd: projectRoot }] as const

let shared: Weft
beforeAll(async () => {
  shared = await startWeft()
})

const connect = (...args: ReadonlyArray<string>): Promise<Child> => startProcess(...command(...args))

const frames = (stdout: string): ReadonlyArray<Record<string, unknown>> =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

it("carries a conversation of two processes, one with JSON and one with MessagePack", async () => {
  const ada = await connect(shared.socketUrl, "--room", "lobby", "--name", "ada")
  await ada.output(/joined lobby: 1 member/, { on: "stderr" })
  const bob = await connect(shared.socketUrl, "-r", "lobby", "--name", "bob", "--encoding", "msgpack")
  await bob.output(/joined lobby: 2 members/, { on: "stderr" })
  bob.write("Hello\n")
  await ada.output(/"data":\{"text":"Hello","name":"bob"\}/)
  ada.write("Hi bob\n")
  await bob.output(/"data":\{"text":"Hi bob","name":"ada"\}/)
  for (const child of [ada, bob]) child.endInput()
  expect(await Promise.all([ada.exited, bob.exited])).toEqual([1, 2].map(() => ({ code: 0, signal: null })))
})

it("is a tool for scripts: messages in, replies out, and nothing else", async () => {
  const input =
    '{"type":"status","id":1}\n{"type":"echo","data":[1,"é"],"id":"two"}\n{"type":"nonsense","id":3}\n{"type":"join_room","id":4}\n'
  for (const encoding of ["json", "msgpack"]) {
    const { code, stdout } = await run(...commandWith(input, shared.socketUrl, "--encoding", encoding))
    expect(code).toBe(0)
    expect(frames(stdout).map(({ type, id, code: error }) => [type, id, error])).toEqual([
      ["welcome", undefined, undefined],
      ["status", 1, undefined],
      ["echo", "two", undefined],
      ["error", 3, "unknown_type"],
      ["error", 4, "invalid_message"]
    ])
  }
})

const commandWith = (input: string, ...args: ReadonlyArray<string>) => {
  const [program, rest, options] = command(...args)
  return [program, rest, { ...options, input }] as const
}

it("says one line and is done", async () => {
  const listener = createClient({ url: shared.socketUrl })
  atEnd(() => listener.close())
  await listener.connect()
  await listener.join("news")
  const heard = new Promise((resolve) => listener.on("message", ({ data }) => resolve(data)))
  expect(await run(...commandWith("it works\n", shared.socketUrl, "--room", "news"))).toMatchObject({ code: 0 })
  expect(await heard).toEqual({ text: "it works" })
})

it("fails with one line that says why", async () => {
  const secret = "a secret that is long enough for HS256"
  const weft = await startWeft({ env: { WEFT_AUTH_JWT_SECRET: secret } })
  const without = await run(...commandWith("", weft.socketUrl))
  expect(without).toMatchObject({ code: 1, stdout: "" })
  expect(without.stderr).toMatch(/^weft: can not connect to ws:\S+\/ws: HTTP 401 unauthorized: .+\n$/)
  const wrongPath = await run(...commandWith("", `${weft.url}/nowhere`))
  expect(wrongPath.stderr).toMatch(/^weft: can not connect to ws:\S+\/nowhere: HTTP 404 .+\n$/)
  const nobody = await run(...commandWith("", `127.0.0.1:${await freePort()}`))
  expect(nobody.code).toBe(1)
  expect(nobody.stderr).toMatch(/^weft: can not connect to ws:\S+\/ws: connection refused: nothing listens there\n$/)
  const noAddress = await run(...commandWith("", "ftp://example.org"))
  expect(noAddress).toMatchObject({ code: 1, stdout: "", stderr: "weft: not a WebSocket address: ftp://example.org\n" })
})

it("connects with a token, and never shows it", async () => {
  const secret = "a secret that is long enough for HS256"
  const env = { WEFT_AUTH_JWT_SECRET: secret }
  const weft = await startWeft({ env })
  const minted = await run(process.execPath, ["src/main.ts", "token", "--user", "ada"], { cwd: projectRoot, env })
  const token = minted.stdout.trim()
  const { code, stdout, stderr } = await run(...commandWith('{"type":"status"}\n', weft.socketUrl, "--token", token))
  expect(code).toBe(0)
  expect(frames(stdout)).toMatchObject([{ user: "ada" }, { user: "ada" }])
  expect(stderr).toContain("user @ada")
  expect(stdout + stderr + weft.stdout() + weft.stderr()).not.toContain(token)
})

it("is connected again, and back in its room, after the server was restarted", async () => {
  const port = String(await freePort())
  const settings = { env: { WEFT_SERVER_PORT: port, WEFT_DRAIN_PERIOD: "0" } }
  const first = await startWeft(settings)
  const terminal = fakeTerminal()
  start(connectOptions(first.socketUrl, { rooms: ["lobby"], name: "ada" }), terminal.io)
  const shows = (line: RegExp) =>
    eventually(() => terminal.screen().some((shown) => line.test(shown)), { message: () => terminal.screen().join("\n") })
  await shows(/^lobby>$/)
  await first.stop()
  await shows(/^disconnected: /)
  const second = await startWeft(settings)
  await shows(/^joined lobby again: 1 member$/)
  const listener = createClient({ url: second.socketUrl })
  atEnd(() => listener.close())
  await listener.connect()
  await listener.join("lobby")
  const heard = new Promise((resolve) => listener.on("message", ({ data }) => resolve(data)))
  terminal.type("back\r")
  expect(await heard).toEqual({ text: "back", name: "ada" })
})

it("ends in order when it is told to by a signal", async () => {
  const child = await connect(shared.socketUrl, "--room", "signals")
  await child.output(/joined signals/, { on: "stderr" })
  child.signal("SIGINT")
  expect(await child.exited).toEqual({ code: 0, signal: null })
})

it("explains itself", async () => {
  const { code, stdout } = await run(...commandWith("", "--help"))
  expect(code).toBe(0)
  for (const word of ["--room", "--encoding", "--token", "--name", "--raw", "--linger"]) expect(stdout).toContain(word)
})
