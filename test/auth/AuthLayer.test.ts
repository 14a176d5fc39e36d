import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Auth, AuthError, type AuthRequest } from "../../src/auth/Auth.ts"
import { type AuthOptions, layer, layerFunction } from "../../src/auth/AuthLayer.ts"
import type { AuthFunction } from "../../src/auth/FunctionAuth.ts"
import { json, loopback, silence } from "./loopback.ts"
import { logs } from "./logs.ts"
import { forge, secret, sign } from "./tokens.ts"

const request = (token?: string, more: Partial<AuthRequest> = {}): AuthRequest => ({
  token: token === undefined ? undefined : Redacted.make(token),
  address: "198.51.100.7",
  path: "/ws",
  query: "",
  headers: new Map(),
  ...more
})

const nothing: AuthOptions = { timeout: 5, anonymous: false, anonymous_server: [] }
const jwt = { secret: Redacted.make(secret), leeway: 0 }
const http = (url: string) => ({ url, timeout: 3, cache: 0 })

const serve = (options: Partial<AuthOptions>) => Effect.map(Layer.build(layer({ ...nothing, ...options })), Context.get(Auth))
const serveFunction = (f: AuthFunction, options: Partial<AuthOptions> = {}) =>
  Effect.map(Layer.build(layerFunction(f, { ...nothing, ...options })), Context.get(Auth))

const good = Effect.promise(() => sign({ sub: "ada" }))

describe("nothing configured", () => {
  it.effect("lets everybody in as anonymous if that is allowed, whatever token they send", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ anonymous: true })
      expect(auth.configured).toBe(false)
      expect(yield* auth.authenticate(request())).toEqual({})
      expect(yield* auth.authenticate(request("anything"))).toEqual({})
    })
  )

  it.effect("lets nobody in if it is not", () =>
    Effect.gen(function* () {
      const auth = yield* serve({})
      expect((yield* Effect.flip(auth.authenticate(request()))).code).toBe("unauthorized")
      expect((yield* Effect.flip(auth.authenticate(request("anything")))).code).toBe("unavailable")
    })
  )

  it.effect("cannot refresh", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ anonymous: true })
      expect((yield* Effect.flip(auth.refresh(Redacted.make("anything")))).code).toBe("unavailable")
    })
  )

  it.effect("gives anonymous clients the permissions of the configuration", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ anonymous: true, anonymous_server: ["broadcast", "fly"] })
      expect(yield* auth.authenticate(request())).toEqual({ server: ["broadcast"] })
    })
  )
})

describe("JWT configured", () => {
  it.effect("takes a good token, at the upgrade and at a refresh", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ jwt })
      expect(auth.configured).toBe(true)
      expect(yield* auth.authenticate(request(yield* good))).toEqual({ user: "ada" })
      expect(yield* auth.refresh(Redacted.make(yield* good))).toEqual({ user: "ada" })
    })
  )

  it.effect("needs a token, unless anonymous clients are allowed", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip((yield* serve({ jwt })).authenticate(request()))).code).toBe("unauthorized")
      expect(yield* (yield* serve({ jwt, anonymous: true })).authenticate(request())).toEqual({})
    })
  )

  it.effect("never takes a bad token for no token", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ jwt, anonymous: true })
      for (const token of ["", "opaque", forge({ alg: "HS256" }, {}, "wrong")])
        expect((yield* Effect.flip(auth.authenticate(request(token)))).code).toBe("unauthorized")
    })
  )

  it.effect("refuses what is longer than a token may be, unread", () =>
    Effect.gen(function* () {
      const auth = yield* serve({ jwt })
      const long = yield* Effect.promise(() => sign({ pad: "x".repeat(9000) }))
      expect((yield* Effect.flip(auth.authenticate(request(long)))).message).toContain("8192")
      expect((yield* Effect.flip(auth.refresh(Redacted.make(long)))).message).toContain("8192")
    })
  )

  it.effect("fails at the start when the key cannot be used", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(serve({ jwt: { leeway: 0 } }))).key).toBe("auth.jwt")
    })
  )
})

describe("JWT and HTTP configured", () => {
  it.effect("asks the one or the other by the token's form, and never both", () =>
    Effect.gen(function* () {
      const server = yield* loopback
      server.answer = json({ sub: "bob" })
      const auth = yield* serve({ jwt, http: http(server.url) })
      expect(yield* auth.authenticate(request(yield* good))).toEqual({ user: "ada" })
      expect((yield* Effect.flip(auth.authenticate(request(forge({ alg: "HS256" }, {}, "wrong"))))).code).toBe("unauthorized")
      expect(server.requests).toHaveLength(0)
      expect(yield* auth.authenticate(request("opaque"))).toEqual({ user: "bob" })
      expect(yield* auth.refresh(Redacted.make("opaque"))).toEqual({ user: "bob" })
    })
  )
})

describe("the time limit", () => {
  it.effect("holds over whatever is waited for", () =>
    Effect.gen(function* () {
      const server = yield* loopback
      server.answer = silence
      const auth = yield* serve({ timeout: 1, http: { ...http(server.url), timeout: 100 } })
      const asking = yield* Effect.forkChild(Effect.flip(auth.authenticate(request("opaque"))), { startImmediately: true })
      yield* server.received(1)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(asking)).toMatchObject({ code: "unavailable", message: "authentication took too long" })
      yield* server.abandoned(1)
    })
  )

  it.effect("holds over a function that never answers", () =>
    Effect.gen(function* () {
      const auth = yield* serveFunction(() => new Promise(() => {}), { timeout: 1 })
      const asking = yield* Effect.forkChild(Effect.flip(auth.authenticate(request("opaque"))), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(asking)).code).toBe("unavailable")
    })
  )
})

