/** Authentication by a function of the program that embeds the server. */
import { Clock, Effect, Redacted, Result } from "effect"
import { AuthError, type AuthRequest, type Identity } from "./Auth.ts"
import { type Claims, identityFrom } from "./Claims.ts"

/** Claims accept; null and undefined refuse. */
type Verdict = Claims | null | undefined

/**
 * Tells who a client is. It is asked at every upgrade, also without a token, so that it may go by a cookie or another
 * header; and with the new token only, `request` being undefined, when a client refreshes. To refuse with another code
 * than `unauthorized`, fail or throw an `AuthError`. Any other failure is `unavailable`.
 */
export type AuthFunction = (
  token: Redacted.Redacted<string> | undefined,
  request: AuthRequest | undefined
) => Verdict | Promise<Verdict> | Effect.Effect<Verdict, AuthError>

/** The text of a failure without the token, should the function have put it there. */
const describe = (error: unknown, token: Redacted.Redacted<string> | undefined): string => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const secret = token === undefined ? "" : Redacted.value(token)
  return secret === "" ? text : text.replaceAll(secret, "<token>")
}

const call = (
  authenticate: AuthFunction,
  token: Redacted.Redacted<string> | undefined,
  request: AuthRequest | undefined
): Effect.Effect<Verdict, unknown> =>
  Effect.try({ try: () => authenticate(token, request), catch: (error) => error }).pipe(
    Effect.flatMap((answer): Effect.Effect<Verdict, unknown> => {
      if (Effect.isEffect(answer)) return Effect.catchDefect(answer, (defect) => Effect.fail(defect))
      return answer instanceof Promise ? Effect.tryPromise({ try: () => answer, catch: (error) => error }) : Effect.succeed(answer)
    })
  )

const unavailable = new AuthError({ code: "unavailable", message: "authentication failed on the server's side" })

/** As JSON would carry it: without getters, prototypes and values that only live in this process. */
const asJson = (claims: Claims): Result.Result<unknown, string> =>
  Result.try({ try: (): unknown => JSON.parse(JSON.stringify(claims)), catch: () => "the claims are not JSON" })

/**
 * Calls the function and holds what it gives to the same bounds as claims from elsewhere. Undefined: it refused without
 * more words.
 */
export const callAuthFunction = Effect.fnUntraced(function* (
  authenticate: AuthFunction,
  token: Redacted.Redacted<string> | undefined,
  request: AuthRequest | undefined
): Effect.fn.Return<Identity | undefined, AuthError> {
  const failed = (reason: string) => Effect.as(Effect.logError(`the authentication function failed: ${reason}`), unavailable)
  const claims = yield* call(authenticate, token, request).pipe(
    Effect.catch((error) => (error instanceof AuthError ? Effect.fail(error) : Effect.flip(failed(describe(error, token)))))
  )
  if (claims === null || claims === undefined) return undefined
  const identity = asJson(claims).pipe(Result.flatMap((json) => identityFrom(json)))
  if (Result.isFailure(identity)) return yield* Effect.flip(failed(identity.failure))
  const { expiresAt } = identity.success
  const now = yield* Clock.currentTimeMillis
  if (expiresAt !== undefined && expiresAt <= now) return yield* new AuthError({ code: "unauthorized", message: "the token has expired" })
  return identity.success
})
