/**
 * The server API, declared: paths, bodies, errors and scopes. Routes, checks of requests and the OpenAPI document all come
 * from here. What it promises stands in `docker/operations.md`.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSchema, HttpApiSecurity, OpenApi } from "effect/http-api"
import * as Messages from "../wire/Messages.ts"
import { Backends } from "./backendEndpoints.ts"
import { Count, describe, errors, Milliseconds, Name, RequiredScope, wellFormed } from "./endpoints.ts"
import * as Problems from "./Problems.ts"

/** Lets in requests that present a key with the endpoint's scope. */
export class Authorization extends HttpApiMiddleware.Service<Authorization>()("weft/api/Authorization", {
  security: { bearer: HttpApiSecurity.bearer },
  error: [Problems.Unauthorized, Problems.Forbidden]
}) {}

/** Says in a problem body what is wrong with a request that does not fit its endpoint. */
export class RequestErrors extends HttpApiMiddleware.Service<RequestErrors>()("weft/api/RequestErrors", {
  error: Problems.BadRequest
}) {}

// `Schema.Unknown` would be walked by a recursive codec: a deep value would exhaust the stack. `Data.ts` checks it.
const Json: Schema.Codec<unknown> = Schema.Any.annotate({ description: "Any JSON value." })

const Next = Schema.optionalKey(Schema.String.annotate({ description: "There is more: ask again with `after` set to this." }))

const utf8 = new TextEncoder()

/** Travels in a WebSocket close frame, which has room for 123 bytes. */
const Reason = Schema.String.check(
  Schema.makeFilter((reason) => (utf8.encode(reason).length <= 123 ? undefined : "longer than 123 bytes")),
  wellFormed
).annotate({ description: "At most 123 bytes of UTF-8." })

/** `limit` items after the one named `after`, as `next` of the page before gave it. */
const paging = (largest: number) => ({
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: largest }))),
  after: Schema.optionalKey(Name)
})

const Key = Schema.optionalKey(
  Messages.clientMessages.broadcast.fields.key.schema.annotate({
    description: "Publish once, however often this is repeated. This version keeps no history and can not: `unavailable`."
  })
)

const Data = Schema.Struct({ data: Json })
const Position = { epoch: Schema.optionalKey(Schema.String), seq: Schema.optionalKey(Count) }
const Published = Schema.Struct(Position)
const Delivered = Schema.Struct({ delivered: Count })
const Room = Schema.Struct({ room: Schema.String, members: Count })
const Member = Schema.Struct({ ...Messages.Member.fields, info: Schema.optionalKey(Json) })
const Connection = Schema.Struct({
  connection: Schema.String,
  user: Schema.optionalKey(Schema.String),
  address: Schema.String,
  encoding: Schema.Literals(["json", "msgpack"]),
  connected_at: Milliseconds,
  rooms: Schema.Array(Schema.String),
  node: Schema.String
})
const User = Schema.Struct({ user: Schema.String, connections: Count })
const NodeSummary = Schema.Struct({
  node: Schema.String,
  connections: Count,
  rooms: Count,
  users: Count,
  draining: Schema.Boolean
})
const Outcome = Schema.Struct({
  room: Schema.String,
  ...Position,
  error: Schema.optionalKey(Schema.Struct({ code: Schema.String, message: Schema.String }))
})
/** A body that may be left out; `bodyOptional` says so in the document. */
const Disconnect = [Schema.Struct({ reason: Schema.optionalKey(Reason) }), HttpApiSchema.NoContent] as const

/** Rooms that one request may publish to. */
export const maxRoomsAtOnce = 100

const bodyOptional = (operation: Readonly<Record<string, unknown>>) => ({
  ...operation,
  requestBody: { ...Object(operation["requestBody"]), required: false }
})

const Publishing = HttpApiGroup.make("publishing")
  .add(
    HttpApiEndpoint.post("publish", "/publish", {
      payload: Schema.Struct({ room: Name, data: Json, key: Key }),
      success: Published,
      error: errors
    }).annotateMerge(describe("Publish to a room.")),
    HttpApiEndpoint.post("publishMany", "/publish/many", {
      payload: Schema.Struct({ rooms: Schema.Array(Name).check(Schema.isMinLength(1), Schema.isMaxLength(maxRoomsAtOnce)), data: Json }),
      success: Schema.Struct({ results: Schema.Array(Outcome) }),
      error: errors
    }).annotateMerge(describe("Publish the same to many rooms. Each room has its own outcome.")),
    HttpApiEndpoint.post("broadcast", "/broadcast", { payload: Data, success: Schema.Struct({}), error: errors }).annotateMerge(
      describe("Send to everyone who is connected.")
    ),
    HttpApiEndpoint.post("sendUser", "/users/:user/send", {
      params: { user: Name },
      payload: Data,
      success: Delivered,
      error: errors
    }).annotateMerge(describe("Send to every connection of a user. Nobody there: delivered 0.")),
    HttpApiEndpoint.post("sendConnection", "/connections/:id/send", {
      params: { id: Name },
      payload: Data,
      success: Delivered,
      error: errors
    }).annotateMerge(describe("Send to one connection."))
  )
  .annotateEndpoints(RequiredScope, "publish")

