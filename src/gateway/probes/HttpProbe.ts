/** Checks a target by an HTTP request: the status decides. */
import { Effect } from "effect"
import { Client, type Dispatcher } from "undici"
import { parseStatuses } from "../../config/proxyRules.ts"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { HttpCheck } from "../HealthPlan.ts"
import { FAREWELL, type Probe, type Progress, timedOutcome, USER_AGENT } from "./Probe.ts"
import { probeUrl } from "./probeUrl.ts"

/** Bytes of a body that are read before the connection is cut. */
const MAX_BODY = 65_536

/** Its own limits are off: one clock is enough. */
const open = (url: URL, progress: Progress): Client => {
  const client = new Client(url.origin, { connect: { timeout: 0 }, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  client.once("connect", () => {
    progress.missing = "no answer"
  })
  return client
}

const head = (client: Client, url: URL): Effect.Effect<Dispatcher.ResponseData, BackendFailure> =>
  Effect.tryPromise({
    try: async (signal) => {
      const path = url.pathname + url.search
      const answer = await client.request({ method: "GET", path, headers: { "user-agent": USER_AGENT }, reset: true, signal })
      // Destroyed with the client, a body that nobody listens to would end the process.
      answer.body.on("error", () => undefined)
      return answer
    },
    catch: failureOf
  })

/** Takes the body out of the way, so that the backend can end its answer in peace. What becomes of it decides nothing. */
const discard = (answer: Dispatcher.ResponseData): Effect.Effect<void> =>
  Effect.tryPromise((signal) => answer.body.dump({ limit: MAX_BODY, signal })).pipe(
    Effect.timeoutOrElse({ duration: FAREWELL, orElse: () => Effect.void }),
    Effect.ignore
  )

/** https and wss verify the certificate. Redirects are not followed: their own status is what counts. */
export const httpProbe = (target: URL, check: Pick<HttpCheck, "path" | "timeout" | "status">): Probe => {
  const url = probeUrl(target, check.path)
  const ranges = parseStatuses(check.status) ?? []
  const passes = (status: number) => ranges.some(({ from, to }) => from <= status && status <= to)
  return Effect.suspend(() => {
    const progress: Progress = { missing: "no connection" }
    return Effect.acquireUseRelease(
      Effect.sync(() => open(url, progress)),
      (client) => {
        let answer: Dispatcher.ResponseData | undefined
        const exchange = Effect.flatMap(head(client, url), (received) => {
          answer = received
          return passes(received.statusCode)
            ? Effect.void
            : Effect.fail<BackendFailure>({ type: "refused", message: `the backend answered with status ${received.statusCode}` })
        })
        return timedOutcome(exchange, check.timeout, progress).pipe(
          Effect.tap(() => (answer === undefined ? Effect.void : discard(answer)))
        )
      },
      (client) => Effect.promise(() => client.destroy())
    )
  })
}
