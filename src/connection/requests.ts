/** What a connection does with each message of the protocol. */
import { Effect } from "effect"
import type { Identity } from "../auth/Auth.ts"
import { type Denial, mayJoin, mayPublish, mayReadHistory, mayReadPresence } from "../room/Permissions.ts"
import { isUserRoom, roomNameProblem, userRoom } from "../room/RoomNames.ts"
import type { ClientMessage, Member, RequestId, ServerMessage } from "../wire/Messages.ts"
import { errorReply, withId } from "../wire/replies.ts"
import type { Connection } from "./Connection.ts"
import { runHandler } from "./Handlers.ts"

type Request<T extends ClientMessage["type"]> = Extract<ClientMessage, { type: T }>

/** The permission to reach everyone, as the claim `server` names it. */
export const broadcastPermission = "broadcast"

export const handleRequest = (connection: Connection, message: ClientMessage): undefined => {
  switch (message.type) {
    case "echo":
      if (connection.frame !== undefined && isBareEcho(message)) return connection.replyWith(connection.frame)
      return connection.reply(
        message.id === undefined ? { type: "echo", data: message.data } : { type: "echo", id: message.id, data: message.data }
      )
    case "broadcast":
      return broadcast(connection, message)
    case "ping":
      return connection.reply({ type: "pong", ...withId(message.id), time: now(connection) })
    case "heartbeat":
      return message.id === undefined ? undefined : connection.reply({ type: "ack", id: message.id })
    case "send":
      return send(connection, message)
    case "join_room":
      return join(connection, message)
    case "leave_room":
      return leave(connection, message)
    case "presence":
      return presence(connection, message)
    case "history":
      return history(connection, message)
    case "status":
      return status(connection, message)
    case "call":
      return call(connection, message)
    case "auth":
      return auth(connection, message)
  }
}

/** An echo without fields of its sender's own is its own reply, to the byte: numbers keep their digits. */
export const isBareEcho = (message: Request<"echo">): boolean => {
  let fields = 0
  for (const _ in message) fields++
  return fields === (message.id === undefined ? 2 : 3)
}

const now = (connection: Connection): number => connection.context.clock.currentTimeMillisUnsafe()

const asker = ({ user, grants }: Connection) => ({ user, grants })

const deny = (connection: Connection, id: RequestId | undefined, { code, message }: Denial): undefined => connection.fail(id, code, message)

/** Refuses a name that no room can have. */
const badName = (connection: Connection, id: RequestId | undefined, room: string): boolean => {
  const problem = roomNameProblem(room, connection.context.settings.limits.room_name)
  if (problem !== undefined) connection.fail(id, "invalid_message", `room: ${problem}`)
  return problem !== undefined
}

const isOwnRoom = (connection: Connection, room: string): boolean => connection.user !== undefined && room === userRoom(connection.user)

const notYours: Denial = { code: "forbidden", message: "names with @ are users' own rooms" }

const ownMembers = (connection: Connection): ReadonlyArray<Member> =>
  connection.user === undefined ? [] : connection.context.connections.membersOf(connection.user)

const join = (connection: Connection, { id, room: name, recover }: Request<"join_room">): undefined => {
  if (badName(connection, id, name)) return
  if (isUserRoom(name)) {
    if (!isOwnRoom(connection, name)) return deny(connection, id, notYours)
    const members = ownMembers(connection).length
    const recovered = recover === undefined ? {} : { recovered: false }
    return connection.reply({ type: "joined", ...withId(id), room: name, epoch: "", seq: 0, members, ...recovered })
  }
  const { rooms, settings } = connection.context
  const denial = mayJoin(rooms.blockFor(name), asker(connection), name)
  if (denial !== undefined) return deny(connection, id, denial)
  if (!connection.rooms.has(name) && connection.rooms.size >= settings.limits.rooms)
    return connection.fail(id, "limit_reached", `a connection is in at most ${settings.limits.rooms} rooms`)
  if (!connection.rooms.has(name)) connection.rooms.set(name, undefined)
  if (!rooms.open(name).offer({ type: "join", member: connection, id, recover })) {
    if (connection.rooms.get(name) === undefined) connection.rooms.delete(name)
    connection.fail(id, "unavailable", "the room has too much to do")
  }
}

