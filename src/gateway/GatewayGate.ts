/** Decides about upgrades for the gateway's routes: the client's is answered once a backend has answered the same. */
import { Effect } from "effect"
import type { Auth } from "../auth/Auth.ts"
import { newConnectionId } from "../connection/ids.ts"
import { isRefusal, type Seats } from "../limits/Seats.ts"
import { clientAddress, forwardingHeaders, type TrustedProxies } from "../transport/ClientAddress.ts"
import { protocolProblem, type Refusal } from "../transport/Handshake.ts"
import { requestIdFrom } from "../transport/RequestId.ts"
import type { Seat } from "../transport/Transport.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import type { Gate, HeaderLines, UpgradeRequest, Verdict } from "../transport/Upgrade.ts"
import { errorCodes } from "../wire/Codes.ts"
import { forwardResponse, ownHeaders } from "./ForwardHeaders.ts"
import { connect, type ConnectFailure, type Connected } from "./link/connect.ts"
import type { AcceptedLink } from "./link/Link.ts"
import { returnUser, takeUser } from "./Links.ts"
import type { Arrived, Route } from "./Route.ts"
import { routeUser } from "./RouteAuth.ts"
import type { RouteMatcher } from "./Routes.ts"

export interface GatewayGateOptions {
  readonly match: RouteMatcher<Route>
  readonly trusted: TrustedProxies
  readonly auth: Auth["Service"]
  readonly seats: Seats
  readonly turnEnd: TurnEnd
  /** The listener speaks TLS. */
  readonly secure: boolean
  /** What a backend is told of a link beside the client's own headers. */
  readonly extra: (id: string) => ReadonlyArray<readonly [name: string, value: string]>
}

const refused = (refusal: Refusal): Verdict<never> => ({ verdict: "refuse", ...refusal })

const tooManyOfUser: Refusal = {
  status: errorCodes.limit_reached.status,
  code: "limit_reached",
  message: "too many connections of this user",
  headers: { "retry-after": "10" }
}

const fault: Refusal = { status: 500, code: "internal", message: "the server failed to decide about this connection", headers: {} }

/** The handshake's own headers are for the transport to write. */
const ofHandshake: ReadonlySet<string> = new Set(["sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol"])

const requestIdHeader = "x-request-id"

/** What a client is told whom no backend took. */
export const connectRefusal = (failure: ConnectFailure, { pool, rules }: Route): Verdict<never> => {
  switch (failure.outcome) {
    case "unavailable":
      pool.unavailable++
      return refused({
        status: 503,
        code: "unavailable",
        message: "no backend can take this connection now",
        headers: { "retry-after": String(pool.retryAfter) }
      })
    case "refused":
      if (failure.body === undefined)
        return refused({ status: 502, code: "unavailable", message: "the backend's refusal is too long to be passed on", headers: {} })
      return {
        verdict: "relay",
        status: failure.status,
        headers: forwardResponse(rules, failure.headers, undefined).filter(([name]) => !ofHandshake.has(name)),
        body: failure.body
      }
    case "unsendable":
      return refused({ status: 400, code: "invalid_message", message: "this request can not be passed on", headers: {} })
    case "failed":
      return failure.failure.type === "timeout"
        ? refused({ status: 504, code: "timeout", message: "the backend did not answer in time", headers: {} })
        : refused({ status: 502, code: "unavailable", message: "the backend can not be reached, or does not speak WebSocket", headers: {} })
  }
}

const upgradeHeaders = ({ choice, headers }: Connected, { rules }: Route): HeaderLines =>
  forwardResponse(rules, headers, choice.setCookie).filter(([name]) => !ofHandshake.has(name))

/** What every answer of a route has: what the request is called, and, where the answer is this server's own, what the route adds. */
const named = <A>(verdict: Verdict<A>, { rules }: Route, requestId: string): Verdict<A> => {
  switch (verdict.verdict) {
    case "pass":
      return verdict
    case "refuse":
      return { ...verdict, headers: { ...ownHeaders(rules, verdict.headers ?? {}), [requestIdHeader]: requestId } }
    default: {
      const others = (verdict.headers ?? []).filter(([name]) => name !== requestIdHeader)
      return { ...verdict, headers: [...others, [requestIdHeader, requestId]] }
    }
  }
}

