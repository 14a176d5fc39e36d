/** The endpoints for backends, answered by the gateway of this node. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { normaliseTarget, targetAddress } from "../config/proxyRules.ts"
import type { BackendView } from "../gateway/BackendView.ts"
import { AdminApi } from "./AdminApi.ts"
import { Backends } from "./Backends.ts"
import type { HubError } from "./Hub.ts"
import { asked, notFound } from "./Problems.ts"

/** As the configuration reads it: whoever wrote `http://host:80/` or `ws://host` there may write either here. */
const addressOf = (backend: string): string => targetAddress(URL.canParse(backend) ? normaliseTarget(backend) : backend)

export const backendHandlers = HttpApiBuilder.group(
  AdminApi,
  "backends",
  Effect.fnUntraced(function* (handlers) {
    const backends = yield* Backends

    const change =
      (apply: (route: string, backend: string) => Effect.Effect<BackendView, HubError>) =>
      ({ payload }: { readonly payload: { readonly backend: string; readonly route?: string } }) =>
        Effect.suspend(() => {
          const address = addressOf(payload.backend)
          const named = backends
            .list()
            .filter(({ backend, route }) => targetAddress(backend) === address && (payload.route ?? route) === route)
          // Of a route that is named, the gateway says what is not there.
          const meant = named.length === 0 && payload.route !== undefined ? [{ backend: payload.backend, route: payload.route }] : named
          if (meant.length === 0) return Effect.fail(notFound("backend"))
          return Effect.map(asked(Effect.forEach(meant, ({ backend, route }) => apply(route, backend))), (changed) => ({
            backends: changed
          }))
        })

    return handlers.handleAll({
      list: ({ query }) =>
        Effect.sync(() => ({ backends: backends.list().filter(({ route }) => query.route === undefined || route === query.route) })),
      get: ({ params: { route } }) => Effect.map(asked(backends.ofRoute(route)), (found) => ({ backends: found })),
      drain: change((route, backend) => backends.drain(route, backend, true)),
      undrain: change((route, backend) => backends.drain(route, backend, false)),
      disable: change((route, backend) => backends.enable(route, backend, false)),
      enable: change((route, backend) => backends.enable(route, backend, true))
    })
  })
)
