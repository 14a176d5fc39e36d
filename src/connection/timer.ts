/** What a connection does with its one timer: heartbeats, silence, the end of its token. */
import type { ServerMessage } from "../wire/Messages.ts"
import type { Connection } from "./Connection.ts"
import { afterHeartbeat, type HeartbeatOptions, nextDue, onTimer, type Timing } from "./ConnectionState.ts"

const timing = ({ lastFrame, nextHeartbeat, halfNext, sharesWrite, identity }: Connection): Timing => ({
  lastFrame,
  nextHeartbeat,
  halfNext,
  sharesWrite,
  expiresAt: identity.expiresAt
})

/** In milliseconds. */
export const heartbeatOptions = ({ context }: Pick<Connection, "context">): HeartbeatOptions => {
  const { interval, timeout } = context.settings.heartbeat
  return { interval: interval * 1000, timeout: timeout * 1000 }
}

/** Sets the timer anew: for its begin, and when what it depends on has changed. */
export const scheduleTimer = (connection: Connection): undefined => {
  connection.context.timers.schedule(connection, nextDue(timing(connection), heartbeatOptions(connection)))
}

/** The next heartbeat, which is sent now. */
const heartbeatAt = (connection: Connection, now: number): Extract<ServerMessage, { type: "heartbeat" }> => {
  const { nextHeartbeat, halfNext, sharesWrite } = afterHeartbeat(timing(connection), heartbeatOptions(connection), now)
  connection.nextHeartbeat = nextHeartbeat
  connection.halfNext = halfNext
  connection.sharesWrite = sharesWrite
  return { type: "heartbeat", time: now }
}

/** Asks a room of the connection's to say when it publishes. One that does not in time, or can not be asked, does no harm. */
const awaitPublish = (connection: Connection): void => {
  connection.sharesWrite = true
  for (const room of connection.rooms.values())
    if (room !== undefined) return void room.offer({ type: "await_publish", member: connection })
}

/** The timer has fired. */
export const handleTimer = (connection: Connection): undefined => {
  const now = connection.context.clock.currentTimeMillisUnsafe()
  const decided = onTimer(timing(connection), heartbeatOptions(connection), now)
  if (decided.decision === "close") return connection.disconnect({ type: "@disconnect", code: decided.code, reason: decided.reason })
  // One that does not fit tells nothing: a client with a full buffer has frames enough to see that the server lives.
  if (decided.decision === "heartbeat") connection.notify(heartbeatAt(connection, now))
  if (decided.decision === "share") awaitPublish(connection)
  connection.context.timers.schedule(connection, decided.due)
}

/** A room has published something, which the heartbeat may go along with. */
export const handlePublished = (connection: Connection): undefined => {
  // It may have left already, when its time had come.
  if (!connection.sharesWrite) return
  connection.notifyAlong(heartbeatAt(connection, connection.context.clock.currentTimeMillisUnsafe()))
  scheduleTimer(connection)
}
