import { generateKeyPairSync } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { AuthError, Identity } from "../../src/auth/Auth.ts"
import { type JwtOptions, looksLikeJwt, makeJwtAuth } from "../../src/auth/JwtAuth.ts"
import { logs } from "./logs.ts"
import { forge, secret, sign, unsigned } from "./tokens.ts"

const withSecret: JwtOptions = { secret: Redacted.make(secret), leeway: 0 }

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" })
const ed25519 = generateKeyPairSync("ed25519")
const pemOf = (pair: { readonly publicKey: typeof rsa.publicKey }): string =>
  pair.publicKey.export({ type: "spki", format: "pem" }).toString()

const verify = (options: JwtOptions, token: string): Effect.Effect<Identity, unknown> =>
  Effect.flatMap(makeJwtAuth(options), (jwt) => jwt.verify(Redacted.make(token), undefined))

/** The refusal of a token, which must never hold a part of it that could be used. */
const refusal = (options: JwtOptions, token: string): Effect.Effect<AuthError> =>
  Effect.gen(function* () {
    const jwt = yield* Effect.orDie(makeJwtAuth(options))
    const error = yield* Effect.flip(jwt.verify(Redacted.make(token), undefined))
    const shown = JSON.stringify(error) + String(error) + error.stack
    for (const part of token.split(".").filter((piece) => piece.length > 8)) expect(shown).not.toContain(part)
    return error
  }).pipe(Effect.orDie)

const signed = (...args: Parameters<typeof sign>): Effect.Effect<string> => Effect.promise(() => sign(...args))

const setupProblem = (options: JwtOptions): Effect.Effect<string> =>
  Effect.map(Effect.flip(makeJwtAuth(options)), (error) => `${error.key} ${error.message}`).pipe(Effect.orDie)

describe("a token that is good", () => {
  it.effect.each(["HS256", "HS384", "HS512"])("%s by secret", (alg) =>
    Effect.gen(function* () {
      const token = yield* signed({ sub: "ada", info: { n: 1 }, rooms: { join: ["a*"] }, server: ["broadcast"] }, Buffer.from(secret), {
        alg
      })
      expect(yield* verify(withSecret, token)).toEqual({ user: "ada", info: { n: 1 }, rooms: { join: ["a*"] }, server: ["broadcast"] })
    })
  )

  it.effect.each([
    { alg: "RS256", pair: rsa },
    { alg: "RS512", pair: rsa },
    { alg: "PS384", pair: rsa },
    { alg: "ES256", pair: p256 },
    { alg: "EdDSA", pair: ed25519 },
    { alg: "Ed25519", pair: ed25519 }
  ])("$alg by public key", ({ alg, pair }) =>
    Effect.gen(function* () {
      const token = yield* signed({ sub: "ada" }, pair.privateKey, { alg })
      expect(yield* verify({ public_key: pemOf(pair), leeway: 0 }, token)).toEqual({ user: "ada" })
    })
  )

  it.effect("by a public key in a file", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "weft-jwt-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const path = join(folder, "key.pem")
      yield* Effect.promise(() => writeFile(path, pemOf(rsa)))
      const token = yield* signed({ sub: "ada" }, rsa.privateKey, { alg: "RS256" })
      expect(yield* verify({ public_key: path, leeway: 0 }, token)).toEqual({ user: "ada" })
    })
  )

  it.effect("with issuer and audience as configured", () =>
    Effect.gen(function* () {
      const options = { ...withSecret, issuer: "issuer", audience: "weft" }
      expect(yield* verify(options, yield* signed({ iss: "issuer", aud: "weft" }))).toEqual({})
      expect(yield* verify(options, yield* signed({ iss: "issuer", aud: ["other", "weft"] }))).toEqual({})
    })
  )

  it.effect("until its end and not longer", () =>
    Effect.gen(function* () {
      const token = yield* signed({ sub: "ada", exp: 100 })
      yield* TestClock.setTime(99_999)
      expect(yield* verify(withSecret, token)).toEqual({ user: "ada", expiresAt: 100_000 })
      yield* TestClock.setTime(100_000)
      expect(yield* refusal(withSecret, token)).toMatchObject({ code: "unauthorized", message: expect.stringContaining("expired") })
    })
  )

  it.effect("with leeway, until that is over too", () =>
    Effect.gen(function* () {
      const options = { ...withSecret, leeway: 10 }
      const token = yield* signed({ exp: 100, nbf: 50 })
      yield* TestClock.setTime(39_000)
      expect((yield* refusal(options, token)).message).toContain("not valid yet")
      yield* TestClock.setTime(40_000)
      expect(yield* verify(options, token)).toEqual({ expiresAt: 110_000 })
      yield* TestClock.setTime(109_999)
      expect(yield* verify(options, token)).toEqual({ expiresAt: 110_000 })
      yield* TestClock.setTime(110_000)
      expect((yield* refusal(options, token)).code).toBe("unauthorized")
    })
  )
})

