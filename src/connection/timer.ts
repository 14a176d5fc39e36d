/** What a connection does with its one timer: heartbeats, silence, the end of its token. */
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

const goOn = (connection: Connection, { nextHeartbeat, halfNext, sharesWrite }: Timing): void => {
  connection.nextHeartbeat = nextHeartbeat
  connection.halfNext = halfNext
  connection.sharesWrite = sharesWrite
  scheduleTimer(connection)
}

/** Asks a room of the connection's to say when it publishes. One that does not in time, or can not be asked, does no harm. */
const awaitPublish = (connection: Connection): void => {
  for (const room of connection.rooms.values())
    if (room !== undefined) return void room.offer({ type: "await_publish", member: connection })
}

/** The timer has fired. */
export const handleTimer = (connection: Connection): undefined => {
  const now = connection.context.clock.currentTimeMillisUnsafe()
  const decided = onTimer(timing(connection), heartbeatOptions(connection), now)
  if (decided.decision === "close") return connection.disconnect({ type: "@disconnect", code: decided.code, reason: decided.reason })
  goOn(connection, decided.next)
  // One that does not fit tells nothing: a client with a full buffer has frames enough to see that the server lives.
  if (decided.decision === "heartbeat") connection.notify({ type: "heartbeat", time: now })
  if (decided.decision === "share") awaitPublish(connection)
}

/** A room has published something, which the heartbeat may go along with. */
export const handlePublished = (connection: Connection): undefined => {
  // It may have left already, when its time had come.
  if (!connection.sharesWrite) return
  const now = connection.context.clock.currentTimeMillisUnsafe()
  goOn(connection, afterHeartbeat(timing(connection), heartbeatOptions(connection), now))
  connection.notifyAlong({ type: "heartbeat", time: now })
}
