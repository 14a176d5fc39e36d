import { expect, it } from "vitest"
import { readLine } from "../../src/cli/connect/Commands.ts"
import { type FakeHub, type FakeHubOptions, startFakeHub } from "../client/fakeHub.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { connectOptions, start } from "./connectRun.ts"
import { type FakeTerminal, fakeTerminal } from "./connectTerminal.ts"

const hubWith = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const hub = await startFakeHub(options)
  atEnd(hub.stop)
  return hub
}

const shows = (terminal: FakeTerminal, expected: string | RegExp): Promise<string> =>
  eventually(() => terminal.screen().find((line) => (typeof expected === "string" ? line === expected : expected.test(line))), {
    message: () => `no line like ${expected} in\n${terminal.screen().join("\n")}\n`
  })

const time = /^\d\d:\d\d:\d\d /

it("holds a conversation of two, each in an encoding of their own", async () => {
  const hub = await hubWith()
  const [ada, bob] = [fakeTerminal(), fakeTerminal()]
  const first = start(connectOptions(hub.url, { rooms: ["lobby"], name: "ada" }), ada.io)
  await shows(ada, "joined lobby: 1 member")
  const second = start(connectOptions(hub.url, { rooms: ["lobby"], name: "bob", encoding: "msgpack" }), bob.io)
  await shows(bob, "joined lobby: 2 members")
  bob.type("Hello!\r")
  await shows(ada, /lobby bob: Hello!$/)
  ada.type("Hi bob\r")
  await shows(bob, /lobby ada: Hi bob$/)
  expect(bob.screen().map((line) => line.replace(time, ""))).toEqual([
    `connected to ${hub.url}: connection c2, node fake, msgpack`,
    "joined lobby: 2 members",
    "lobby> Hello!",
    "lobby ada: Hi bob",
    "lobby>"
  ])
  ada.type("/quit\r")
  bob.type("\u0004")
  expect(await Promise.all([first.ended, second.ended])).toEqual(["ok", "ok"])
  await eventually(() => hub.peers.length === 0)
  expect([ada, bob].map((terminal) => terminal.screen().slice(-2))).toEqual([
    ["lobby> /quit", ""],
    ["lobby>", ""]
  ])
})

it("leaves the half typed line whole when something arrives, also over several rows", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal({ columns: 40 })
  start(connectOptions(hub.url, { rooms: ["lobby"] }), terminal.io)
  await shows(terminal, "lobby>")
  const typed = "a line so long that it does not fit into one row, nor into two of them, quite"
  for (const char of typed) terminal.type(char)
  for (const text of ["first", "second"]) {
    hub.peers[0]?.send({ type: "message", room: "lobby", time: 1, data: { text }, from: { connection: "x" } })
    await shows(terminal, new RegExp(`lobby x: ${text}$`))
  }
  terminal.type(" done")
  await shows(terminal, /uite done$/)
  const screen = terminal.screen()
  const whole = `lobby> ${typed} done`
  expect(screen.slice(2).map((line) => line.replace(time, ""))).toEqual([
    "joined lobby: 1 member",
    "lobby x: first",
    "lobby x: second",
    ...[whole.slice(0, 40), whole.slice(40, 80), whole.slice(80)].map((row) => row.trimEnd())
  ])
})

it("answers every command", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal()
  start(connectOptions(hub.url, { rooms: ["a"] }), terminal.io)
  await shows(terminal, "a>")
  const answers: ReadonlyArray<readonly [string, string | RegExp]> = [
    ["/join b", "joined b: 1 member"],
    ["/rooms", "a, b"],
    ["/members", "1 member in b: c1"],
    ["/members a", "1 member in a: c1"],
    ["/direct c1 psst", /^\d\d:\d\d:\d\d direct c1: psst$/],
    ["/direct nobody psst", "nobody got it"],
    ["/ping", /^pong after \d+\.\d ms$/],
    ["/status", /^connection c1, node fake, json, rooms a, b, connected at \d\d:\d\d:\d\d$/],
    ["/call sum [1,2]", "sum: 3"],
    ["/call nothing", "error not_found: no method nothing"],
    ['/raw {"type":"echo","data":[1],"id":"mine"}', '{"type":"echo","data":[1],"id":"mine"}'],
    ["/raw nonsense", "usage: /raw {JSON}"],
    ["/leave", "left b"],
    ["/nonsense", "no command /nonsense; /help lists them"],
    ["/help", /^ {2}\/join ROOM /],
    ["/leave a", "left a"],
    ["/members", "error not_in_room: in no room: name one"],
    ["words", "in no room: /join ROOM first"],
    ["/rooms", "in no room"]
  ]
  for (const [line, answer] of answers) {
    terminal.type(`${line}\r`)
    await shows(terminal, answer)
  }
  expect(terminal.screen().at(-1)).toBe(">")
})

it("waits with what is typed until the rooms are joined, and says // as /", async () => {
  const hub = await hubWith()
  const [typist, reader] = [fakeTerminal(), fakeTerminal()]
  start(connectOptions(hub.url, { rooms: ["lobby"] }), reader.io)
  await shows(reader, "lobby>")
  typist.type("//etc/motd\r")
  start(connectOptions(hub.url, { rooms: ["lobby"], name: "ada" }), typist.io)
  await shows(reader, /lobby ada: \/etc\/motd$/)
})

