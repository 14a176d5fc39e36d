import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { type HttpOptions, makeHttpAuth } from "../../src/auth/HttpAuth.ts"
import { json, loopback, type Loopback, redirectTo, silence, text } from "./loopback.ts"
import { logs } from "./logs.ts"

const here = { address: "198.51.100.7", path: "/ws" }

const start = (options: Partial<HttpOptions> = {}) =>
  Effect.gen(function* () {
    const server = yield* loopback
    server.answer = json({ sub: "ada" })
    const http = yield* makeHttpAuth({ url: server.url, timeout: 3, cache: 30, ...options })
    return { server, verify: (token: string, request: typeof here | undefined = here) => http.verify(Redacted.make(token), request) }
  })

describe("the question", () => {
  it.effect("is a POST with token, address and path as JSON", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      expect(yield* verify('opaque "é"')).toEqual({ user: "ada" })
      expect(server.requests).toHaveLength(1)
      expect(server.requests[0]).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } })
      expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ token: 'opaque "é"', ...here })
    })
  )

  it.effect("is the token alone at a refresh", () =>
    Effect.gen(function* () {
      const server = yield* loopback
      server.answer = json({ sub: "ada" })
      const http = yield* makeHttpAuth({ url: server.url, timeout: 3, cache: 30 })
      yield* http.verify(Redacted.make("opaque"), undefined)
      expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ token: "opaque" })
    })
  )
})

describe("the answer", () => {
  it.effect("gives the identity that its claims say", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      server.answer = json({ sub: "ada", exp: 60, info: [1], rooms: { join: ["a*"] }, server: ["broadcast", "fly"], extra: true })
      expect(yield* verify("opaque")).toEqual({
        user: "ada",
        expiresAt: 60_000,
        info: [1],
        rooms: { join: ["a*"] },
        server: ["broadcast"]
      })
    })
  )

  it.effect.each([
    { status: 401, code: "unauthorized" },
    { status: 403, code: "forbidden" }
  ])("$status refuses as $code", ({ code, status }) =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      server.answer = json({ sub: "ada" }, status)
      expect((yield* Effect.flip(verify("opaque"))).code).toBe(code)
    })
  )

  it.effect("with an end that is past refuses", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(60_000)
      const { server, verify } = yield* start()
      server.answer = json({ sub: "ada", exp: 60 })
      expect(yield* Effect.flip(verify("opaque"))).toMatchObject({ code: "unauthorized", message: "the token has expired" })
    })
  )

  const useless: ReadonlyArray<{ readonly what: string; readonly answer: Loopback["answer"] }> = [
    { what: "500", answer: json({ sub: "ada" }, 500) },
    { what: "429", answer: json({ sub: "ada" }, 429) },
    { what: "204", answer: (_, response) => void response.writeHead(204).end() },
    { what: "201", answer: json({ sub: "ada" }, 201) },
    { what: "a redirect", answer: redirectTo(json({ sub: "ada" })) },
    { what: "nothing", answer: text("") },
    { what: "no JSON", answer: text("<html>sesame</html>") },
    { what: "no UTF-8", answer: (_, response) => void response.end(Buffer.from([0x22, 0xff, 0x22])) },
    { what: "claims that are none", answer: json(["ada"]) },
    { what: "claims out of bounds", answer: json({ sub: "x".repeat(129) }) },
    { what: "more than 64 KiB", answer: json({ sub: "ada", extra: "x".repeat(65_536) }) },
    {
      what: "a body that breaks off",
      answer: (_, response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy())
    },
    { what: "a broken connection", answer: (_, response) => void response.destroy() }
  ]

  it.effect.each(useless)("$what lets nobody in and is logged without the token", ({ answer }) =>
    Effect.gen(function* () {
      const { capture, lines } = logs()
      const { server, verify } = yield* start()
      server.answer = answer
      const error = yield* capture(Effect.flip(verify("sesame")))
      expect(error.code).toBe("unavailable")
      expect(lines).toHaveLength(1)
      expect(lines.join() + JSON.stringify(error) + error.stack).not.toContain("sesame")
    })
  )

  it.effect("of 64 KiB is read", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      const body = JSON.stringify({ sub: "ada", extra: "" })
      server.answer = json({ sub: "ada", extra: "x".repeat(65_536 - body.length) })
      expect((yield* verify("opaque")).user).toBe("ada")
    })
  )

  it.effect("that does not come in time lets nobody in, and the request is given up", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ timeout: 3 })
      server.answer = silence
      const asking = yield* Effect.forkChild(Effect.flip(verify("opaque")), { startImmediately: true })
      yield* server.received(1)
      yield* TestClock.adjust("3 seconds")
      expect((yield* Fiber.join(asking)).code).toBe("unavailable")
      yield* server.abandoned(1)
    })
  )

  it.effect("whose body does not end in time lets nobody in either", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ timeout: 3 })
      server.answer = (_, response) => void response.writeHead(200).write("{")
      const asking = yield* Effect.forkChild(Effect.flip(verify("opaque")), { startImmediately: true })
      yield* server.received(1)
      yield* TestClock.adjust("3 seconds")
      expect((yield* Fiber.join(asking)).code).toBe("unavailable")
      yield* server.abandoned(1)
    })
  )

  it.effect("cannot come from a server that is not there", () =>
    Effect.gen(function* () {
      const { capture, lines } = logs()
      const http = yield* makeHttpAuth({ url: "http://127.0.0.1:1/", timeout: 3, cache: 30 })
      for (let index = 0; index < 5; index++)
        expect((yield* capture(Effect.flip(http.verify(Redacted.make("opaque"), here)))).code).toBe("unavailable")
      // One line a second tells of an outage, not one for each attempt.
      expect(lines).toHaveLength(1)
    })
  )
})

