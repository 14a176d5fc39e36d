import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { frameLine, membersLine, stateLine, welcomeLine } from "../../src/cli/connect/Format.ts"
import { colours, harmless, noColours } from "../../src/cli/connect/Style.ts"
import { shown, targetOf } from "../../src/cli/connect/Target.ts"
import type { ServerMessageOf } from "../../src/client/index.ts"
import { Bin } from "../../src/wire/Codec.ts"

const time = new Date(2026, 0, 2, 9, 5, 7).getTime()
const bytes = (...values: ReadonlyArray<number>): Bin => {
  const bin = new Bin(new ArrayBuffer(values.length))
  bin.set(values)
  return bin
}

describe("the line of a message", () => {
  it.each([
    [{ type: "message", room: "lobby", time, data: { text: "hi", name: "bob" }, from: { connection: "c1" } }, "09:05:07 lobby bob: hi"],
    [
      { type: "message", room: "lobby", time, data: { text: "hi", name: "root" }, from: { connection: "c1", user: "bob" } },
      "09:05:07 lobby @bob: hi"
    ],
    [{ type: "message", room: "lobby", time, data: { text: "hi" }, from: { connection: "c1" } }, "09:05:07 lobby c1: hi"],
    [{ type: "message", time, data: [1, bytes(1, 2)] }, '09:05:07 everyone server [1,"AQI="]'],
    [{ type: "direct", time, data: "psst", from: { connection: "c1" } }, '09:05:07 direct c1 "psst"'],
    [{ type: "gap", room: "lobby", dropped: 3 }, "3 messages of lobby were skipped: this connection was too slow"],
    [{ type: "member_joined", room: "lobby", member: { connection: "c1", user: "bob", since: 1 } }, "lobby: @bob joined"],
    [{ type: "member_left", room: "lobby", member: { connection: "c1", since: 1 } }, "lobby: c1 left"],
    [{ type: "error", code: "forbidden", message: "no", retryable: false }, "error forbidden: no"],
    [{ type: "bye", code: 1001, reason: "restart", reconnect: true }, "the server says bye: restart (1001)"],
    [{ type: "ack", id: 5, room: "lobby" }, '{"type":"ack","id":5,"room":"lobby"}'],
    [{ type: "from_the_future", more: 1 }, '{"type":"from_the_future","more":1}'],
    [{ type: "heartbeat", time }, undefined]
  ])("%j", (message, line) => {
    expect(frameLine(message, noColours)).toBe(line)
  })

  it("has colours around, never within, foreign text", () => {
    const message = { type: "message", room: "a\u001b[2J", time, data: { text: "\u001b[31mred" }, from: { connection: "c" } }
    expect(frameLine(message, colours)).toBe("\u001b[2m09:05:07\u001b[0m \u001b[36ma\\x1b[2J\u001b[0m \u001b[1mc\u001b[0m: \\x1b[31mred")
  })

  it("holds no character that steers a terminal, whatever the message", () => {
    const message = fc.record({
      type: fc.constantFrom("message", "direct", "error", "unknown"),
      room: fc.string({ unit: "binary" }),
      time: fc.constant(time),
      data: fc.oneof(fc.jsonValue(), fc.record({ text: fc.string({ unit: "binary" }), name: fc.string({ unit: "binary" }) })),
      code: fc.string({ unit: "binary" }),
      message: fc.string({ unit: "binary" })
    })
    fc.assert(
      fc.property(message, (each) => {
        expect(frameLine(each, noColours)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      })
    )
  })
})

it("escapes line ends and controls, and leaves what people write", () => {
  expect(harmless("a\nb\tc\u0085d\u202ee")).toBe("a\\nb\\x09c\\x85d\\u202ee")
  expect(harmless("Zoë 👩‍👩‍👧 日本 שלום")).toBe("Zoë 👩‍👩‍👧 日本 שלום")
})

it("names at most fifty members", () => {
  const members = Array.from({ length: 120 }, (_, i) => ({ connection: `c${i}`, since: 1 }))
  expect(membersLine("lobby", members)).toMatch(/^120 members in lobby: c0, .*, c49, and 70 more$/)
  expect(membersLine("lobby", [{ connection: "c1", user: "ada", since: 1 }])).toBe("1 member in lobby: @ada (c1)")
  expect(membersLine("lobby", [])).toBe("0 members in lobby")
})

it("tells of a loss, and of a welcome with the user", () => {
  const lost = { state: "waiting", delay: 1_234, code: 4500, reason: "server fault" } as const
  expect(stateLine(lost, noColours)).toBe("disconnected: server fault (4500); trying again in 1.2 s")
  expect(stateLine({ state: "connecting", attempt: 2 }, noColours)).toBeUndefined()
  const welcome: ServerMessageOf<"welcome"> = {
    type: "welcome",
    connection: "c1",
    session: "s",
    user: "ada",
    node: "n1",
    resumed: false,
    rooms: [],
    heartbeat: { interval: 1, timeout: 2 },
    limits: { message: 1, room_name: 1, rooms: 1, batch: 1, depth: 1, rate: 0 }
  }
  expect(welcomeLine("ws://h/ws", "json", welcome)).toBe("connected to ws://h/ws: connection c1, user @ada, node n1, json")
})

describe("the address", () => {
  it.each([
    ["ws://h:1/ws", "ws://h:1/ws"],
    ["127.0.0.1:8080", "ws://127.0.0.1:8080/ws"],
    ["example.org", "ws://example.org/ws"],
    ["https://example.org", "wss://example.org/ws"],
    ["wss://h/other?x=1", "wss://h/other?x=1"],
    ["localhost:9/websocket", "ws://localhost:9/websocket"]
  ])("%s means %s", (text, target) => {
    expect(targetOf(text)).toBe(target)
  })

  it.each(["ftp://h", "ws://", "a b"])("%s is none", (text) => {
    expect(() => targetOf(text)).toThrow(TypeError)
  })

  it("is shown without what may be secret", () => {
    expect(shown("wss://user:pass@h:9/ws?token=t")).toBe("wss://h:9/ws")
  })
})
