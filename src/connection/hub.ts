/** What the HTTP side may ask of the hub, answered by the registries of this node. */
import { Effect } from "effect"
import { type ConnectionSummary, type Hub, HubError } from "../api/Hub.ts"
import { isUserRoom, roomNameProblem, userRoom } from "../room/RoomNames.ts"
import type { Denial } from "../room/Permissions.ts"
import type { Room } from "../room/Room.ts"
import type { Rooms } from "../room/Rooms.ts"
import type { Member } from "../wire/Messages.ts"
import type { Connection } from "./Connection.ts"
import type { ConnectionContext } from "./ConnectionContext.ts"
import type { Connections } from "./Connections.ts"

const busy = new HubError({ code: "unavailable", message: "the room has too much to do" })

const summary = (connection: Connection, node: string): ConnectionSummary => ({
  connection: connection.id,
  ...(connection.user === undefined ? {} : { user: connection.user }),
  address: connection.address,
  encoding: connection.encoding,
  connected_at: connection.connectedAt,
  rooms: connection.roomNames(),
  node
})

/** Asks a room who is in it, by message. */
const askPresence = (room: Room): Effect.Effect<ReadonlyArray<Member>, HubError> =>
  Effect.callback((resume) => {
    const respond = (answer: ReadonlyArray<Member> | Denial): void =>
      resume("code" in answer ? Effect.fail(new HubError(answer)) : Effect.succeed(answer))
    if (!room.offer({ type: "presence", respond, id: undefined })) resume(Effect.fail(busy))
  })

const listConnections = (
  connections: Connections,
  node: string,
  filter: { readonly user?: string; readonly limit: number; readonly after?: string }
): ReadonlyArray<ConnectionSummary> => {
  const found: Array<ConnectionSummary> = []
  const candidates = filter.user === undefined ? connections.all() : connections.ofUser(filter.user)
  // Registries keep the order of arrival: what follows `after` is what came later.
  let skipping = filter.after !== undefined
  for (const connection of candidates) {
    if (skipping) skipping = connection.id !== filter.after
    else if (found.length < filter.limit) found.push(summary(connection, node))
    else break
  }
  return found
}

export interface HubOptions {
  readonly context: ConnectionContext
  readonly connections: Connections
  readonly rooms: Rooms
  readonly draining: () => boolean
}

export const makeHub = ({ context, connections, rooms, draining }: HubOptions): Hub["Service"] => {
  const { node, clock, settings } = context

  const checkName = (name: string): Effect.Effect<void, HubError> => {
    const problem = roomNameProblem(name, settings.limits.room_name)
    return problem === undefined ? Effect.void : Effect.fail(new HubError({ code: "invalid_message", message: `room: ${problem}` }))
  }

  const publish = (name: string, data: unknown): Effect.Effect<object, HubError> =>
    Effect.andThen(
      checkName(name),
      Effect.suspend(() => {
        if (isUserRoom(name)) {
          const time = clock.currentTimeMillisUnsafe()
          connections.deliver(name.slice(userRoom("").length), { type: "message", room: name, data, time })
          return Effect.succeed({})
        }
        const taken = rooms
          .get(name)
          ?.offer({ type: "publish", data, from: undefined, except: undefined, replyTo: undefined, id: undefined })
        return taken === false ? Effect.fail(busy) : Effect.succeed({})
      })
    )

  const direct = (data: unknown) => ({ type: "direct", data, time: clock.currentTimeMillisUnsafe() }) as const

  const disconnect = (connection: Connection, reason: string | undefined): boolean =>
    connection.offerReply({ type: "@disconnect", code: 4403, reason: reason ?? "disconnected by the server" })

  return {
    node,
    draining,
    counts: () => ({ connections: connections.size, rooms: rooms.size, users: connections.userCount, sessions: connections.size }),
    rooms: () => Array.from(rooms.all(), ({ state }) => ({ room: state.name, members: state.members.size })),
    room: (name) => {
      const room = rooms.get(name)
      return room === undefined ? undefined : { room: name, members: room.state.members.size }
    },
    presence: (name) => {
      if (isUserRoom(name)) return Effect.succeed(connections.membersOf(name.slice(userRoom("").length)))
      const room = rooms.get(name)
      return room === undefined ? Effect.succeed([]) : askPresence(room)
    },
    connections: (filter) => listConnections(connections, node, filter),
    connection: (id) => {
      const connection = connections.get(id)
      return connection === undefined ? undefined : summary(connection, node)
    },
    users: () => Array.from(connections.userCounts(), ([user, count]) => ({ user, connections: count })),
    publish,
    publishAll: (data) => Effect.sync(() => connections.publishAll(data, undefined, undefined)),
    sendUser: (user, data) => Effect.sync(() => ({ delivered: connections.deliver(user, direct(data)) })),
    sendConnection: (id, data) =>
      Effect.suspend(() => {
        const connection = connections.get(id)
        if (connection === undefined) return Effect.fail(new HubError({ code: "not_found", message: "no such connection" }))
        return Effect.succeed({ delivered: connection.offer({ type: "@direct", direct: direct(data) }) ? 1 : 0 })
      }),
    disconnectUser: (user, reason) =>
      Effect.sync(() => ({ disconnected: connections.ofUser(user).filter((connection) => disconnect(connection, reason)).length })),
    disconnectConnection: (id, reason) =>
      Effect.suspend(() => {
        const connection = connections.get(id)
        if (connection === undefined) return Effect.fail(new HubError({ code: "not_found", message: "no such connection" }))
        disconnect(connection, reason)
        return Effect.void
      })
  }
}
