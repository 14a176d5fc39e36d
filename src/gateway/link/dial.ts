/** From an address to an open WebSocket. */
import { Effect } from "effect"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import type { Backend, DialFailure } from "./Backend.ts"
import { upgrade, type Upgraded, type UpgradeRequest } from "./upgrade.ts"
import { WsBackend } from "./WsBackend.ts"

export interface DialRequest extends UpgradeRequest {
  /** Milliseconds for the connection and the handshake, all in all. */
  readonly timeout: number
  /** Bytes of the largest message that is taken from the backend. */
  readonly maxMessage: number
}

export interface Dialled extends Pick<Upgraded, "headers"> {
  readonly backend: Backend
}

const late: DialFailure = { outcome: "failed", failure: { type: "timeout", message: "the handshake was not answered in time" } }

/**
 * Opens a WebSocket to a backend; see `upgrade` for what it is asked. Fails with what the backend said instead, or with what
 * went wrong. An interruption leaves nothing open.
 */
export const dial = (request: DialRequest, turnEnd: TurnEnd): Effect.Effect<Dialled, DialFailure> =>
  upgrade(request).pipe(
    Effect.map(({ headers, protocol, socket }) => ({
      backend: new WsBackend(socket, { protocol, maxMessage: request.maxMessage, turnEnd }),
      headers
    })),
    Effect.timeoutOrElse({ duration: request.timeout, orElse: () => Effect.fail(late) })
  )
