import { Effect } from "effect"
import { type Auth, AuthError } from "../auth/Auth.ts"
import { isSessionSubprotocol } from "../auth/TokenSource.ts"
import { authRefusal, readCredentials, type Refusal } from "../transport/Handshake.ts"
import type { ProxyRoute } from "../config/proxy.ts"
import { withoutParameter } from "./ForwardQuery.ts"

/** A request that asks for a route. Header names in lower case. */
export interface RouteRequest {
  readonly headers: ReadonlyMap<string, string>
  readonly path: string
  /** Without its `?`. */
  readonly query: string
  readonly address: string
}

/** A session of that name is one of the backend's, which knows how long it may be. */
const withoutSession = ({ headers, query }: RouteRequest): { readonly headers: ReadonlyMap<string, string>; readonly query: string } => {
  const offered = headers.get("sec-websocket-protocol")
  const without = offered?.split(",").filter((name) => !isSessionSubprotocol(name.trim()))
  return {
    headers: without === undefined ? headers : new Map([...headers, ["sec-websocket-protocol", without.join(",")]]),
    query: withoutParameter(query, "session")
  }
}

const noToken = authRefusal(new AuthError({ code: "unauthorized", message: "this route needs a token" }))
const broken = authRefusal(new AuthError({ code: "unavailable", message: "authentication failed on the server's side" }))

/**
 * Who asks: the user of the token, where the route requires one; nobody where it does not, whatever the request shows, since
 * its credentials are for the backend then. A token without a user is good enough to pass.
 */
export const routeUser = (
  auth: Auth["Service"],
  settings: Pick<ProxyRoute, "auth">,
  request: RouteRequest
): Effect.Effect<string | undefined, Refusal> => {
  if (!settings.auth.required) return Effect.succeed(undefined)
  const credentials = readCredentials(withoutSession(request))
  if ("refuse" in credentials) return Effect.fail(credentials.refuse)
  const { token } = credentials
  if (token === undefined) return Effect.fail(noToken)
  const { address, headers, path, query } = request
  return auth.authenticate({ token, address, path, query, headers }).pipe(
    Effect.mapBoth({ onSuccess: ({ user }) => user, onFailure: authRefusal }),
    Effect.catchDefect(() => Effect.fail(broken))
  )
}