describe("a function", () => {
  const accepting: ReadonlyArray<{ readonly what: string; readonly f: AuthFunction }> = [
    { what: "at once", f: () => ({ sub: "ada" }) },
    { what: "by a promise", f: async () => ({ sub: "ada" }) },
    { what: "by an effect", f: () => Effect.succeed({ sub: "ada" }) }
  ]

  it.effect.each(accepting)("accepts $what", ({ f }) =>
    Effect.gen(function* () {
      const auth = yield* serveFunction(f)
      expect(auth.configured).toBe(true)
      expect(yield* auth.authenticate(request("opaque"))).toEqual({ user: "ada" })
      expect(yield* auth.refresh(Redacted.make("opaque"))).toEqual({ user: "ada" })
    })
  )

  it.effect("sees the token and the request, and no request at a refresh", () =>
    Effect.gen(function* () {
      const seen: Array<readonly [token: string | undefined, path: string | undefined]> = []
      const auth = yield* serveFunction((token, asked) => {
        seen.push([token === undefined ? undefined : Redacted.value(token), asked?.path])
        return {}
      })
      yield* auth.authenticate(request("opaque"))
      yield* auth.authenticate(request())
      yield* auth.refresh(Redacted.make("new"))
      expect(seen).toEqual([
        ["opaque", "/ws"],
        [undefined, "/ws"],
        ["new", undefined]
      ])
    })
  )

  it.effect("may go by a cookie, and leave the rest to be anonymous", () =>
    Effect.gen(function* () {
      const auth = yield* serveFunction((_, asked) => (asked?.headers.get("cookie") === "user=ada" ? { sub: "ada" } : null), {
        anonymous: true
      })
      expect(yield* auth.authenticate(request(undefined, { headers: new Map([["cookie", "user=ada"]]) }))).toEqual({ user: "ada" })
      expect(yield* auth.authenticate(request())).toEqual({})
      expect((yield* Effect.flip(auth.authenticate(request("opaque")))).code).toBe("unauthorized")
      expect((yield* Effect.flip(auth.refresh(Redacted.make("opaque")))).code).toBe("unauthorized")
    })
  )

  it.effect("that refuses needs a token from clients without one", () =>
    Effect.gen(function* () {
      const auth = yield* serveFunction(() => undefined)
      expect((yield* Effect.flip(auth.authenticate(request()))).message).toBe("a token is needed")
    })
  )

  const forbidden = new AuthError({ code: "forbidden", message: "not you" })
  const refusing: ReadonlyArray<{ readonly what: string; readonly f: AuthFunction }> = [
    {
      what: "throws",
      f: () => {
        throw forbidden
      }
    },
    { what: "rejects", f: () => Promise.reject(forbidden) },
    { what: "fails", f: () => Effect.fail(forbidden) }
  ]

  it.effect.each(refusing)("that $what with an AuthError refuses with its code", ({ f }) =>
    Effect.gen(function* () {
      const auth = yield* serveFunction(f, { anonymous: true })
      expect(yield* Effect.flip(auth.authenticate(request("opaque")))).toMatchObject({ code: "forbidden", message: "not you" })
    })
  )

  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic

  const broken: ReadonlyArray<{ readonly what: string; readonly f: AuthFunction }> = [
    {
      what: "throws",
      f: (token) => {
        throw new Error(`no such user: ${token === undefined ? "" : Redacted.value(token)}`)
      }
    },
    { what: "rejects", f: (token) => Promise.reject(token === undefined ? "" : Redacted.value(token)) },
    { what: "dies", f: () => Effect.die("sesame") },
    { what: "gives claims out of bounds", f: () => ({ sub: "sesame".repeat(30) }) },
    { what: "gives claims that are not JSON", f: () => ({ info: cyclic }) },
    { what: "gives claims with a bigint", f: () => ({ info: 1n }) }
  ]

  it.effect.each(broken)("that $what lets nobody in and is logged without the token", ({ f }) =>
    Effect.gen(function* () {
      const { capture, lines } = logs()
      const auth = yield* serveFunction(f, { anonymous: true })
      const error = yield* capture(Effect.flip(auth.authenticate(request("sesame"))))
      expect(error.code).toBe("unavailable")
      expect(lines).toHaveLength(1)
      expect(lines.join() + JSON.stringify(error)).not.toContain("sesame")
    })
  )

  it.effect("whose claims have ended refuses", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(60_000)
      const auth = yield* serveFunction(() => ({ sub: "ada", exp: 60 }))
      expect((yield* Effect.flip(auth.authenticate(request("opaque")))).code).toBe("unauthorized")
    })
  )

  it.effect("gives claims as JSON carries them", () =>
    Effect.gen(function* () {
      const auth = yield* serveFunction(() => ({ info: { at: new Date(0), nothing: undefined } }))
      expect(yield* auth.authenticate(request())).toEqual({ info: { at: "1970-01-01T00:00:00.000Z" } })
    })
  )
})
