import { type Clock, Effect } from "effect"
import { type Auth, AuthError, type Identity } from "../auth/Auth.ts"
import type { Settings } from "../config/Settings.ts"
import { isLoopback } from "../config/rules.ts"
import type { Limits } from "../limits/Limits.ts"
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
  readonly limits: Limits
  readonly clock: Clock.Clock
  /** Connections that are open. */
  readonly connections: () => number
  readonly draining: () => boolean
}

const refused = (refusal: Refusal): Verdict<Accepted> => ({ verdict: "refuse", ...refusal })

const badOrigin: Refusal = { status: 403, code: "forbidden", message: "connections from this origin are not allowed", headers: {} }

const fault: Refusal = { status: 500, code: "internal", message: "the server failed to decide about this connection", headers: {} }

const broken = new AuthError({ code: "unavailable", message: "authentication failed on the server's side" })

/**
 * Decides who becomes a connection: what the request says, where it comes from, what the limits allow, and, at last, since
 * it may take time, who it is. Places are taken while that goes on, so that a thousand requests at once can not all pass a
 * limit of ten.
 */
export const makeGate = ({ settings, trusted, auth, limits, clock, connections, draining }: GateOptions): Gate<Accepted> => {
  const allowsOrigin = originPolicy(settings.server.origins, !auth.configured && isLoopback(settings.server.host))
  let handshakes = 0

  const load = (seat: Seat) => ({
    draining: draining(),
    handshakes,
    connections: connections() + handshakes,
    perAddress: seat.address.connections,
    ...(seat.user === undefined ? {} : { perUser: seat.user.connections })
  })

  const leave = (seat: Seat): void => {
    const now = clock.currentTimeMillisUnsafe()
    limits.releaseAddress(seat.address, now)
    if (seat.user !== undefined) limits.releaseUser(seat.user, now)
  }

  /** The second half, once it is known who asks. */
  const seatIdentity = (handshake: Handshake, identity: Identity, address: string, seat: Seat): Verdict<Accepted> => {
    const now = clock.currentTimeMillisUnsafe()
    const taken: Seat = identity.user === undefined ? seat : { ...seat, user: limits.acquireUser(identity.user, now) }
    const refusal = limits.admit(load(taken))
    if (refusal !== undefined) {
      leave(taken)
      return refused(refusal)
    }
    const { encoding, batch, session } = handshake
    return {
      verdict: "accept",
      accepted: { identity, address, encoding, batch, session, seat: taken },
      protocol: handshake.subprotocol ?? "",
      release: () => leave(taken)
    }
  }

  const authenticate = (request: UpgradeRequest, handshake: Handshake, address: string, seat: Seat): Effect.Effect<Verdict<Accepted>> =>
    auth.authenticate({ token: handshake.token, address, path: request.path, query: request.query, headers: request.headers }).pipe(
      Effect.catchDefect(() => Effect.fail(broken)),
      Effect.match({
        onSuccess: (identity) => seatIdentity(handshake, identity, address, seat),
        onFailure: (error) => {
          leave(seat)
          return refused(authRefusal(error))
        }
      }),
      Effect.onInterrupt(() => Effect.sync(() => leave(seat))),
      Effect.ensuring(
        Effect.sync(() => {
          handshakes--
        })
      )
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
        const seat: Seat = { address: limits.acquireAddress(address, clock.currentTimeMillisUnsafe()), user: undefined }
        handshakes++
        const refusal = limits.admit(load(seat))
        if (refusal === undefined) return authenticate(request, negotiated.ok, address, seat)
        handshakes--
        leave(seat)
        return Effect.succeed(refused(refusal))
      }).pipe(Effect.catchDefect((defect) => Effect.as(Effect.logError("deciding about a connection failed", defect), refused(fault))))
  }
}
