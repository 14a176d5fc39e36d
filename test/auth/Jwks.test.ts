import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { AuthError } from "../../src/auth/Auth.ts"
import { defaultTiming, type JwksTiming } from "../../src/auth/Jwks.ts"
import { makeJwtAuth } from "../../src/auth/JwtAuth.ts"
import { json, loopback, type Loopback, redirectTo, silence, text } from "./loopback.ts"
import { logs } from "./logs.ts"
import { forge, sign, unsigned } from "./tokens.ts"

const first = generateKeyPairSync("rsa", { modulusLength: 2048 })
const second = generateKeyPairSync("ec", { namedCurve: "P-256" })

const jwk = (kid: string, key: KeyObject, more: object = {}) => ({ ...key.export({ format: "jwk" }), kid, use: "sig", ...more })
const firstSet = { keys: [jwk("first", first.publicKey, { alg: "RS256" })] }
const bothSet = { keys: [...firstSet.keys, jwk("second", second.publicKey, { alg: "ES256" })] }

const byFirst = Effect.promise(() => sign({ sub: "ada" }, first.privateKey, { alg: "RS256", kid: "first" }))
const bySecond = Effect.promise(() => sign({ sub: "bob" }, second.privateKey, { alg: "ES256", kid: "second" }))

/** `cooldown` and `maxAge` run on the clock of the machine, so that tests only use none or endless ones. */
const start = (timing: Partial<JwksTiming> = {}) =>
  Effect.gen(function* () {
    const server = yield* loopback
    server.answer = json(firstSet)
    const jwt = yield* makeJwtAuth({ jwks_url: server.url, leeway: 0 }, { ...defaultTiming, ...timing })
    return { server, verify: (token: string) => jwt.verify(Redacted.make(token), undefined) }
  })

const answers: ReadonlyArray<{ readonly what: string; readonly answer: Loopback["answer"] }> = [
  { what: "500", answer: text("broken", 500) },
  { what: "404", answer: text("", 404) },
  { what: "a redirect", answer: redirectTo(json(firstSet)) },
  { what: "no JSON", answer: text("<html>") },
  { what: "no JWKS", answer: json({ keys: "none" }) },
  { what: "more than 256 KiB", answer: json({ ...firstSet, extra: "x".repeat(262_144) }) },
  { what: "a broken connection", answer: (_, response) => void response.destroy() }
]

describe("keys from a JWKS", () => {
  it.effect("are fetched once for many tokens, also when they arrive together", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      const token = yield* byFirst
      const identities = yield* Effect.all(
        Array.from({ length: 20 }, () => verify(token)),
        { concurrency: "unbounded" }
      )
      expect(new Set(identities.map(({ user }) => user))).toEqual(new Set(["ada"]))
      yield* verify(token)
      expect(server.requests).toHaveLength(1)
    })
  )

  it.effect("are not fetched before a token needs them", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      expect((yield* Effect.flip(verify("nonsense"))).code).toBe("unauthorized")
      expect((yield* Effect.flip(verify(unsigned({ sub: "admin" })))).code).toBe("unauthorized")
      expect(server.requests).toHaveLength(0)
    })
  )

  it.effect("rotate: an unknown kid fetches them again", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cooldown: 0 })
      expect((yield* verify(yield* byFirst)).user).toBe("ada")
      server.answer = json(bothSet)
      expect((yield* verify(yield* bySecond)).user).toBe("bob")
      expect((yield* verify(yield* byFirst)).user).toBe("ada")
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("are withdrawn when the issuer withdraws them", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ maxAge: 0 })
      expect((yield* verify(yield* byFirst)).user).toBe("ada")
      server.answer = json({ keys: [bothSet.keys[1]] })
      expect((yield* Effect.flip(verify(yield* byFirst))).code).toBe("unauthorized")
    })
  )

  it.effect("are not fetched again for each unknown kid within the cooldown", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      yield* verify(yield* byFirst)
      for (const kid of ["a", "b", "c"]) {
        const token = yield* Effect.promise(() => sign({}, first.privateKey, { alg: "RS256", kid }))
        expect(yield* Effect.flip(verify(token))).toMatchObject({
          code: "unauthorized",
          message: expect.stringContaining("key is not known")
        })
      }
      expect(server.requests).toHaveLength(1)
    })
  )

  it.effect("serve the algorithm that they are for, and no shared secret", () =>
    Effect.gen(function* () {
      const { verify } = yield* start()
      const pem = first.publicKey.export({ type: "spki", format: "pem" }).toString()
      const tokens = [
        forge({ alg: "HS256", kid: "first" }, { sub: "admin" }, pem),
        forge({ alg: "HS256", kid: "first" }, { sub: "admin" }, JSON.stringify(firstSet.keys[0])),
        yield* Effect.promise(() => sign({}, first.privateKey, { alg: "PS256", kid: "first" })),
        yield* Effect.promise(() => sign({}, second.privateKey, { alg: "ES256", kid: "first" }))
      ]
      for (const token of tokens) expect((yield* Effect.flip(verify(token))).code).toBe("unauthorized")
    })
  )

  it.effect("that are symmetric are never used", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      server.answer = json({ keys: [{ kty: "oct", kid: "first", alg: "HS256", k: Buffer.from("published").toString("base64url") }] })
      expect((yield* Effect.flip(verify(forge({ alg: "HS256", kid: "first" }, {}, "published")))).code).toBe("unauthorized")
    })
  )

  it.effect("must be named where several fit", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start()
      const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
      server.answer = json({ keys: [...firstSet.keys, jwk("other", other.publicKey, { alg: "RS256" })] })
      const unnamed = yield* Effect.promise(() => sign({}, first.privateKey, { alg: "RS256" }))
      expect((yield* Effect.flip(verify(unnamed))).message).toContain("kid")
    })
  )
})

describe("an issuer that does not give keys", () => {
  it.effect.each(answers)("$what: nobody comes in, and the reason is logged without the token", ({ answer }) =>
    Effect.gen(function* () {
      const { capture, lines } = logs()
      const { server, verify } = yield* start()
      server.answer = answer
      const token = yield* byFirst
      const error = yield* capture(Effect.flip(verify(token)))
      expect(error.code).toBe("unavailable")
      expect(lines.join()).toContain("jwks_url")
      expect(lines.join() + error.message).not.toContain(token.split(".")[2])
    })
  )

  it.effect("is not asked again at once, but soon", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ retryAfter: 1000 })
      server.answer = text("broken", 500)
      const token = yield* byFirst
      for (let index = 0; index < 5; index++) expect((yield* Effect.flip(verify(token))).code).toBe("unavailable")
      expect(server.requests).toHaveLength(1)
      server.answer = json(firstSet)
      yield* TestClock.adjust(1000)
      expect((yield* verify(token)).user).toBe("ada")
    })
  )

  it.effect("and hangs is given up", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ timeout: 50 })
      server.answer = silence
      const failed: AuthError = yield* Effect.flip(verify(yield* byFirst))
      expect(failed.code).toBe("unavailable")
      yield* server.abandoned(1)
    })
  )

  it.effect("does not stop tokens whose keys are known", () =>
    Effect.gen(function* () {
      const { server, verify } = yield* start({ cooldown: 0 })
      const token = yield* byFirst
      yield* verify(token)
      server.answer = silence
      const waiting = yield* Effect.forkChild(Effect.flip(verify(yield* bySecond)), { startImmediately: true })
      yield* server.received(2)
      expect((yield* verify(token)).user).toBe("ada")
      yield* Fiber.interrupt(waiting)
    })
  )
})