const leave = (connection: Connection, { id, room: name }: Request<"leave_room">): undefined => {
  if (isOwnRoom(connection, name)) return connection.fail(id, "forbidden", "a user can not leave their own room")
  const room = connection.rooms.get(name)
  if (room === undefined) return connection.fail(id, "not_in_room", "not in this room")
  connection.rooms.delete(name)
  room.offerReply({ type: "leave", member: connection, id, quiet: false })
}

const broadcast = (connection: Connection, message: Request<"broadcast">): undefined => {
  const { id, room: name, data, key, exclude_self: excludeSelf } = message
  if (key !== undefined) return connection.fail(id, "unavailable", "publishing once by key is not served by this version", false)
  if (name === undefined) return broadcastToAll(connection, message)
  const room = connection.rooms.get(name)
  if (room === undefined && badName(connection, id, name)) return
  if (room === undefined && isUserRoom(name)) return broadcastToOwn(connection, message, name)
  const { rooms } = connection.context
  const block = room?.state.block ?? rooms.blockFor(name)
  const denial = mayPublish(block, connection, name, room !== undefined)
  if (denial !== undefined) return deny(connection, id, denial)
  const target = room ?? rooms.get(name)
  // A room that nobody is in and that keeps no history has nothing to do with a message.
  if (target === undefined) return connection.reply({ type: "ack", ...withId(id), room: name })
  const except = excludeSelf === true && room !== undefined ? connection : undefined
  if (!target.offer({ type: "publish", data, from: connection.sender, except, replyTo: connection, id }))
    connection.fail(id, "unavailable", "the room has too much to do")
}

const broadcastToAll = (connection: Connection, { id, data, exclude_self: excludeSelf }: Request<"broadcast">): undefined => {
  if (connection.identity.server?.includes(broadcastPermission) !== true)
    return connection.fail(id, "forbidden", "reaching everyone takes the server permission `broadcast`")
  connection.context.connections.publishAll(data, connection.sender, excludeSelf === true ? connection : undefined)
  connection.reply({ type: "ack", ...withId(id) })
}

const broadcastToOwn = (connection: Connection, { id, data, exclude_self: excludeSelf }: Request<"broadcast">, name: string): undefined => {
  if (!isOwnRoom(connection, name)) return deny(connection, id, notYours)
  connection.context.connections.deliver(
    connection.user ?? "",
    { type: "message", room: name, data, time: now(connection), from: connection.sender },
    excludeSelf === true ? connection : undefined
  )
  connection.reply({ type: "ack", ...withId(id), room: name })
}

const send = (connection: Connection, { id, to, data }: Request<"send">): undefined => {
  const { connections } = connection.context
  const direct = { type: "direct", data, time: now(connection), from: connection.sender } as const
  if ("user" in to) return connection.reply({ type: "ack", ...withId(id), delivered: connections.deliver(to.user, direct) })
  const target = connections.get(to.connection)
  if (target === undefined) return connection.fail(id, "not_found", "no such connection")
  connection.reply({ type: "ack", ...withId(id), delivered: target.offer({ type: "@direct", direct }) ? 1 : 0 })
}

