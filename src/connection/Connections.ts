import { Cause, type Effect, Exit, type Fiber } from "effect"
import { Fanout, type FanoutContext } from "../room/Fanout.ts"
import { everyoneTopics } from "../room/Topics.ts"
import type { Accepted, ClientSocket } from "../transport/Transport.ts"
import type { Direct, Member, Message, Sender } from "../wire/Messages.ts"
import { Connection } from "./Connection.ts"
import type { ConnectionContext } from "./ConnectionContext.ts"
import { closedEvent, timerEvent } from "./ConnectionMessages.ts"
import { newConnectionId, newSession } from "./ids.ts"
import { Users } from "./Users.ts"

interface Running {
  readonly connection: Connection
  readonly fiber: Fiber.Fiber<void>
}

export interface ConnectionsOptions {
  /** Starts an actor's life. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** Told of every defect that ended a connection. */
  readonly onDefect: (connection: Connection, cause: Cause.Cause<never>) => void
  /** Told of every connection that comes and goes. Absent where nobody would read it. */
  readonly onChange?: (connection: Connection, change: "opened" | "closed", code?: number) => void
}

/** The connections of this node: who is here, whose they are, and how to reach all of them. */
export class Connections {
  private readonly running = new Map<string, Running>()
  private readonly users = new Users<Connection>((value) => value instanceof Connection)
  /**
   * Reaches all of them. Made for the first message to everyone: on most servers there is never one, and a topic costs
   * memory for each connection and spreads what rooms have to read when they publish.
   */
  private everyone: Fanout | undefined = undefined
  private readonly fanout: FanoutContext
  private readonly context: ConnectionContext
  private readonly options: ConnectionsOptions

  constructor(context: ConnectionContext, fanout: FanoutContext, options: ConnectionsOptions) {
    this.context = context
    this.fanout = fanout
    this.options = options
  }

  get size(): number {
    return this.running.size
  }

  get userCount(): number {
    return this.users.size
  }

  /** Starts the actor of a socket that is open, and greets its client. */
  open(socket: ClientSocket, accepted: Accepted): Connection {
    const { counters } = this.context
    const connection = new Connection(this.context, socket, accepted, newConnectionId(), newSession())
    const fiber = this.options.fork(connection.run())
    fiber.addObserver((exit) => this.ended(connection, exit))
    this.running.set(connection.id, { connection, fiber })
    if (connection.user !== undefined) this.users.add(connection.user, connection)
    connection.begin()
    this.everyone?.add(connection)
    counters.opened()
    this.options.onChange?.(connection, "opened")
    return connection
  }

  /** A defect ends one connection and nothing else. */
  private ended(connection: Connection, exit: Exit.Exit<void>): void {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    this.options.onDefect(connection, exit.cause)
    connection.disconnect({ type: "@disconnect", code: 4500, reason: "server fault" })
    connection.abandon()
  }

  /** Called by the connection itself at its end. False: it had been removed before. */
  remove(connection: Connection): boolean {
    const present = this.running.get(connection.id)
    if (present === undefined) return false
    this.running.delete(connection.id)
    if (connection.user !== undefined) this.users.remove(connection.user, connection)
    this.everyone?.remove(connection)
    connection.stop()
    present.fiber.interruptUnsafe()
    return true
  }

  get(id: string): Connection | undefined {
    return this.running.get(id)?.connection
  }

  ofUser(user: string): ReadonlyArray<Connection> {
    return this.users.of(user)
  }

  *all(): Generator<Connection> {
    for (const { connection } of this.running.values()) yield connection
  }

  userCounts(): Iterable<readonly [user: string, connections: number]> {
    return this.users.counts()
  }

  /** A user's connections as presence shows them: the members of the user's own room. */
  membersOf(user: string): ReadonlyArray<Member> {
    return this.users.of(user).map(({ sender, info, connectedAt }) => ({
      ...sender,
      ...(info === undefined ? {} : { info }),
      since: connectedAt
    }))
  }

  /** Sends to every connection of a user. Returns how many took it. */
  deliver(user: string, direct: Direct | Message, except?: Connection): number {
    let delivered = 0
    for (const connection of this.users.of(user)) if (connection !== except && connection.offer({ type: "@direct", direct })) delivered++
    return delivered
  }

  /** Sends a message to everyone who is connected to this node. */
  publishAll(data: unknown, from: Sender | undefined, except: Connection | undefined): void {
    const time = this.context.clock.currentTimeMillisUnsafe()
    this.everyone ??= this.gather()
    const message: Message = from === undefined ? { type: "message", data, time } : { type: "message", data, time, from }
    this.everyone.broadcast({ message, except })
  }

  private gather(): Fanout {
    const everyone = new Fanout(this.fanout, everyoneTopics)
    for (const connection of this.all()) everyone.add(connection)
    return everyone
  }

  /** Lets a connection look at its timer. */
  readonly onTimer = (connection: Connection): void => {
    connection.offerReply(timerEvent)
  }

  /** The socket of a connection is gone. */
  closed(connection: Connection, code: number): void {
    this.options.onChange?.(connection, "closed", code)
    // A mailbox that does not take the news belongs to an actor that has ended, which has cleaned up already.
    connection.offerReply(closedEvent)
  }
}
