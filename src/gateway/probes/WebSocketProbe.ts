/** Checks a target by a WebSocket connection: the upgrade, then a ping and its pong, or a message and any answer. */
import { Effect } from "effect"
import WebSocket from "ws"
import { failureOf, type BackendFailure } from "../BackendFailure.ts"
import type { WebSocketCheck } from "../HealthPlan.ts"
import { FAREWELL, onceConnected, type Probe, type Progress, timedOutcome, USER_AGENT } from "./Probe.ts"
import { probeUrl } from "./probeUrl.ts"

/** Bytes of the longest answer that is taken. */
const MAX_ANSWER = 1_048_576

const open = (url: URL, progress: Progress): WebSocket => {
  const socket = new WebSocket(url, {
    headers: { "user-agent": USER_AGENT },
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: MAX_ANSWER,
    finishRequest: (request) => {
      onceConnected(request, () => {
        progress.missing = "no answer to the upgrade"
      })
      request.end()
    }
  })
  // An error without a listener would end the process, and one may still come while the socket is torn down.
  socket.on("error", () => undefined)
  return socket
}

const exchange = (socket: WebSocket, message: string | undefined, progress: Progress): Effect.Effect<void, BackendFailure> =>
  Effect.callback((resume) => {
    const fail = (failure: BackendFailure) => resume(Effect.fail(failure))
    socket.on("error", (error) => fail(failureOf(error)))
    socket.on("unexpected-response", (_request, response) =>
      fail({ type: "refused", message: `the backend answered the upgrade with status ${response.statusCode ?? 0}` })
    )
    socket.on("close", (code) => fail({ type: "lost", message: `the backend closed the connection (${code}) before it answered` }))
    socket.on("open", () => {
      progress.missing = message === undefined ? "no pong" : "no answer to ping_message"
      socket.on(message === undefined ? "pong" : "message", () => resume(Effect.void))
      if (message === undefined) socket.ping()
      else socket.send(message)
    })
  })

/** Says goodbye as RFC 6455 (section 7.1.1) wants it; whoever does not answer is cut off. */
const farewell = (socket: WebSocket): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (socket.readyState === WebSocket.CLOSED) return resume(Effect.void)
    socket.on("close", () => resume(Effect.void))
    socket.close(1000)
  }).pipe(Effect.timeoutOrElse({ duration: FAREWELL, orElse: () => Effect.void }))

/** https and wss verify the certificate. Redirects are not followed: any status but 101 is a failure. */
export const webSocketProbe = (target: URL, check: Pick<WebSocketCheck, "path" | "timeout" | "ping_message">): Probe => {
  const url = probeUrl(target, check.path)
  return Effect.suspend(() => {
    const progress: Progress = { missing: "no connection" }
    return Effect.acquireUseRelease(
      Effect.sync(() => open(url, progress)),
      (socket) =>
        timedOutcome(exchange(socket, check.ping_message, progress), check.timeout, progress).pipe(
          Effect.tap((outcome) => (outcome.ok ? farewell(socket) : Effect.void))
        ),
      (socket) => Effect.sync(() => socket.terminate())
    )
  })
}