describe("a token that is not", () => {
  const wrong: ReadonlyArray<{ readonly what: string; readonly payload: Record<string, unknown>; readonly says: string }> = [
    { what: "expired", payload: { iss: "i", aud: "a", exp: 999 }, says: "expired" },
    { what: "not valid yet", payload: { iss: "i", aud: "a", nbf: 1001 }, says: "not valid yet" },
    { what: "of another issuer", payload: { iss: "x", aud: "a" }, says: "claim iss" },
    { what: "without issuer", payload: { aud: "a" }, says: "claim iss" },
    { what: "for another audience", payload: { iss: "i", aud: "x" }, says: "claim aud" },
    { what: "without audience", payload: { iss: "i" }, says: "claim aud" },
    { what: "with an end that is no number", payload: { iss: "i", aud: "a", exp: "2000" }, says: "claim exp" },
    { what: "with claims out of bounds", payload: { iss: "i", aud: "a", sub: "x".repeat(129) }, says: "claim sub" }
  ]

  it.effect.each(wrong)("$what", ({ payload, says }) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const token = forge({ alg: "HS256" }, payload, secret)
      const error = yield* refusal({ ...withSecret, issuer: "i", audience: "a" }, token)
      expect(error.code).toBe("unauthorized")
      expect(error.message).toContain(says)
    })
  )

  it.effect.each(["", "x", "a.b.c", "..", "eyJhbGciOiJIUzI1NiJ9..", "a".repeat(8192), "é.é.é", '{"alg":"HS256"}'])(
    "case %#: no JWT at all",
    (token) =>
      Effect.gen(function* () {
        expect((yield* refusal(withSecret, token)).code).toBe("unauthorized")
      })
  )

  it.effect("whose payload is no object", () =>
    Effect.gen(function* () {
      for (const payload of ["text", [], 5, null])
        expect((yield* refusal(withSecret, forge({ alg: "HS256" }, payload, secret))).code).toBe("unauthorized")
    })
  )

  it.effect("changed by one character anywhere", () =>
    Effect.gen(function* () {
      const token = yield* signed({ sub: "ada" })
      const jwt = yield* makeJwtAuth(withSecret)
      for (let index = 0; index < token.length - 1; index++) {
        const changed = `${token.slice(0, index)}${token[index] === "A" ? "B" : "A"}${token.slice(index + 1)}`
        expect((yield* Effect.flip(jwt.verify(Redacted.make(changed), undefined))).code).toBe("unauthorized")
      }
    })
  )
})

