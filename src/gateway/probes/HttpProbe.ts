/**
 * Checks a target by an HTTP request: the status decides. Made with Node's own client, since destroying it ends a connection
 * at any point of its life; undici's leaves one open whose TLS handshake goes unanswered.
 */
import { Effect } from "effect"
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { parseStatuses } from "../../config/proxyRules.ts"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { HttpCheck } from "../HealthPlan.ts"
import { FAREWELL, onceConnected, type Probe, type Progress, timedOutcome, USER_AGENT } from "./Probe.ts"
import { probeUrl } from "./probeUrl.ts"

/** Bytes of a body that are read before the connection is cut. */
const MAX_BODY = 65_536

const open = (url: URL, progress: Progress): ClientRequest => {
  const request = url.protocol === "https:" ? requestHttps : requestHttp
  const sent = request(url, { agent: false, headers: { "user-agent": USER_AGENT, connection: "close" } })
  onceConnected(sent, () => {
    progress.missing = "no answer"
  })
  // An error without a listener would end the process, and one may still come while the connection is torn down.
  return sent.on("error", () => undefined).end()
}

const answerTo = (request: ClientRequest): Effect.Effect<IncomingMessage, BackendFailure> =>
  Effect.callback((resume) => {
    request.on("error", (error) => resume(Effect.fail(failureOf(error))))
    request.on("response", (answer) => {
      answer.on("error", () => undefined)
      resume(Effect.succeed(answer))
    })
  })

/** Takes the body out of the way, so that the backend can end its answer in peace. What becomes of it decides nothing. */
const discard = (answer: IncomingMessage): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    let size = 0
    answer.on("end", done).on("close", done)
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY) return
      answer.pause()
      done()
    })
  }).pipe(Effect.timeoutOrElse({ duration: FAREWELL, orElse: () => Effect.void }))

/** https and wss verify the certificate. Redirects are not followed: their own status is what counts. */
export const httpProbe = (target: URL, check: Pick<HttpCheck, "path" | "timeout" | "status">): Probe => {
  const url = probeUrl(target, check.path)
  const ranges = parseStatuses(check.status) ?? []
  const passes = (status: number) => ranges.some(({ from, to }) => from <= status && status <= to)
  return Effect.suspend(() => {
    const progress: Progress = { missing: "no connection" }
    return Effect.acquireUseRelease(
      Effect.sync(() => open(url, progress)),
      (request) => {
        let answer: IncomingMessage | undefined
        const exchange = Effect.flatMap(answerTo(request), (received) => {
          answer = received
          const status = received.statusCode ?? 0
          return passes(status)
            ? Effect.void
            : Effect.fail<BackendFailure>({ type: "refused", message: `the backend answered with status ${status}` })
        })
        return timedOutcome(exchange, check.timeout, progress).pipe(
          Effect.tap(() => (answer === undefined ? Effect.void : discard(answer)))
        )
      },
      (request) => Effect.sync(() => request.destroy())
    )
  })
}