describe("the cache", () => {
  it.effect("answers the same question for as long as it is told", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cache: 30 })
      yield* verify("opaque")
      yield* TestClock.adjust(29_999)
      yield* verify("opaque")
      expect(server.requests).toHaveLength(1)
      yield* TestClock.adjust(1)
      yield* verify("opaque")
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("never answers past the token's end", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cache: 30 })
      server.answer = json({ sub: "ada", exp: 10 })
      yield* verify("opaque")
      yield* TestClock.adjust(9999)
      yield* verify("opaque")
      expect(server.requests).toHaveLength(1)
      yield* TestClock.adjust(1)
      expect((yield* Effect.flip(verify("opaque"))).code).toBe("unauthorized")
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("keeps a refusal for a moment only", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cache: 30 })
      server.answer = json({}, 401)
      yield* Effect.flip(verify("opaque"))
      yield* TestClock.adjust(4999)
      yield* Effect.flip(verify("opaque"))
      expect(server.requests).toHaveLength(1)
      server.answer = json({ sub: "ada" })
      yield* TestClock.adjust(1)
      expect((yield* verify("opaque")).user).toBe("ada")
    })
  )

  it.effect("keeps no outage", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      server.answer = json({}, 500)
      yield* Effect.flip(verify("opaque"))
      server.answer = json({ sub: "ada" })
      expect((yield* verify("opaque")).user).toBe("ada")
    })
  )

  it.effect("is off at 0", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cache: 0 })
      yield* verify("opaque")
      yield* verify("opaque")
      server.answer = json({}, 401)
      expect((yield* Effect.flip(verify("opaque"))).code).toBe("unauthorized")
      expect(server.requests).toHaveLength(3)
    })
  )

  it.effect("does not answer for another token, address or path", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      yield* verify("opaque")
      yield* verify("opaque2")
      yield* verify("opaque", { ...here, address: "198.51.100.8" })
      yield* verify("opaque", { ...here, path: "/websocket" })
      expect(server.requests).toHaveLength(4)
    })
  )

  it.effect("holds a bounded number of answers, those that were asked for last", () =>
    Effect.gen(function* () {
      const server = yield* loopback
      server.answer = json({ sub: "ada" })
      const http = yield* makeHttpAuth({ url: server.url, timeout: 3, cache: 30 }, 3)
      const asked = (token: string) =>
        Effect.gen(function* () {
          const before = server.requests.length
          yield* http.verify(Redacted.make(token), here)
          return server.requests.length > before
        })
      const order = ["a", "b", "c", "a", "d", "a", "b"]
      expect(yield* Effect.forEach(order, asked)).toEqual([true, true, true, false, true, false, true])
    })
  )
})

describe("questions at the same time", () => {
  it.effect("share one request if they are the same", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cache: 0 })
      let respond = () => {}
      server.answer = (request, response) => {
        respond = () => json({ sub: "ada" })(request, response)
      }
      const asking = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.forkChild(verify("opaque"), { startImmediately: true }))
      yield* server.received(1)
      respond()
      const identities = yield* Effect.forEach(asking, Fiber.join)
      expect(identities.map(({ user }) => user)).toEqual(Array.from({ length: 10 }, () => "ada"))
      expect(server.requests).toHaveLength(1)
    })
  )

  it.effect("do not lose the request when the first of them gives up", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      let respond = () => {}
      server.answer = (request, response) => {
        respond = () => json({ sub: "ada" })(request, response)
      }
      const first = yield* Effect.forkChild(verify("opaque"), { startImmediately: true })
      const second = yield* Effect.forkChild(verify("opaque"), { startImmediately: true })
      yield* server.received(1)
      yield* Fiber.interrupt(first)
      respond()
      expect((yield* Fiber.join(second)).user).toBe("ada")
    })
  )

  it.effect("end the request when all of them give up", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      server.answer = silence
      const asking = yield* Effect.forkChild(verify("opaque"), { startImmediately: true })
      yield* server.received(1)
      yield* Fiber.interrupt(asking)
      yield* server.abandoned(1)
    })
  )
})

describe("a configuration that cannot work", () => {
  it.effect.each(["", "ftp://127.0.0.1/", "auth", "http://user:sesame@127.0.0.1/"])("case %#", (url) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(makeHttpAuth({ url, timeout: 3, cache: 30 }))
      expect(error.key).toBe("auth.http.url")
      expect(error.message).not.toContain("sesame")
    })
  )
})
