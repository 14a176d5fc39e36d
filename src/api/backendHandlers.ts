/** The endpoints for backends, answered by the gateway of this node. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { normaliseTarget } from "../config/proxyRules.ts"
import type { BackendView } from "../gateway/BackendView.ts"
import { AdminApi } from "./AdminApi.ts"
import { Backends } from "./Backends.ts"
import type { HubError } from "./Hub.ts"
import { asked, notFound } from "./Problems.ts"

/** As the configuration reads it: whoever wrote `http://host:80/` there may write it here. */
const idOf = (backend: string): string => (URL.canParse(backend) ? normaliseTarget(backend) : backend)

export const backendHandlers = HttpApiBuilder.group(
  AdminApi,
  "backends",
  Effect.fnUntraced(function* (handlers) {
    const backends = yield* Backends

    const change =
      (apply: (route: string, backend: string) => Effect.Effect<BackendView, HubError>) =>
      ({ payload }: { readonly payload: { readonly backend: string; readonly route?: string } }) =>
        Effect.suspend(() => {
          const id = idOf(payload.backend)
          const routes =
            payload.route === undefined ? backends.list().flatMap(({ backend, route }) => (backend === id ? [route] : [])) : [payload.route]
          if (routes.length === 0) return Effect.fail(notFound("backend"))
          return Effect.map(asked(Effect.forEach(routes, (route) => apply(route, id))), (changed) => ({ backends: changed }))
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
