import type { Socket } from "node:net"
import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import type { DialFailure } from "../../../src/gateway/link/Backend.ts"
import { upgrade, type Upgraded } from "../../../src/gateway/link/upgrade.ts"
import { atEndOfTest } from "../../hub/support.ts"
import { eventually } from "../../support/eventually.ts"
import { answeringBackend, tcpBackend } from "../backends/tcp.ts"

const requestTo = (url: string) => ({
  url: new URL(url),
  path: "/x",
  headers: new Map([["sec-websocket-protocol", "a, b"]]),
  maxRefusal: 100
})

/** The outcome in a form that can be compared; of a socket, all that comes out of it. */
const outcome = async (url: string): Promise<unknown> => {
  const result = await Effect.runPromise(Effect.result(upgrade(requestTo(url))))
  if (result._tag === "Failure") {
    const { failure } = result
    if (failure.outcome !== "refused") return failure
    return { ...failure, body: failure.body === undefined ? undefined : Buffer.from(failure.body).toString() }
  }
  const { socket, ...rest } = result.success
  atEndOfTest(() => void socket.destroy())
  const chunks: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume()
  await eventually(() => socket.closed)
  return { ...rest, read: Buffer.concat(chunks).toString("latin1") }
}

/** Sends the bytes of a piece at a time, and then ends. */
const answering = (answer: (accept: string) => string, size: number): Promise<string> =>
  answeringBackend(async (socket, accept) => {
    socket.setNoDelay(true)
    const bytes = Buffer.from(answer(accept), "latin1")
    for (let at = 0; at < bytes.length; at += size) {
      socket.write(bytes.subarray(at, at + size))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.end()
  })

const proper = (accept: string, lines = ""): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${lines}\r\n`

const accepted =
  (lines: ReadonlyArray<readonly [string, string]>, protocol = "") =>
  (told: unknown) =>
    expect(told).toMatchObject({ headers: expect.arrayContaining([...lines]), protocol, read: "\x81\x02hi" })

const fails = (type: string, message: RegExp) => (told: unknown) =>
  expect(told).toEqual({ outcome: "failed", failure: { type, message: expect.stringMatching(message) } })

const refuses = (status: number, body: string | undefined) => (told: unknown) =>
  expect(told).toMatchObject({ outcome: "refused", status, body })

const frame = "\x81\x02hi"

/** What a backend answers, and what is to come of it, in one piece as in many. */
const cases: ReadonlyArray<readonly [name: string, answer: (accept: string) => string, expected: (told: unknown) => void]> = [
  ["a 101 with a frame behind it", (accept) => proper(accept) + frame, accepted([["upgrade", "websocket"]])],
  ["a subprotocol of those offered", (accept) => proper(accept, "Sec-WebSocket-Protocol: b\r\n") + frame, accepted([], "b")],
  ["no words beside its status", (accept) => proper(accept).replace(" Switching Protocols", "") + frame, accepted([])],
  [
    "headers of any letters, twice and with white space",
    (accept) => proper(accept, "X-A: \t caf\xe9  \r\nx-a:\r\nX-B:b\xa0\r\n") + frame,
    accepted([
      ["x-a", "caf\xe9"],
      ["x-a", ""],
      ["x-b", "b\xa0"]
    ])
  ],
  ["a subprotocol that was not offered", (accept) => proper(accept, "Sec-WebSocket-Protocol: c\r\n"), fails("protocol", /subprotocol/)],
  [
    "two subprotocols",
    (accept) => proper(accept, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"),
    fails("protocol", /subprotocol/)
  ],
  ["an extension", (accept) => proper(accept, "Sec-WebSocket-Extensions: x\r\n"), fails("protocol", /Extensions/)],
  ["the wrong key", () => proper("c29tZXRoaW5nIHdyb25nIGhlcmU="), fails("protocol", /Sec-WebSocket-Accept/)],
  ["two keys", (accept) => proper(accept, `Sec-WebSocket-Accept: ${accept}\r\n`), fails("protocol", /Sec-WebSocket-Accept/)],
  ["another protocol", (accept) => proper(accept).replace("websocket", "h2c"), fails("protocol", /Upgrade/)],
  [
    "no upgrade of the connection",
    (accept) => proper(accept).replace("keep-alive, Upgrade", "keep-alive"),
    fails("protocol", /Invalid \w+ header/)
  ],
  ["a control character in a header", (accept) => proper(accept, "X-A: a\x01b\r\n"), fails("protocol", /not HTTP/)],
  ["a header without a colon", (accept) => proper(accept, "nonsense\r\n"), fails("protocol", /not HTTP/)],
  ["a refusal with a length", () => "HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nno!", refuses(401, "no!")],
  [
    "a refusal in chunks",
    () => "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    refuses(403, "abcde")
  ],
  ["a refusal up to the end", () => `HTTP/1.0 404 No\r\n\r\n${"x".repeat(100)}`, refuses(404, "x".repeat(100))],
  ["a refusal over the bound", () => `HTTP/1.0 404 No\r\n\r\n${"x".repeat(101)}`, refuses(404, undefined)],
  ["a refusal over the bound, with its length", () => "HTTP/1.1 404 No\r\nContent-Length: 101\r\n\r\n", refuses(404, undefined)],
  ["a refusal that breaks off", () => "HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nhalf", fails("lost", /broke off/)],
  [
    "a refusal in chunks that breaks off",
    () => "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    fails("lost", /broke off/)
  ],
  [
    "a refusal in chunks that are none",
    () => "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    fails("protocol", /not HTTP/)
  ],
  ["a word before the answer", (accept) => `HTTP/1.1 103 Early\r\nX-A: b\r\n\r\n${proper(accept)}${frame}`, accepted([])],
  ["a 101 without any header of an upgrade", () => "HTTP/1.1 101 Switching Protocols\r\n\r\n", fails("protocol", /Invalid \w+ header/)],
  ["a 101 that has a body", () => "HTTP/1.1 101 No\r\nContent-Length: 2\r\n\r\nno", fails("protocol", /Invalid \w+ header/)],
  ["a word and no answer", () => "HTTP/1.1 103 Early\r\n\r\n", fails("lost", /closed/)],
  ["words and a 101 that is none", () => "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 101 Go\r\n\r\n", fails("protocol", /Invalid \w+ header/)],
  ["a status below all", () => "HTTP/1.1 099 What\r\nContent-Length: 0\r\n\r\n", fails("protocol", /status|not HTTP/)],
  ["a status of one digit", () => "HTTP/1.1 7 What\r\nContent-Length: 0\r\n\r\n", fails("protocol", /status|not HTTP/)],
  ["a status above all", () => "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", refuses(999, "")],
  ["what is not HTTP", () => "SSH-2.0-OpenSSH_9.6\r\n\r\n", fails("protocol", /not HTTP/)],
  ["half of an answer", (accept) => proper(accept).slice(0, 60), fails("lost", /closed/)],
  ["nothing", () => "", fails("lost", /closed/)]
]

describe("a backend that answers", () => {
  it.each(cases)("%s", async (_, answer, expected) => {
    for (const size of [Number.MAX_SAFE_INTEGER, 50, 1]) expected(await outcome(await answering(answer, size)))
  })
})

describe("a request", () => {
  const attempt = (changes: object): Promise<DialFailure | Upgraded> =>
    Effect.runPromise(
      Effect.match(upgrade({ ...requestTo("http://127.0.0.1:1"), ...changes }), {
        onFailure: (failure) => failure,
        onSuccess: (value) => value
      })
    )

  it.each([
    ["a line break in a value", { headers: new Map([["x-a", "b\r\nx-c: d"]]) }],
    ["a character beyond one byte", { headers: new Map([["x-a", "\u010d\u010a"]]) }],
    ["a control character", { headers: new Map([["x-a", "a\x7fb"]]) }],
    ["a name that is none", { headers: new Map([["x a", "b"]]) }],
    ["an empty name", { headers: new Map([["", "b"]]) }],
    ["a space in its path", { path: "/a HTTP/1.1\r\n" }],
    ["letters in its path that are no bytes", { path: "/\u010d" }],
    ["no path", { path: "" }]
  ])("with %s is sent to nobody", async (_, changes) => {
    expect(await attempt(changes)).toEqual({ outcome: "unsendable" })
  })
})

describe("nothing stays open", () => {
  /** What goes on with the only connection to a backend. */
  const watched = async (act: (socket: Socket) => void) => {
    let seen: Socket | undefined
    const url = await tcpBackend((socket) => {
      seen = socket
      socket.on("error", () => undefined)
      socket.once("data", () => act(socket))
    })
    return { url, closed: () => eventually(() => seen?.destroyed === true, { message: "the connection stays open" }), seen: () => seen }
  }

  const partly = "HTTP/1.1 101 Switching Protocols\r\nUpgr"
  const refusal = "HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nabc"

  it.each([
    ["before an answer", ""],
    ["within an answer", partly],
    ["within a refusal", refusal]
  ])("when it is interrupted %s", async (_, said) => {
    const backend = await watched((socket) => void socket.write(said))
    const fiber = Effect.runFork(upgrade(requestTo(backend.url)))
    await eventually(() => backend.seen()?.bytesWritten === said.length && backend.seen()!.bytesRead > 0)
    await Effect.runPromise(Fiber.interrupt(fiber))
    await backend.closed()
  })

  it.each([
    ["before an answer", ""],
    ["within an answer", partly],
    ["within a refusal", refusal]
  ])("when the time is up %s", async (_, said) => {
    const backend = await watched((socket) => void socket.write(said))
    const result = await Effect.runPromise(Effect.flip(upgrade({ ...requestTo(backend.url), timeout: 300 })))
    expect(result).toMatchObject({ failure: { type: "timeout" } })
    await backend.closed()
  })

  it.each([
    ["a refusal that is complete", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"],
    ["a refusal that goes on", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(200)}`],
    ["a wrong key", proper("wrong")]
  ])("after %s", async (_, said) => {
    const backend = await watched((socket) => void socket.write(said))
    await Effect.runPromise(Effect.flip(upgrade(requestTo(backend.url))))
    await backend.closed()
  })
})
