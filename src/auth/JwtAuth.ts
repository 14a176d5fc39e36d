/** Tokens that are JSON Web Tokens (RFC 7519), verified here through `jose`. */
import { readFile } from "node:fs/promises"
import { Clock, Effect, Redacted, Result } from "effect"
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose"
import { AuthError, AuthSetupError, type Identity } from "./Auth.ts"
import { identityFrom } from "./Claims.ts"
import { hmacVerifier } from "./HmacSignature.ts"
import { defaultTiming, JwksUnavailable, type JwksTiming, remoteKeys } from "./Jwks.ts"
import { jwksAlgorithms, narrowAlgorithms, publicKeyFromPem, secretAlgorithms } from "./JwtKeys.ts"
import { outageLog } from "./Outage.ts"
import type { Verifier } from "./Verifier.ts"

/** Exactly one of `secret`, `public_key` and `jwks_url`. */
export interface JwtOptions {
  /** Shared secret for HS256, HS384 and HS512. */
  readonly secret?: Redacted.Redacted<string> | undefined
  /** PEM text, or the path of a file with it. */
  readonly public_key?: string | undefined
  readonly jwks_url?: string | undefined
  /** The `iss` that a token must have. */
  readonly issuer?: string | undefined
  /** The `aud` that a token must have or contain. */
  readonly audience?: string | undefined
  /** Narrows the algorithms that the kind of key allows. Never `none`. */
  readonly algorithms?: ReadonlyArray<string> | undefined
  /** Seconds by which clocks may differ, for `exp` and `nbf`. */
  readonly leeway: number
}

/** Checks a token's signature and claims, and gives the claims. Fails with an error of `jose`. */
type Check = (token: string, options: JWTVerifyOptions) => Effect.Effect<JWTPayload, unknown>

interface Keys {
  readonly check: Check
  readonly algorithms: ReadonlyArray<string>
}

const byPublicKey =
  (key: JWTVerifyGetKey): Check =>
  (token, options) =>
    Effect.tryPromise({ try: async () => (await jwtVerify(token, key, options)).payload, catch: (error) => error })

const setupError = (key: string, message: string) => new AuthSetupError({ key: `auth.jwt.${key}`, message })

const keysFromSecret = Effect.fnUntraced(function* (secret: Redacted.Redacted<string>): Effect.fn.Return<Keys, AuthSetupError> {
  const bytes = Buffer.from(Redacted.value(secret))
  if (bytes.length === 0) return yield* setupError("secret", "is empty")
  // A public key taken for a shared secret: then everyone could sign.
  if (bytes.includes("-----BEGIN ")) return yield* setupError("secret", "is a key in PEM form; public keys go to auth.jwt.public_key")
  const verify = hmacVerifier(bytes)
  return {
    check: (token, options) => Effect.try({ try: () => verify(token, options), catch: (error) => error }),
    algorithms: secretAlgorithms
  }
})

const keysFromPublicKey = Effect.fnUntraced(function* (source: string): Effect.fn.Return<Keys, AuthSetupError> {
  const pem = source.includes("-----BEGIN ")
    ? source
    : yield* Effect.tryPromise({
        try: () => readFile(source, "utf8"),
        catch: () => setupError("public_key", `the file ${JSON.stringify(source)} cannot be read`)
      })
  const { algorithms, key } = yield* Effect.fromResult(
    publicKeyFromPem(pem).pipe(Result.mapError((problem) => setupError("public_key", problem)))
  )
  return { check: byPublicKey(async () => key), algorithms }
})

const keysFromJwks = Effect.fnUntraced(function* (text: string, timing: JwksTiming): Effect.fn.Return<Keys, AuthSetupError> {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return yield* setupError("jwks_url", "is not an http or https URL")
  if (url.username !== "" || url.password !== "") return yield* setupError("jwks_url", "must not hold a user or password")
  return { check: byPublicKey(yield* remoteKeys(url, timing)), algorithms: jwksAlgorithms }
})

