/** The keys of an issuer, fetched from its JWKS address (RFC 7517) and kept. */
import { Data, Effect } from "effect"
import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from "jose"
import { boundedBody } from "./BoundedBody.ts"

/** The keys could not be had. `reason` is for the log. */
export class JwksUnavailable extends Data.TaggedError("JwksUnavailable")<{ readonly reason: string }> {}

/** Milliseconds each. */
export interface JwksTiming {
  /** For one request. */
  readonly timeout: number
  /** After a success, before a token with an unknown key may cause another request. */
  readonly cooldown: number
  /** After a failure, before the next request. */
  readonly retryAfter: number
  /** How long keys are used without asking again: how long a withdrawn key may live on. */
  readonly maxAge: number
}

export const defaultTiming: JwksTiming = { timeout: 5000, cooldown: 30_000, retryAfter: 1000, maxAge: 600_000 }

const MAX_BODY = 262_144

/** Errors that are about the token and not about the keys. */
const concernsToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JOSEAlgNotAllowed

/** `fetch` that reads a bounded answer and does not repeat a failed request within `retryAfter`. */
const carefulFetch = (now: () => number, retryAfter: number): FetchImplementation => {
  let failedAt = Number.NEGATIVE_INFINITY
  return async (url, options) => {
    if (now() - failedAt < retryAfter) throw new Error("the last request failed a moment ago")
    try {
      const response = await fetch(url, options)
      if (response.status !== 200) {
        await response.body?.cancel()
        throw new Error(`status ${response.status}`)
      }
      const body = await boundedBody(response, MAX_BODY)
      if (body === undefined) throw new Error(`longer than ${MAX_BODY} bytes`)
      return new Response(body)
    } catch (error) {
      failedAt = now()
      throw error
    }
  }
}

/**
 * Finds the key for a token by its `kid` and `alg`. Requests for keys are shared, bounded in time and size, not redirected,
 * and at least `cooldown` apart whatever tokens arrive. Rejects with jose's errors when the token fits no key, and with
 * `JwksUnavailable` when the keys could not be had.
 */
export const remoteKeys = (url: URL, timing: JwksTiming): Effect.Effect<JWTVerifyGetKey> =>
  Effect.clockWith((clock) =>
    Effect.sync(() => {
      const keys = createRemoteJWKSet(url, {
        timeoutDuration: timing.timeout,
        cooldownDuration: timing.cooldown,
        cacheMaxAge: timing.maxAge,
        [customFetch]: carefulFetch(() => clock.currentTimeMillisUnsafe(), timing.retryAfter)
      })
      const keyFor: JWTVerifyGetKey = (header, token) =>
        keys(header, token).catch((error: unknown) => {
          if (concernsToken(error)) throw error
          throw new JwksUnavailable({ reason: error instanceof Error ? error.message : String(error) })
        })
      return keyFor
    })
  )
