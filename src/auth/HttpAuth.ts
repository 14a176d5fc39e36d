/** Tokens that a service of the operator knows: it is asked over HTTP and answers with claims. */
import { hash } from "node:crypto"
import { Cache, Clock, Context, Effect, Exit, Redacted, Result } from "effect"
import { AuthError, AuthSetupError, type AuthRequest, type Identity } from "./Auth.ts"
import { boundedBody } from "./BoundedBody.ts"
import { identityFrom } from "./Claims.ts"
import { outageLog } from "./Outage.ts"
import { withinSeconds } from "./timeLimit.ts"
import type { Verifier } from "./Verifier.ts"

export interface HttpOptions {
  readonly url: string
  /** Seconds for one request, its answer read. 0: none but the limit over all authentication. */
  readonly timeout: number
  /** Seconds that an answer is kept, though never past the token's end. 0: every connection asks. */
  readonly cache: number
}

/** Bytes of the longest answer that is read. */
const MAX_ANSWER = 65_536
/** Answers that are kept at once; the least recently used one makes room. */
const CAPACITY = 8192
/** Seconds that a refusal is kept at most: enough against a client that hammers, short for one that was just allowed. */
const REFUSAL_SECONDS = 5

/** What the validator is told. */
interface Question {
  readonly token: Redacted.Redacted<string>
  readonly address: string | undefined
  readonly path: string | undefined
}

/** The question behind a cache key: given with the lookup, so that no token is kept once it is answered. */
class Asked extends Context.Service<Asked, Question>()("weft/auth/HttpAuth/Asked") {}

/** Answers are kept for exactly what was asked: a validator may allow a token from one address only. */
const cacheKey = (question: Question): string =>
  hash("sha256", JSON.stringify([Redacted.value(question.token), question.address, question.path]), "base64url")

const refused = (code: AuthError["code"], message: string) => new AuthError({ code, message })
const unavailable = refused("unavailable", "the authentication service cannot be asked now")

/** An answer of the validator that decides, or (as a failure) why there is none. */
type Answer = Result.Result<Identity, AuthError>

const parse = (body: Uint8Array): Result.Result<unknown, string> =>
  Result.try({
    try: (): unknown => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)),
    catch: () => "an answer that is not JSON"
  })

const ask = (url: URL, question: Question, signal: AbortSignal): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ token: Redacted.value(question.token), address: question.address, path: question.path }),
    // Followed, it would hand the token to whoever the answer names.
    redirect: "manual",
    signal
  })

/** Status and, for a 200 only, the claims. Rejects with an `Error` whose text names no token. */
const exchange = async (
  url: URL,
  question: Question,
  signal: AbortSignal
): Promise<{ readonly status: number; readonly claims: unknown }> => {
  const response = await ask(url, question, signal)
  if (response.status !== 200) {
    await response.body?.cancel()
    return { status: response.status, claims: undefined }
  }
  const body = await boundedBody(response, MAX_ANSWER)
  if (body === undefined) throw new Error(`an answer longer than ${MAX_ANSWER} bytes`)
  return { status: 200, claims: Result.getOrThrowWith(parse(body), (problem) => new Error(problem)) }
}

/** The cause of a failed `fetch` ("connect ECONNREFUSED …") says more than its message ("fetch failed"). */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "an unknown failure"
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** What an exchange means at the time `now`; a failure is a reason for the log. */
const judge = (status: number, claims: unknown, now: number): Result.Result<Answer, string> => {
  if (status === 401) return Result.succeed(Result.fail(refused("unauthorized", "the token is not valid")))
  if (status === 403) return Result.succeed(Result.fail(refused("forbidden", "this token may not connect here")))
  if (status !== 200) return Result.fail(`status ${status}`)
  return identityFrom(claims).pipe(
    Result.map((identity): Answer =>
      identity.expiresAt !== undefined && identity.expiresAt <= now
        ? Result.fail(refused("unauthorized", "the token has expired"))
        : Result.succeed(identity)
    )
  )
}

/** Milliseconds that an answer may be kept. */
const timeToKeep = (answer: Answer, seconds: number, now: number): number => {
  if (Result.isSuccess(answer)) return Math.max(0, Math.min(seconds * 1000, (answer.success.expiresAt ?? Number.POSITIVE_INFINITY) - now))
  return answer.failure.code === "unavailable" ? 0 : Math.min(seconds, REFUSAL_SECONDS) * 1000
}

const validatorUrl = (text: string): Effect.Effect<URL, AuthSetupError> => {
  const url = URL.parse(text)
  const fail = (message: string) => Effect.fail(new AuthSetupError({ key: "auth.http.url", message }))
  if (url === null || !/^https?:$/.test(url.protocol)) return fail("is not an http or https URL")
  return url.username === "" && url.password === "" ? Effect.succeed(url) : fail("must not hold a user or password")
}

/**
 * A verifier that posts `{"token", "address", "path"}` as JSON to the URL (the token alone at a refresh). 200 with claims
 * as JSON accepts; 401 and 403 refuse as `unauthorized` and `forbidden`. Everything else, such as a redirect, claims out of
 * bounds, no answer in time or one over 64 KiB, is `unavailable`: nobody comes in because the service is down. Questions
 * that are the same share one request while it runs, and its answer for as long as `cache` says.
 */
export const makeHttpAuth = Effect.fnUntraced(function* (
  options: HttpOptions,
  capacity: number = CAPACITY
): Effect.fn.Return<Verifier, AuthSetupError> {
  const url = yield* validatorUrl(options.url)
  const clock = yield* Clock.Clock
  const warn = outageLog()
  const noAnswer = (reason: string): Effect.Effect<Answer> =>
    Effect.as(warn(`the authentication service at ${url.host} gave no usable answer: ${reason}`), Result.fail(unavailable))

  const lookup = Effect.fnUntraced(function* (_key: string): Effect.fn.Return<Answer, never, Asked> {
    const question = yield* Asked
    const exchanged = yield* Effect.tryPromise({ try: (signal) => exchange(url, question, signal), catch: reasonOf }).pipe(
      withinSeconds(options.timeout, () => Effect.fail(`none within ${options.timeout} s`)),
      Effect.result
    )
    if (Result.isFailure(exchanged)) return yield* noAnswer(exchanged.failure)
    const judged = judge(exchanged.success.status, exchanged.success.claims, clock.currentTimeMillisUnsafe())
    return Result.isSuccess(judged) ? judged.success : yield* noAnswer(judged.failure)
  })

  const cache = yield* Cache.makeWith<string, Answer, never, Asked, "lookup">(lookup, {
    capacity,
    requireServicesAt: "lookup",
    timeToLive: (exit) => (Exit.isSuccess(exit) ? timeToKeep(exit.value, options.cache, clock.currentTimeMillisUnsafe()) : 0)
  })

  const verify = (token: Redacted.Redacted<string>, request: Pick<AuthRequest, "address" | "path"> | undefined) => {
    const question: Question = { token, address: request?.address, path: request?.path }
    return Cache.get(cache, cacheKey(question)).pipe(Effect.provideService(Asked, question), Effect.flatMap(Effect.fromResult))
  }
  return { asksOthers: true, verify }
})
