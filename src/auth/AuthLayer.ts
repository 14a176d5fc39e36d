/** Which authentication serves: chosen by the configuration, or given as a function. */
import { Effect, Layer, Redacted } from "effect"
import { type AnonymousOptions, anonymousIdentity } from "./AnonymousAuth.ts"
import { Auth, AuthError, type AuthRequest, type AuthSetupError, type Identity } from "./Auth.ts"
import { type AuthFunction, callAuthFunction } from "./FunctionAuth.ts"
import { type HttpOptions, makeHttpAuth } from "./HttpAuth.ts"
import { type JwtOptions, looksLikeJwt, makeJwtAuth } from "./JwtAuth.ts"
import { withinSeconds } from "./timeLimit.ts"
import { MAX_TOKEN_BYTES } from "./TokenSource.ts"
import type { Verifier } from "./Verifier.ts"

/** The settings `[auth]`. */
export interface AuthOptions extends AnonymousOptions {
  /** Seconds that a client may wait for its verdict. 0: no limit. */
  readonly timeout: number
  readonly jwt?: JwtOptions | undefined
  readonly http?: HttpOptions | undefined
}

const unauthorized = (message: string) => new AuthError({ code: "unauthorized", message })
const noToken = unauthorized("a token is needed")
const tooLong = unauthorized(`a token has at most ${MAX_TOKEN_BYTES} bytes`)
const tooSlow = new AuthError({ code: "unavailable", message: "authentication took too long" })
const nothingConfigured = new AuthError({ code: "unavailable", message: "this server has no authentication configured" })
const broken = new AuthError({ code: "unavailable", message: "authentication failed on the server's side" })

/** The promises that hold for every way to authenticate: a verdict in time, and a fault of the server lets nobody in. */
const guarded = (effect: Effect.Effect<Identity, AuthError>, seconds: number): Effect.Effect<Identity, AuthError> =>
  effect.pipe(
    Effect.catchDefect((defect) =>
      // Not the defect's text: nobody has checked it for tokens.
      Effect.flatMap(Effect.logError(`authentication died: ${defect instanceof Error ? defect.name : typeof defect}`), () =>
        Effect.fail(broken)
      )
    ),
    withinSeconds(seconds, () => Effect.fail(tooSlow))
  )

const isTooLong = (token: Redacted.Redacted<string>): boolean => Buffer.byteLength(Redacted.value(token)) > MAX_TOKEN_BYTES

/** Tokens that look like a JWT to the one, all others to the other. A JWT that does not verify is not tried elsewhere. */
const either = (jwt: Verifier, http: Verifier): Verifier => ({
  asksOthers: true,
  verify: (token, request) => (looksLikeJwt(Redacted.value(token)) ? jwt : http).verify(token, request)
})

const verifierFor = Effect.fnUntraced(function* (options: AuthOptions): Effect.fn.Return<Verifier | undefined, AuthSetupError> {
  const jwt = options.jwt === undefined ? undefined : yield* makeJwtAuth(options.jwt)
  const http = options.http === undefined ? undefined : yield* makeHttpAuth(options.http)
  return jwt !== undefined && http !== undefined ? either(jwt, http) : (jwt ?? http)
})

const withVerifier = (verifier: Verifier | undefined, options: AuthOptions): Auth["Service"] => {
  const seconds = verifier?.asksOthers === true ? options.timeout : 0
  const anonymous = anonymousIdentity(options)
  const authenticate = (request: AuthRequest): Effect.Effect<Identity, AuthError> => {
    const { token } = request
    // Where nothing can verify a token, one that is sent says nothing.
    if (token === undefined || (verifier === undefined && anonymous !== undefined))
      return anonymous === undefined ? Effect.fail(noToken) : Effect.succeed(anonymous)
    if (verifier === undefined) return Effect.fail(nothingConfigured)
    return isTooLong(token) ? Effect.fail(tooLong) : guarded(verifier.verify(token, request), seconds)
  }
  const refresh = (token: Redacted.Redacted<string>): Effect.Effect<Identity, AuthError> => {
    if (verifier === undefined) return Effect.fail(nothingConfigured)
    return isTooLong(token) ? Effect.fail(tooLong) : guarded(verifier.verify(token, undefined), seconds)
  }
  return Auth.of({ configured: verifier !== undefined, authenticate, refresh })
}

/**
 * Authentication by the settings. With `jwt` and `http` both, a token that looks like a JWT must pass `jwt`, any other one
 * `http`. With neither, everybody is anonymous, whatever token is sent, if `anonymous` allows it. A token that is refused
 * never falls back to anonymous. Fails when a key cannot be used.
 */
export const layer = (options: AuthOptions): Layer.Layer<Auth, AuthSetupError> =>
  Layer.effect(
    Auth,
    Effect.map(verifierFor(options), (verifier) => withVerifier(verifier, options))
  )

/** Authentication by a function. Clients without a token whom it refuses are anonymous where `anonymous` allows it. */
export const layerFunction = (authenticate: AuthFunction, options: Omit<AuthOptions, "jwt" | "http">): Layer.Layer<Auth> => {
  const anonymous = anonymousIdentity(options)
  const notAccepted = unauthorized("the token is not valid")
  return Layer.succeed(Auth, {
    configured: true,
    authenticate: (request) => {
      const { token } = request
      if (token !== undefined && isTooLong(token)) return Effect.fail(tooLong)
      const otherwise =
        token === undefined ? (anonymous === undefined ? Effect.fail(noToken) : Effect.succeed(anonymous)) : Effect.fail(notAccepted)
      return guarded(
        Effect.flatMap(callAuthFunction(authenticate, token, request), (identity) =>
          identity === undefined ? otherwise : Effect.succeed(identity)
        ),
        options.timeout
      )
    },
    refresh: (token) =>
      isTooLong(token)
        ? Effect.fail(tooLong)
        : guarded(
            Effect.flatMap(callAuthFunction(authenticate, token, undefined), (identity) =>
              identity === undefined ? Effect.fail(notAccepted) : Effect.succeed(identity)
            ),
            options.timeout
          )
  })
}