const room = { room: Name }

const Rooms = HttpApiGroup.make("rooms").add(
  HttpApiEndpoint.get("list", "/rooms", {
    query: paging(10_000),
    success: Schema.Struct({ rooms: Schema.Array(Room), next: Next }),
    error: errors
  })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("The rooms that have members, by name.")),
  HttpApiEndpoint.get("get", "/rooms/:room", { params: room, success: Room, error: errors })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("One room.")),
  HttpApiEndpoint.get("presence", "/rooms/:room/presence", {
    params: room,
    success: Schema.Struct({ room: Schema.String, members: Schema.Array(Member) }),
    error: errors
  })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("Who is in a room.")),
  HttpApiEndpoint.get("history", "/rooms/:room/history", {
    params: room,
    success: Schema.Struct({ room: Schema.String, epoch: Schema.String, seq: Count, messages: Schema.Array(Json) }),
    error: errors
  })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("The history of a room. This version keeps none: `unavailable`.")),
  HttpApiEndpoint.delete("clearHistory", "/rooms/:room/history", { params: room, success: Schema.Struct({}), error: errors })
    .annotate(RequiredScope, "manage")
    .annotateMerge(describe("Clear the history of a room. This version keeps none: `unavailable`."))
)

const Connections = HttpApiGroup.make("connections").add(
  HttpApiEndpoint.get("list", "/connections", {
    query: { ...paging(1000), user: Schema.optionalKey(Name) },
    success: Schema.Struct({ connections: Schema.Array(Connection), next: Next }),
    error: errors
  })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("Connections in the order of their arrival, all or those of one user.")),
  HttpApiEndpoint.get("get", "/connections/:id", { params: { id: Name }, success: Connection, error: errors })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("One connection.")),
  HttpApiEndpoint.post("disconnect", "/connections/:id/disconnect", {
    params: { id: Name },
    payload: Disconnect,
    success: Schema.Struct({}),
    error: errors
  })
    .annotate(RequiredScope, "manage")
    .annotate(OpenApi.Transform, bodyOptional)
    .annotateMerge(describe("Close one connection with 4403."))
)

const Users = HttpApiGroup.make("users").add(
  HttpApiEndpoint.get("list", "/users", {
    query: paging(10_000),
    success: Schema.Struct({ users: Schema.Array(User), next: Next }),
    error: errors
  })
    .annotate(RequiredScope, "read")
    .annotateMerge(describe("The users that are connected, by name.")),
  HttpApiEndpoint.post("disconnect", "/users/:user/disconnect", {
    params: { user: Name },
    payload: Disconnect,
    success: Schema.Struct({ disconnected: Count }),
    error: errors
  })
    .annotate(RequiredScope, "manage")
    .annotate(OpenApi.Transform, bodyOptional)
    .annotateMerge(describe("Close every connection of a user with 4403."))
)

const Server = HttpApiGroup.make("server")
  .add(
    HttpApiEndpoint.get("nodes", "/nodes", { success: Schema.Struct({ nodes: Schema.Array(NodeSummary) }) }).annotateMerge(
      describe("The nodes of the cluster.")
    ),
    HttpApiEndpoint.get("stats", "/stats", {
      success: Schema.Struct({
        ...NodeSummary.fields,
        version: Schema.String,
        uptime: Schema.Number.annotate({ description: "Seconds." }),
        sessions: Count,
        memory: Count.annotate({ description: "Resident bytes of the process." }),
        messages: Schema.Struct({ in: Count, out: Count }),
        deliveries: Count,
        dropped: Count,
        slow_consumers: Count,
        errors: Count
      })
    }).annotateMerge(describe("Counts of this node since its start."))
  )
  .annotateEndpoints(RequiredScope, "read")

const WebSocketStats = HttpApiGroup.make("websocket")
  .add(
    HttpApiEndpoint.get("stats", "/api/websocket/stats", {
      query: paging(10_000),
      success: Schema.Struct({
        connections: Count,
        nodes: Schema.Array(Schema.Struct({ node: Schema.String, connections: Count })),
        users: Schema.Array(User),
        next: Next
      })
    }).annotateMerge(describe("Connections per node and per user."))
  )
  .annotateEndpoints(RequiredScope, "read")

export class AdminApi extends HttpApi.make("weft")
  .add(Publishing, Rooms, Connections, Users, Backends, Server)
  .prefix("/api/v1")
  .add(WebSocketStats)
  // The document says `additionalProperties: false`: a field that is not known may change what a newer server would do.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .middleware(RequestErrors)
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({
      title: "Weft server API",
      version: "1",
      description:
        "For backends and operators: publish, look, send away, drain. Every request presents a key of the configuration as " +
        "`Authorization: Bearer KEY`. Errors are problem bodies (RFC 9457) with the protocol's error codes in `code`."
    })
  ) {}
