import { Effect } from "effect"
import { type Auth, AuthError } from "../auth/Auth.ts"
import { authRefusal, readCredentials, type Refusal } from "../transport/Handshake.ts"
import type { ProxyRoute } from "../config/proxy.ts"

/** A request that asks for a route. Header names in lower case. */
export interface RouteRequest {
  readonly headers: ReadonlyMap<string, string>
  readonly path: string
  /** Without its `?`. */
  readonly query: string
  readonly address: string
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
  const credentials = readCredentials(request)
  if ("refuse" in credentials) return Effect.fail(credentials.refuse)
  const { token } = credentials
  if (token === undefined) return Effect.fail(noToken)
  const { address, headers, path, query } = request
  return auth.authenticate({ token, address, path, query, headers }).pipe(
    Effect.mapBoth({ onSuccess: ({ user }) => user, onFailure: authRefusal }),
    Effect.catchDefect(() => Effect.fail(broken))
  )
}
