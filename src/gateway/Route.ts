import type { ProxyRoute } from "../config/proxy.ts"
import type { Asker } from "./Asker.ts"
import type { ArrivedRequest, HeaderRules } from "./ForwardHeaders.ts"
import type { Pool } from "./Pool.ts"

/** A route at run time. */
export interface Route extends Pick<ProxyRoute, "host" | "path"> {
  readonly settings: ProxyRoute
  readonly pool: Pool
  readonly rules: HeaderRules
  /** Connections of each user through this route, where those are limited. */
  readonly users: Map<string, number>
}

/** A client's request as every backend that gets it will be told of it. */
export interface Arrived {
  readonly asker: Asker
  readonly request: Omit<ArrivedRequest, "extra">
  /** As sent, without the query. */
  readonly path: string
}
