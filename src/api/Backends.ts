/** What the server API may ask of the gateway. */
import { Context, Effect } from "effect"
import type { BackendView } from "../gateway/BackendView.ts"
import { HubError } from "./Hub.ts"

export class Backends extends Context.Service<
  Backends,
  {
    /** Every target of every route, in the order of the configuration. */
    readonly list: () => ReadonlyArray<BackendView>
    /** Of one route, by its name; `not_found` if there is none. */
    readonly ofRoute: (route: string) => Effect.Effect<ReadonlyArray<BackendView>, HubError>
    /**
     * Begins or ends the draining of a target: no new clients; those it has stay for `deregistration_delay`, then go to another
     * target or are sent away. `backend` is the target's id, its URL. `not_found` if there is none.
     */
    readonly drain: (route: string, backend: string, draining: boolean) => Effect.Effect<BackendView, HubError>
    /** Takes a target out of service at once for new clients, unchecked, or puts it back. `not_found` if there is none. */
    readonly enable: (route: string, backend: string, enabled: boolean) => Effect.Effect<BackendView, HubError>
  }
>()("weft/api/Backends") {}

const noRoute = Effect.fail(new HubError({ code: "not_found", message: "no such route" }))

/** Of a server without routes. */
export const noBackends: Backends["Service"] = { list: () => [], ofRoute: () => noRoute, drain: () => noRoute, enable: () => noRoute }
