import { Duration, Effect } from "effect"
import type { ClientRequest } from "node:http"
import { TLSSocket } from "node:tls"
import type { BackendFailure } from "../BackendFailure.ts"
import type { ProbeOutcome } from "../HealthState.ts"

/** One check of one target. It never fails, takes `timeout` at most and leaves nothing open, also when it is interrupted. */
export type Probe = Effect.Effect<ProbeOutcome>

/** What is under way, for the text of a timeout: "no connection", "no answer to the upgrade". */
export interface Progress {
  missing: string
}

/** How long a backend may take to end a connection that has served its purpose. */
export const FAREWELL = 1000

/** What tells backends a check from a client. */
export const USER_AGENT = "weft-health-check"

/** Calls back when the connection of a request stands, for https with TLS. */
export const onceConnected = (request: ClientRequest, connected: () => void): void => {
  request.once("socket", (socket) => socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected))
}

/** The outcome of an exchange that succeeds with nothing, within `timeout` seconds. */
export const timedOutcome = <R>(
  exchange: Effect.Effect<void, BackendFailure, R>,
  timeout: number,
  progress: Progress
): Effect.Effect<ProbeOutcome, never, R> =>
  exchange.pipe(
    Effect.timeoutOrElse({
      duration: timeout * 1000,
      orElse: () => Effect.fail<BackendFailure>({ type: "timeout", message: `${progress.missing} within ${timeout} s` })
    }),
    Effect.timed,
    Effect.match({
      onSuccess: ([duration]): ProbeOutcome => ({ ok: true, milliseconds: Duration.toMillis(duration) }),
      onFailure: (failure): ProbeOutcome => ({ ok: false, ...failure })
    })
  )
