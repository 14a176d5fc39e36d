/** The endpoints of `AdminApi`, answered by the hub and the gateway of this node. */
import { Clock, Context, Effect, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { Counters } from "../observe/Counters.ts"
import { residentBytes } from "../observe/ProcessGauges.ts"
import { AdminApi } from "./AdminApi.ts"
import { backendHandlers } from "./backendHandlers.ts"
import { type DataLimits, dataProblem } from "./Data.ts"
import { Hub, type HubError } from "./Hub.ts"
import { pageOf } from "./paging.ts"
import * as Problems from "./Problems.ts"
import { asked, notFound } from "./Problems.ts"

/** What the API tells of this node beside what the hub knows. */
export class NodeInfo extends Context.Service<
  NodeInfo,
  {
    readonly version: string
    /** Milliseconds since 1970. */
    readonly startedAt: number
    readonly counters: Counters
    readonly limits: DataLimits
  }
>()("weft/api/NodeInfo") {}

const noHistory = Effect.fail(new Problems.Unavailable({ code: "unavailable", detail: "this version keeps no history" }))

const noKeys = Effect.fail(new Problems.Unavailable({ code: "unavailable", detail: "publishing once by key needs a room with history" }))

/** The default size of a page. */
const pageSize = 100
const namesPageSize = 1000

const publishing = HttpApiBuilder.group(
  AdminApi,
  "publishing",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    const { limits } = yield* NodeInfo

    /** Runs what takes `data` once that is known to be fit for a message. */
    const withData = <A>(data: unknown, use: Effect.Effect<A, HubError>): Effect.Effect<A, Problems.Problem> => {
      const problem = dataProblem(data, limits)
      return problem === undefined ? asked(use) : Effect.fail(Problems.problemOf(problem.code, problem.message))
    }
    const publishOne = (room: string, data: unknown) =>
      hub.publish(room, data).pipe(
        Effect.map((position) => ({ room, ...position })),
        Effect.catch(({ code, message }) => Effect.succeed({ room, error: { code, message } }))
      )

    return handlers.handleAll({
      publish: ({ payload: { room, data, key } }) => (key === undefined ? withData(data, hub.publish(room, data)) : noKeys),
      publishMany: ({ payload: { rooms, data } }) =>
        withData(
          data,
          Effect.map(
            Effect.forEach(rooms, (room) => publishOne(room, data)),
            (results) => ({ results })
          )
        ),
      broadcast: ({ payload: { data } }) => withData(data, Effect.as(hub.publishAll(data), {})),
      sendUser: ({ params: { user }, payload: { data } }) => withData(data, hub.sendUser(user, data)),
      sendConnection: ({ params: { id }, payload: { data } }) => withData(data, hub.sendConnection(id, data))
    })
  })
)

const rooms = HttpApiBuilder.group(
  AdminApi,
  "rooms",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    return handlers.handleAll({
      list: ({ query }) =>
        Effect.sync(() => {
          const { items, ...rest } = pageOf(hub.rooms(), ({ room }) => room, { limit: namesPageSize, ...query })
          return { rooms: items, ...rest }
        }),
      get: ({ params: { room } }) =>
        Effect.suspend(() => Effect.fromNullishOr(hub.room(room))).pipe(Effect.mapError(() => notFound("room"))),
      presence: ({ params: { room } }) => Effect.map(asked(hub.presence(room)), (members) => ({ room, members })),
      history: () => noHistory,
      clearHistory: () => noHistory
    })
  })
)

const connections = HttpApiBuilder.group(
  AdminApi,
  "connections",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    return handlers.handleAll({
      list: ({ query: { after, limit = pageSize, user } }) =>
        Effect.suspend(() => {
          // The order is that of arrival: a connection that has gone does not mark a place in it any more.
          if (after !== undefined && hub.connection(after) === undefined)
            return Effect.fail(new Problems.NotFound({ code: "not_found", detail: "query.after: this connection has gone: begin again" }))
          const found = hub.connections({
            limit: limit + 1,
            ...(user === undefined ? {} : { user }),
            ...(after === undefined ? {} : { after })
          })
          const page = found.slice(0, limit)
          const last = page.at(-1)
          return Effect.succeed({ connections: page, ...(found.length > limit && last !== undefined ? { next: last.connection } : {}) })
        }),
      get: ({ params: { id } }) =>
        Effect.suspend(() => Effect.fromNullishOr(hub.connection(id))).pipe(Effect.mapError(() => notFound("connection"))),
      disconnect: ({ params: { id }, payload }) => Effect.as(asked(hub.disconnectConnection(id, payload?.reason)), {})
    })
  })
)

const users = HttpApiBuilder.group(
  AdminApi,
  "users",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    return handlers.handleAll({
      list: ({ query }) =>
        Effect.sync(() => {
          const { items, ...rest } = pageOf(hub.users(), ({ user }) => user, { limit: namesPageSize, ...query })
          return { users: items, ...rest }
        }),
      disconnect: ({ params: { user }, payload }) => asked(hub.disconnectUser(user, payload?.reason))
    })
  })
)

const summary = (hub: Hub["Service"]) => {
  const { connections, rooms, users } = hub.counts()
  return { node: hub.node, connections, rooms, users, draining: hub.draining() }
}

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((sum, count) => sum + count, 0)

const server = HttpApiBuilder.group(
  AdminApi,
  "server",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    const { counters, startedAt, version } = yield* NodeInfo
    return handlers.handleAll({
      nodes: () => Effect.sync(() => ({ nodes: [summary(hub)] })),
      stats: () =>
        Effect.map(Clock.currentTimeMillis, (now) => ({
          ...summary(hub),
          version,
          uptime: (now - startedAt) / 1000,
          sessions: hub.counts().sessions,
          memory: residentBytes(),
          messages: {
            in: counters.messagesInJson + counters.messagesInMsgpack,
            out: counters.messagesOutJson + counters.messagesOutMsgpack
          },
          deliveries: counters.deliveries,
          dropped: counters.droppedMessages,
          slow_consumers: counters.slowConsumers,
          errors: total(counters.errors)
        }))
    })
  })
)

const websocket = HttpApiBuilder.group(
  AdminApi,
  "websocket",
  Effect.fnUntraced(function* (handlers) {
    const hub = yield* Hub
    return handlers.handleAll({
      stats: ({ query }) =>
        Effect.sync(() => {
          const { connections: count } = hub.counts()
          const { items, ...rest } = pageOf(hub.users(), ({ user }) => user, { limit: namesPageSize, ...query })
          return { connections: count, nodes: [{ node: hub.node, connections: count }], users: items, ...rest }
        })
    })
  })
)

/** All endpoints. */
export const adminHandlers = Layer.mergeAll(publishing, rooms, connections, users, backendHandlers, server, websocket)
