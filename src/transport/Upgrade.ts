/** The port of what decides about a WebSocket upgrade, before there is a WebSocket. */
import type { Effect } from "effect"
import type { ErrorCode } from "../wire/Codes.ts"
import type { Accepted } from "./Transport.ts"

/** What an upgrade request says. Header names in lower case. */
export interface UpgradeRequest {
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  /** The other end of the TCP connection, as text. */
  readonly peer: string
}

export type Verdict =
  | {
      readonly verdict: "accept"
      readonly accepted: Accepted
      /** The subprotocol that the server answers with; empty: none. */
      readonly protocol: string
      /** Gives back what was reserved. For a client that left before it was upgraded; else the connection does it at its end. */
      readonly release: () => void
    }
  | {
      readonly verdict: "refuse"
      readonly status: number
      readonly code: ErrorCode
      readonly message: string
      readonly headers?: Readonly<Record<string, string>>
    }

export interface Gate {
  /** Never fails: what goes wrong is a refusal. Interrupted when the client leaves. */
  readonly admit: (request: UpgradeRequest) => Effect.Effect<Verdict>
}