// uWebSockets.js reads header bytes as UTF-8; a field value has one character per byte here.
const nonAscii = /[^\x20-\x7e\t]/

const byteValues = (headers: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  for (const value of headers.values())
    if (nonAscii.test(value)) return new Map(Array.from(headers, ([name, text]) => [name, Buffer.from(text, "utf8").toString("latin1")]))
  return headers
}

/**
 * Admits clients to the routes of the gateway. Requests that have no route, and those that only look like an upgrade, pass
 * on to plain HTTP. What a backend refuses, the client is told in the backend's words.
 */
export const makeGatewayGate = (options: GatewayGateOptions): Gate<AcceptedLink> => {
  const { auth, extra, match, seats, trusted, turnEnd } = options

  const arrivedOf = (request: UpgradeRequest, route: Route, requestId: string): Arrived => {
    const headers = byteValues(request.headers)
    const {
      address,
      peer,
      secure,
      trusted: believed
    } = clientAddress(
      request.peer,
      forwardingHeaders((name) => headers.get(name)),
      trusted
    )
    const isSecure = options.secure || secure
    return {
      path: request.path,
      asker: { address, user: undefined, headers, query: request.query, secure: isSecure },
      request: {
        headers,
        query: request.query,
        requestId,
        user: undefined,
        withoutToken: route.settings.auth.required,
        websocket: true,
        peer,
        trusted: believed,
        secure: isSecure
      }
    }
  }

  const connected = (route: Route, arrived: Arrived, seat: Seat, user: string | undefined): Effect.Effect<Verdict<AcceptedLink>> => {
    const id = newConnectionId()
    const release = (): void => {
      seats.leave(seat)
      returnUser(route, user)
    }
    return connect(route, arrived, { turnEnd, extra: extra(id) }).pipe(
      Effect.map((backend): Verdict<AcceptedLink> => ({
        verdict: "accept",
        accepted: { id, route, arrived, seat, connected: backend },
        protocol: backend.backend.protocol,
        headers: upgradeHeaders(backend, route),
        release: () => {
          backend.backend.terminate()
          route.pool.release(backend.lease)
          release()
        }
      })),
      Effect.catch((failure) =>
        Effect.sync(() => {
          release()
          return connectRefusal(failure, route)
        })
      ),
      Effect.onInterrupt(() => Effect.sync(release))
    )
  }

  const admitTo = (route: Route, request: UpgradeRequest, requestId: string): Effect.Effect<Verdict<AcceptedLink>> => {
    const arrived = arrivedOf(request, route, requestId)
    const { address } = arrived.asker
    const seat = seats.enter(address)
    if (isRefusal(seat)) return Effect.succeed(refused(seat))
    return routeUser(auth, route.settings, { headers: arrived.asker.headers, path: request.path, query: request.query, address }).pipe(
      Effect.onInterrupt(() => Effect.sync(() => seats.leave(seat))),
      Effect.matchEffect({
        onFailure: (refusal) => {
          seats.leave(seat)
          return Effect.succeed(refused(refusal))
        },
        onSuccess: (user) => {
          const taken = seats.identify(seat, user)
          if (isRefusal(taken)) return Effect.succeed(refused(taken))
          if (!takeUser(route, user)) {
            seats.leave(taken)
            return Effect.succeed(refused(tooManyOfUser))
          }
          const known = { ...arrived, asker: { ...arrived.asker, user }, request: { ...arrived.request, user } }
          return connected(route, known, taken, user)
        }
      }),
      Effect.ensuring(Effect.sync(() => seats.settle()))
    )
  }

  return {
    admit: (request) =>
      Effect.suspend(() => {
        const route = match(request.headers.get("host"), request.path)
        if (route === undefined || request.headers.get("upgrade")?.toLowerCase() !== "websocket")
          return Effect.succeed<Verdict<AcceptedLink>>({ verdict: "pass" })
        const requestId = requestIdFrom(request.headers.get(requestIdHeader))
        return Effect.suspend(() => {
          const problem = protocolProblem(request.headers)
          return problem === undefined ? admitTo(route, request, requestId) : Effect.succeed(refused(problem.refuse))
        }).pipe(
          Effect.catchDefect((defect) => Effect.as(Effect.logError("deciding about a connection failed", defect), refused(fault))),
          Effect.map((decided) => named(decided, route, requestId))
        )
      })
  }
}