const presence = (connection: Connection, { id, room: name }: Request<"presence">): undefined => {
  const respond = (answer: ReadonlyArray<Member> | Denial): undefined => {
    const reply =
      "code" in answer
        ? errorReply(id, answer.code, answer.message)
        : ({ type: "presence", ...withId(id), room: name, members: answer } as const)
    connection.offerReply({ type: "@reply", reply })
  }
  if (badName(connection, id, name)) return
  if (isUserRoom(name)) return isOwnRoom(connection, name) ? respond(ownMembers(connection)) : deny(connection, id, notYours)
  const { rooms } = connection.context
  const room = connection.rooms.get(name)
  const denial = mayReadPresence(rooms.blockFor(name), asker(connection), name, room !== undefined)
  if (denial !== undefined) return deny(connection, id, denial)
  const target = room ?? rooms.get(name)
  if (target === undefined) return respond([])
  if (!target.offer({ type: "presence", respond, id })) connection.fail(id, "unavailable", "the room has too much to do")
}

const history = (connection: Connection, { id, room: name }: Request<"history">): undefined => {
  if (badName(connection, id, name)) return
  const isMember = isOwnRoom(connection, name) || connection.rooms.get(name) !== undefined
  const denial = isUserRoom(name) && !isMember ? notYours : mayReadHistory(asker(connection), name, isMember)
  if (denial !== undefined) return deny(connection, id, denial)
  const configured = connection.context.rooms.blockFor(name).history !== undefined
  connection.fail(id, "unavailable", configured ? "history is not served by this version" : "this room keeps no history", false)
}

const status = (connection: Connection, { id }: Request<"status">): undefined => {
  const { user, identity } = connection
  connection.reply({
    type: "status",
    ...withId(id),
    connection: connection.id,
    session: connection.session,
    ...(user === undefined ? {} : { user }),
    node: connection.context.node,
    rooms: connection.roomNames(),
    connected_at: connection.connectedAt,
    ...(identity.expiresAt === undefined ? {} : { expires_at: identity.expiresAt }),
    encoding: connection.encoding,
    time: now(connection)
  })
}

const call = (connection: Connection, { id, method, data }: Request<"call">): undefined => {
  const { handlers, settings } = connection.context
  if (!admit(connection, id)) return
  const caller = { connection: connection.id, session: connection.session, user: connection.user }
  settle(
    connection,
    runHandler(handlers, method, data, caller, settings.limits.call_timeout, settings.limits.depth).pipe(
      Effect.match({
        onSuccess: (result) => ({ reply: { type: "result", ...withId(id), data: result } }) as const,
        onFailure: ({ code, message }) => ({ reply: errorReply(id, code, message) })
      })
    )
  )
}

const auth = (connection: Connection, { id, token }: Request<"auth">): undefined => {
  if (!admit(connection, id)) return
  settle(
    connection,
    connection.context.refresh(token).pipe(
      Effect.match({
        onSuccess: (identity) => {
          if (identity.user !== connection.user) return { reply: errorReply(id, "conflict", "the token is another user's") }
          const expiry = identity.expiresAt === undefined ? {} : { expires_at: identity.expiresAt }
          return { reply: { type: "ack", ...withId(id), ...expiry } as const, identity }
        },
        onFailure: ({ code, message }) => ({ reply: errorReply(id, code, message) })
      })
    )
  )
}

/** Calls and refreshes take time, and are therefore counted. */
const admit = (connection: Connection, id: RequestId | undefined): boolean => {
  const { calls } = connection.context.settings.limits
  if (connection.pendingCalls < calls) return true
  connection.fail(id, "limit_reached", `at most ${calls} calls may be pending`)
  return false
}

/** Runs what takes time beside the mailbox; its outcome comes back as a message, and it ends with the connection. */
const settle = (
  connection: Connection,
  outcome: Effect.Effect<{ readonly reply: ServerMessage; readonly identity?: Identity }>
): undefined => {
  connection.pendingCalls++
  const fiber = connection.context.fork(
    Effect.map(outcome, (settled) => {
      connection.offerReply({ type: "@settled", ...settled })
    })
  )
  const calls = (connection.calls ??= new Set())
  calls.add(fiber)
  fiber.addObserver(() => calls.delete(fiber))
}
