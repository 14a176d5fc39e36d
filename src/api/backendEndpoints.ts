/** The endpoints for the gateway's backends, declared. The fields are those of `BackendView`. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { backendStates } from "../gateway/BackendView.ts"
import { breakerStates } from "../gateway/Breaker.ts"
import { gatewayErrorTypes } from "../gateway/GatewayError.ts"
import { Count, describe, errors, Milliseconds, Name, RequiredScope } from "./endpoints.ts"

const Share = Schema.Number.annotate({ description: "0 to 1." })
const Seconds = Schema.Number.annotate({ description: "Seconds." })

const Rates = Schema.Struct({
  successes: Count,
  failures: Count,
  success_rate: Schema.optionalKey(Share),
  failure_rate: Schema.optionalKey(Share)
}).annotate({ description: "Over the last five minutes. Without rates: there was nothing to take them from." })

const Traffic = Schema.Struct({
  open: Count.annotate({ description: "Now: WebSockets that the backend has accepted, HTTP requests under way." }),
  total: Count.annotate({ description: "Since the start: WebSockets that were dialled, HTTP requests." }),
  errors: Schema.Record(Schema.String, Count).annotate({ description: `By type: ${gatewayErrorTypes.join(", ")}.` }),
  latency: Schema.optionalKey(Schema.Struct({ p50: Seconds, p99: Seconds })).annotate({
    description: "Since the start: of dials until the upgrade was answered, of HTTP requests until the head of the answer."
  })
})

export const Backend = Schema.Struct({
  route: Schema.String,
  backend: Schema.String.annotate({ description: "The URL of the target, without a slash at the end." }),
  weight: Schema.Number,
  state: Schema.Literals(backendStates).annotate({
    description: "The first that holds: disabled, draining, down; else up, or unknown where nothing is checked."
  }),
  draining_since: Schema.optionalKey(Milliseconds),
  last_change: Schema.optionalKey(Milliseconds),
  connections: Count.annotate({ description: "WebSockets, those that are being dialled too, and HTTP requests under way." }),
  health: Schema.Struct({
    status: Schema.Literals(["unknown", "up", "down"]),
    since: Milliseconds,
    checks: Rates,
    traffic: Rates,
    last_error: Schema.optionalKey(
      Schema.Struct({
        at: Milliseconds,
        source: Schema.Literals(["probe", "traffic"]),
        type: Schema.String,
        message: Schema.String
      })
    )
  }),
  circuit: Schema.Struct({
    state: Schema.Literals(breakerStates),
    openings: Count,
    opened_at: Schema.optionalKey(Milliseconds)
  }),
  messages: Schema.Struct({ in: Count, out: Count }),
  websocket: Traffic,
  http: Traffic
})

const List = Schema.Struct({ backends: Schema.Array(Backend) })

const Change = {
  payload: Schema.Struct({
    backend: Name.annotate({ description: "The URL of the target, as in the list." }),
    route: Schema.optionalKey(Name.annotate({ description: "The name of a route. Without it: in all routes that have this target." }))
  }),
  success: List,
  error: errors
}

/** What operators may see of backends and do to them. */
export const Backends = HttpApiGroup.make("backends").add(
  HttpApiEndpoint.get("list", "/backends", { query: { route: Schema.optionalKey(Name) }, success: List, error: errors })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("All backends in the order of the configuration, or those of one route.")),
  HttpApiEndpoint.get("get", "/backends/:route", { params: { route: Name }, success: List, error: errors })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("The backends of one route.")),
  HttpApiEndpoint.post("drain", "/backends/drain", Change).annotateMerge(
    describe("Give a backend no new clients, and send those it has elsewhere after the route's deregistration delay.")
  ),
  HttpApiEndpoint.post("undrain", "/backends/undrain", Change).annotateMerge(describe("End the draining of a backend.")),
  HttpApiEndpoint.post("disable", "/backends/disable", Change).annotateMerge(
    describe("Give a backend no new clients and check it no more. Those it has stay.")
  ),
  HttpApiEndpoint.post("enable", "/backends/enable", Change).annotateMerge(describe("Put a disabled backend back into service."))
)
