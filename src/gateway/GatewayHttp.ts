/** Plain HTTP requests on the gateway's routes: whose they are, then to the route's proxy. */
import { Effect, Exit, Result } from "effect"
import type { Auth } from "../auth/Auth.ts"
import { type Answer, type ClientSide, type HttpArrival, type HttpRoute, jsonAnswer, type Relay } from "../transport/HttpAnswer.ts"
import type { Refusal } from "../transport/Handshake.ts"
import type { HttpProxy } from "./HttpProxy.ts"
import { ownAnswer } from "./HttpProxyFailure.ts"
import type { Arrived, Route } from "./Route.ts"
import { routeUser } from "./RouteAuth.ts"
import type { RouteMatcher } from "./Routes.ts"

export interface GatewayHttpOptions {
  readonly match: RouteMatcher<Route>
  readonly proxyOf: (route: Route) => HttpProxy
  readonly auth: Auth["Service"]
  readonly run: <A>(effect: Effect.Effect<A>) => Promise<Exit.Exit<A>>
}

const refused = ({ rules }: Route, { code, headers, message, status }: Refusal): Answer =>
  ownAnswer(rules, jsonAnswer(status, { code, message }, headers))

const split = (target: string): readonly [path: string, query: string] => {
  const mark = target.indexOf("?")
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)]
}

const arrivedOf = ({ settings }: Route, arrival: HttpArrival, path: string, query: string): Arrived => {
  const { address, headers, peer, requestId, secure, trusted } = arrival
  return {
    path,
    asker: { address, user: undefined, headers, query, secure },
    request: { headers, query, requestId, user: undefined, withoutToken: settings.auth.required, websocket: false, peer, trusted, secure }
  }
}

/** Finds out who answers a request: undefined where no route is at its path. */
export const makeGatewayHttp = ({ auth, match, proxyOf, run }: GatewayHttpOptions) => {
  const authenticated = async (route: Route, arrived: Arrived, method: string, client: ClientSide): Promise<Answer | Relay> => {
    const { address, headers, query } = arrived.asker
    const exit = await run(Effect.result(routeUser(auth, route.settings, { headers, path: arrived.path, query, address })))
    if (Exit.isFailure(exit)) throw new Error("authentication was interrupted")
    const found = exit.value
    if (Result.isFailure(found)) return refused(route, found.failure)
    const user = found.success
    const known = { ...arrived, asker: { ...arrived.asker, user }, request: { ...arrived.request, user } }
    return proxyOf(route).handle({ arrived: known, method, client })
  }

  return (arrival: HttpArrival): HttpRoute | undefined => {
    const [path, query] = split(arrival.target)
    const route = match(arrival.headers.get("host"), path)
    if (route === undefined) return undefined
    const { settings } = route
    return {
      maxBody: settings.max_body,
      patience: settings.timeout,
      handle: (client) => {
        const arrived = arrivedOf(route, arrival, path, query)
        return settings.auth.required
          ? authenticated(route, arrived, arrival.method, client)
          : proxyOf(route).handle({ arrived, method: arrival.method, client })
      }
    }
  }
}