const keysFrom = (options: JwtOptions, timing: JwksTiming): Effect.Effect<Keys, AuthSetupError> => {
  const { jwks_url, public_key, secret } = options
  if ([secret, public_key, jwks_url].filter((source) => source !== undefined).length !== 1)
    return Effect.fail(new AuthSetupError({ key: "auth.jwt", message: "needs exactly one of secret, public_key and jwks_url" }))
  if (secret !== undefined) return keysFromSecret(secret)
  return public_key === undefined ? keysFromJwks(jwks_url ?? "", timing) : keysFromPublicKey(public_key)
}

const unauthorized = (message: string) => new AuthError({ code: "unauthorized", message })

/** What the client is told. It never holds a value of the token. */
const refusal = (error: unknown): AuthError => {
  if (error instanceof JwksUnavailable)
    return new AuthError({ code: "unavailable", message: "the keys to verify tokens cannot be had now" })
  if (error instanceof errors.JWTExpired) return unauthorized("the token has expired")
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthorized(
      error.claim === "nbf" ? "the token is not valid yet" : `the token's claim ${error.claim} is missing or not accepted`
    )
  if (error instanceof errors.JWSSignatureVerificationFailed) return unauthorized("the token's signature does not verify")
  if (error instanceof errors.JOSEAlgNotAllowed) return unauthorized("the token's algorithm is not accepted")
  if (error instanceof errors.JWKSNoMatchingKey) return unauthorized("the token's key is not known")
  if (error instanceof errors.JWKSMultipleMatchingKeys) return unauthorized("the token does not say which key signed it (kid)")
  return unauthorized("the token is not a valid JWT")
}

/** Whether a token has the form of a JWT: three parts, the first a header that names an algorithm. Says nothing of its worth. */
export const looksLikeJwt = (token: string): boolean =>
  /^[\w-]+\.[\w-]*\.[\w-]*$/.test(token) &&
  Result.match(
    Result.try(() => decodeProtectedHeader(token)),
    { onSuccess: (header) => header.alg !== undefined, onFailure: () => false }
  )

/**
 * A verifier of JWTs. The algorithms it accepts are fixed by the kind of key that is configured, not by the token: a
 * public key never serves as a shared secret, and `none` is never accepted. `exp`, `nbf`, `iss` and `aud` are checked
 * against the Effect clock; an identity ends at `exp` plus leeway, the moment from which the token would be refused. Fails
 * when the configuration cannot work. A JWKS is not asked before the first token arrives.
 */
export const makeJwtAuth = Effect.fnUntraced(function* (
  options: JwtOptions,
  timing: JwksTiming = defaultTiming
): Effect.fn.Return<Verifier, AuthSetupError> {
  const keys = yield* keysFrom(options, timing)
  const algorithms = yield* Effect.fromResult(
    narrowAlgorithms(keys.algorithms, options.algorithms).pipe(Result.mapError((problem) => setupError("algorithms", problem)))
  )
  const warn = outageLog()
  const base: JWTVerifyOptions = {
    algorithms,
    clockTolerance: options.leeway,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience })
  }

  const verify = Effect.fnUntraced(function* (token: Redacted.Redacted<string>): Effect.fn.Return<Identity, AuthError> {
    const now = yield* Clock.currentTimeMillis
    const payload = yield* keys.check(Redacted.value(token), { ...base, currentDate: new Date(now) }).pipe(
      Effect.tapError((error) =>
        error instanceof JwksUnavailable ? warn(`the keys of auth.jwt.jwks_url cannot be had: ${error.reason}`) : Effect.void
      ),
      Effect.mapError(refusal)
    )
    return yield* Effect.fromResult(identityFrom(payload, options.leeway).pipe(Result.mapError(unauthorized)))
  })
  return { asksOthers: options.jwks_url !== undefined, verify }
})