it("tells of a lost link, connects again and is back in its rooms", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal()
  start(connectOptions(hub.url, { rooms: ["lobby"] }), terminal.io)
  await shows(terminal, "lobby>")
  hub.cut()
  await shows(terminal, /^disconnected: connection lost \(1006\); trying again in \d\.\d s$/)
  await shows(terminal, "joined lobby again: 1 member")
  terminal.type("still here\r")
  await eventually(() => hub.peers[0]?.received.find(({ type }) => type === "broadcast"))
})

it("ends with the server's reason when it closes for good", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal()
  const { ended } = start(connectOptions(hub.url), terminal.io)
  await shows(terminal, ">")
  hub.peers[0]?.socket.close(4403, "disconnected by an operator")
  expect(await ended).toBe("weft: closed by the server: disconnected by an operator (4403)")
})

it("ends when a new connection is refused for a reason that stays", async () => {
  let refused = false
  const hub = await hubWith({
    refuse: () => (refused ? { status: 401, code: "unauthorized", message: "the token has expired" } : undefined)
  })
  const terminal = fakeTerminal()
  const { ended } = start(connectOptions(hub.url), terminal.io)
  await shows(terminal, ">")
  refused = true
  hub.cut()
  expect(await ended).toBe(`weft: can not connect again to ${hub.url}: HTTP 401 unauthorized: the token has expired`)
})

it("lets nothing that others send steer the terminal", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal({ env: {} })
  start(connectOptions(hub.url, { rooms: ["lobby"] }), terminal.io)
  await shows(terminal, "lobby>")
  const evil = "\u001b]0;owned\u0007\u001b[2J\r\n\u009b31m\u202eabc"
  const from = { connection: evil, user: evil }
  const peer = hub.peers[0]
  peer?.send({ type: "message", room: evil, time: 1, data: { text: evil, name: evil }, from })
  peer?.send({ type: "message", room: evil, time: 1, data: { [evil]: evil }, from: { connection: evil } })
  peer?.send({ type: "member_joined", room: evil, member: { ...from, since: 1 } })
  peer?.send({ type: "error", code: evil, message: evil, retryable: false })
  peer?.send({ type: evil, more: evil })
  peer?.send({ type: "bye", code: 1000, reason: `last ${evil}`, reconnect: true })
  await shows(terminal, /last/)
  const left = terminal.written().replaceAll(/\u001b\[\d*(?:;\d+)?[A-Za-z]|[\r\n]/g, "")
  expect(left).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(terminal.written()).not.toContain("\u001b[2J")
})

it.each([
  ["colours on a terminal", {}, true],
  ["no colours with NO_COLOR", { NO_COLOR: "1" }, false]
] as const)("uses %s", async (_, env, coloured) => {
  const hub = await hubWith()
  const terminal = fakeTerminal({ env })
  start(connectOptions(hub.url, { rooms: ["lobby"] }), terminal.io)
  await shows(terminal, "lobby>")
  hub.peers[0]?.send({ type: "message", room: "lobby", time: 1, data: 1 })
  await shows(terminal, /server 1$/)
  expect(/\u001b\[[\d;]*m/.test(terminal.written())).toBe(coloured)
})

it("shows every message as JSON when asked to", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal()
  start(connectOptions(hub.url, { raw: true }), terminal.io)
  await shows(terminal, ">")
  hub.peers[0]?.send({ type: "heartbeat", time: 5 })
  await shows(terminal, '{"type":"heartbeat","time":5}')
})

it("ends when it is interrupted", async () => {
  const hub = await hubWith()
  const terminal = fakeTerminal()
  const { ended, interrupt } = start(connectOptions(hub.url), terminal.io)
  await shows(terminal, ">")
  await interrupt()
  expect(await ended).toBe("interrupted")
  await eventually(() => hub.peers.length === 0)
})

it.each([
  ["  ", { do: "nothing" }],
  ["hello there", { do: "say", text: "hello there" }],
  ["//x", { do: "say", text: "/x" }],
  ["/join a room", { do: "join", room: "a room" }],
  ["/join", { do: "mistake", text: "usage: /join ROOM" }],
  ["/leave", { do: "leave", room: undefined }],
  ["/direct ada hi  there", { do: "direct", to: { user: "ada" }, text: "hi  there" }],
  ["/direct c7 hi", { do: "direct", to: { connection: "c7" }, text: "hi" }],
  ["/direct user:c7 hi", { do: "direct", to: { user: "c7" }, text: "hi" }],
  ["/direct connection:zz hi", { do: "direct", to: { connection: "zz" }, text: "hi" }],
  ["/direct ada", { do: "mistake", text: "usage: /direct USER|connection:ID TEXT" }],
  ["/call m", { do: "call", method: "m", data: undefined }],
  ['/call m {"a":1}', { do: "call", method: "m", data: { a: 1 } }],
  ["/call m {", { do: "mistake", text: "usage: /call METHOD [JSON]" }],
  ["/raw 5", { do: "mistake", text: "usage: /raw {JSON}" }],
  ["/constructor", { do: "mistake", text: "no command /constructor; /help lists them" }],
  ["/", { do: "mistake", text: "no command /; /help lists them" }],
  ["/quit now", { do: "mistake", text: "usage: /quit" }]
])("reads the line %j", (line, command) => {
  expect(readLine(line, (id) => id === "c7")).toEqual(command)
})
