/** The port of what decides about a WebSocket upgrade, before there is a WebSocket. */
import type { Effect } from "effect"
import type { ErrorCode } from "../wire/Codes.ts"

/** Header lines in order; a name may stand more than once. */
export type HeaderLines = ReadonlyArray<readonly [name: string, value: string]>

/** What an upgrade request says. Header names in lower case. */
export interface UpgradeRequest {
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  /** The other end of the TCP connection, as text. */
  readonly peer: string
}

/** `A` is what the other side wants to know of a client once its socket is open. */
export type Verdict<A> =
  | {
      readonly verdict: "accept"
      readonly accepted: A
      /** The subprotocol that the server answers with; empty: none. */
      readonly protocol: string
      /** Beside those of the handshake itself. */
      readonly headers?: HeaderLines
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
  | {
      /** Somebody else has answered, and the client gets that answer. */
      readonly verdict: "relay"
      readonly status: number
      readonly headers: HeaderLines
      readonly body: Uint8Array
    }
  | {
      /** Not for this endpoint: the request goes on as a plain one. Only when it is decided at once. */
      readonly verdict: "pass"
    }

export interface Gate<A> {
  /** Never fails: what goes wrong is a refusal. Interrupted when the client leaves. */
  readonly admit: (request: UpgradeRequest) => Effect.Effect<Verdict<A>>
}
