import { Effect } from "effect"
import { type Auth, AuthError, type Identity } from "../auth/Auth.ts"
import type { Settings } from "../config/Settings.ts"
import { isLoopback } from "../config/rules.ts"
import { isRefusal, type Seats } from "../limits/Seats.ts"
import { clientAddress, forwardingHeaders, type TrustedProxies } from "../transport/ClientAddress.ts"
import { authRefusal, type Handshake, negotiate, type Refusal } from "../transport/Handshake.ts"
import { originPolicy } from "../transport/Origin.ts"
import type { Accepted, Seat } from "../transport/Transport.ts"
import type { Gate, UpgradeRequest, Verdict } from "../transport/Upgrade.ts"

export interface GateOptions {
  readonly settings: Settings
  /** The proxies whose word on a client's address counts. */
  readonly trusted: TrustedProxies
  readonly auth: Auth["Service"]
  readonly seats: Seats
}

const refused = (refusal: Refusal): Verdict<Accepted> => ({ verdict: "refuse", ...refusal })

const badOrigin: Refusal = { status: 403, code: "forbidden", message: "connections from this origin are not allowed", headers: {} }

const fault: Refusal = { status: 500, code: "internal", message: "the server failed to decide about this connection", headers: {} }

const broken = new AuthError({ code: "unavailable", message: "authentication failed on the server's side" })

/**
 * Decides who becomes a connection: what the request says, where it comes from, what the limits allow, and, at last, since
 * it may take time, who it is.
 */
export const makeGate = ({ settings, trusted, auth, seats }: GateOptions): Gate<Accepted> => {
  const allowsOrigin = originPolicy(settings.server.origins, !auth.configured && isLoopback(settings.server.host))

  /** The second half, once it is known who asks. */
  const seatIdentity = (handshake: Handshake, identity: Identity, address: string, seat: Seat): Verdict<Accepted> => {
    const taken = seats.identify(seat, identity.user)
    if (isRefusal(taken)) return refused(taken)
    const { encoding, batch, session } = handshake
    return {
      verdict: "accept",
      accepted: { identity, address, encoding, batch, session, seat: taken },
      protocol: handshake.subprotocol ?? "",
      release: () => seats.leave(taken)
    }
  }

  const authenticate = (request: UpgradeRequest, handshake: Handshake, address: string, seat: Seat): Effect.Effect<Verdict<Accepted>> =>
    auth.authenticate({ token: handshake.token, address, path: request.path, query: request.query, headers: request.headers }).pipe(
      Effect.catchDefect(() => Effect.fail(broken)),
      Effect.match({
        onSuccess: (identity) => seatIdentity(handshake, identity, address, seat),
        onFailure: (error) => {
          seats.leave(seat)
          return refused(authRefusal(error))
        }
      }),
      Effect.onInterrupt(() => Effect.sync(() => seats.leave(seat))),
      Effect.ensuring(Effect.sync(() => seats.settle()))
    )

  return {
    admit: (request) =>
      Effect.suspend(() => {
        const { headers } = request
        const negotiated = negotiate(request)
        if ("refuse" in negotiated) return Effect.succeed(refused(negotiated.refuse))
        if (!allowsOrigin({ origin: headers.get("origin"), host: headers.get("host") })) return Effect.succeed(refused(badOrigin))
        const { address } = clientAddress(
          request.peer,
          forwardingHeaders((name) => headers.get(name)),
          trusted
        )
        const seat = seats.enter(address)
        return isRefusal(seat) ? Effect.succeed(refused(seat)) : authenticate(request, negotiated.ok, address, seat)
      }).pipe(Effect.catchDefect((defect) => Effect.as(Effect.logError("deciding about a connection failed", defect), refused(fault))))
  }
}