describe("attacks on the algorithm", () => {
  const publicKey: JwtOptions = { public_key: pemOf(rsa), leeway: 0 }
  const claims = { sub: "admin" }

  it.effect("a public key used as shared secret", () =>
    Effect.gen(function* () {
      for (const key of [pemOf(rsa), pemOf(rsa).trim(), rsa.publicKey.export({ type: "spki", format: "der" })])
        for (const alg of ["HS256", "RS256"])
          expect((yield* refusal(publicKey, forge({ alg, typ: "JWT" }, claims, key))).code).toBe("unauthorized")
    })
  )

  it.effect.each(["none", "None", "NONE", "nOnE", ""])("no signature, alg %s", (alg) =>
    Effect.gen(function* () {
      for (const options of [publicKey, withSecret])
        for (const token of [unsigned(claims, alg), `${unsigned(claims, alg)}AAAA`, unsigned(claims, alg).slice(0, -1)])
          expect((yield* refusal(options, token)).code).toBe("unauthorized")
    })
  )

  it.effect("another key of the same kind", () =>
    Effect.gen(function* () {
      const token = yield* signed(claims, otherRsa.privateKey, { alg: "RS256" })
      expect((yield* refusal(publicKey, token)).message).toContain("signature")
    })
  )

  it.effect("a key that the token brings along", () =>
    Effect.gen(function* () {
      const jwk = otherRsa.publicKey.export({ format: "jwk" })
      const token = yield* Effect.promise(async () => {
        const { SignJWT } = await import("jose")
        return new SignJWT(claims)
          .setProtectedHeader({ alg: "RS256", jwk, jku: "http://127.0.0.1:1/", kid: "../../dev/null" })
          .sign(otherRsa.privateKey)
      })
      expect((yield* refusal(publicKey, token)).code).toBe("unauthorized")
    })
  )

  it.effect("a good algorithm that is not on the list", () =>
    Effect.gen(function* () {
      const token = yield* signed(claims, rsa.privateKey, { alg: "RS256" })
      expect((yield* refusal({ ...publicKey, algorithms: ["PS256"] }, token)).message).toContain("algorithm")
    })
  )

  it.effect("an extension that must be understood and is not", () =>
    Effect.gen(function* () {
      expect((yield* refusal(withSecret, forge({ alg: "HS256", crit: ["x"], x: 1 }, claims, secret))).code).toBe("unauthorized")
    })
  )
})

describe("a configuration that cannot work", () => {
  it.effect.each<{ readonly what: string; readonly options: Partial<JwtOptions>; readonly says: string }>([
    { what: "no key", options: {}, says: "auth.jwt needs exactly one" },
    { what: "two keys", options: { secret: Redacted.make(secret), public_key: pemOf(rsa) }, says: "auth.jwt needs exactly one" },
    { what: "an empty secret", options: { secret: Redacted.make("") }, says: "auth.jwt.secret is empty" },
    { what: "a public key as secret", options: { secret: Redacted.make(pemOf(rsa)) }, says: "auth.jwt.secret is a key in PEM form" },
    { what: "a file that is not there", options: { public_key: "/nowhere/key.pem" }, says: "auth.jwt.public_key the file" },
    { what: "HS with a public key", options: { public_key: pemOf(rsa), algorithms: ["HS256"] }, says: "auth.jwt.algorithms HS256" },
    { what: "none", options: { secret: Redacted.make(secret), algorithms: ["none"] }, says: "auth.jwt.algorithms none" },
    { what: "RS with a secret", options: { secret: Redacted.make(secret), algorithms: ["RS256"] }, says: "auth.jwt.algorithms RS256" },
    { what: "HS with a JWKS", options: { jwks_url: "http://127.0.0.1:1/", algorithms: ["HS256"] }, says: "auth.jwt.algorithms HS256" },
    { what: "a JWKS address that is none", options: { jwks_url: "file:///etc/passwd" }, says: "auth.jwt.jwks_url" },
    { what: "a JWKS address with a password", options: { jwks_url: "http://user:sesame@127.0.0.1/" }, says: "auth.jwt.jwks_url must not" }
  ])("$what", ({ options, says }) =>
    Effect.gen(function* () {
      const problem = yield* setupProblem({ leeway: 0, ...options })
      expect(problem).toContain(says)
      expect(problem).not.toContain("sesame")
    })
  )

  it.effect("a short secret works; the configuration warns of it", () =>
    Effect.gen(function* () {
      const { capture, lines } = logs()
      yield* capture(makeJwtAuth({ secret: Redacted.make("sesame"), leeway: 0 }))
      expect(lines).toEqual([])
    })
  )
})

describe("looksLikeJwt", () => {
  it.effect("goes by the form, not by the worth", () =>
    Effect.gen(function* () {
      expect(looksLikeJwt(yield* signed({}))).toBe(true)
      expect(looksLikeJwt(unsigned({}))).toBe(true)
      expect(looksLikeJwt(forge({ alg: "HS256" }, {}, "wrong"))).toBe(true)
      for (const token of ["", "opaque", "a.b.c", "..", "v2.local.abc", "eyJ9.e.e", `${yield* signed({})}.x`])
        expect(looksLikeJwt(token)).toBe(false)
    })
  )
})
