/** From an address to an open WebSocket. */
import { Effect } from "effect"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import type { Backend, DialFailure } from "./Backend.ts"
import { upgrade, type Upgraded, type UpgradeRequest } from "./upgrade.ts"
import { WsBackend } from "./WsBackend.ts"

export interface DialRequest extends UpgradeRequest {
  /** Bytes of the largest message that is taken from the backend. */
  readonly maxMessage: number
}

export interface Dialled extends Pick<Upgraded, "headers"> {
  readonly backend: Backend
}

/**
 * Opens a WebSocket to a backend; see `upgrade` for what it is asked. Fails with what the backend said instead, or with what
 * went wrong. An interruption leaves nothing open.
 */
export const dial = (request: DialRequest, turnEnd: TurnEnd): Effect.Effect<Dialled, DialFailure> =>
  Effect.map(upgrade(request), ({ headers, protocol, socket }) => ({
    backend: new WsBackend(socket, { protocol, maxMessage: request.maxMessage, turnEnd }),
    headers
  }))
