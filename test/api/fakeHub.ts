import { Effect, Exit, Logger, Metric, Redacted, Scope } from "effect"
import { Backends, noBackends } from "../../src/api/Backends.ts"
import { type ConnectionSummary, Hub, HubError } from "../../src/api/Hub.ts"
import type { ApiKey } from "../../src/api/Keys.ts"
import { httpRoutes, type HttpRoutesOptions } from "../../src/api/routes.ts"
import { Counters } from "../../src/observe/Counters.ts"
import { Metrics } from "../../src/observe/Metrics.ts"
import { defaultMaxDepth } from "../../src/wire/Codec.ts"
import type { Member } from "../../src/wire/Messages.ts"
import { listen, type TestServer } from "../transport/httpServer.ts"

/** A hub in memory that notes what it was asked to do, and fails where it is told to. */
export class FakeHub {
  draining = false
  readonly calls: Array<readonly [what: string, ...args: ReadonlyArray<unknown>]> = []
  readonly members = new Map<string, ReadonlyArray<Member>>()
  readonly open: Array<ConnectionSummary> = []
  /** What `publish` fails with, by room. */
  readonly failures = new Map<string, HubError>()

  connect(id: string, options: Partial<ConnectionSummary> = {}): void {
    this.open.push({
      connection: id,
      address: "192.0.2.1",
      encoding: "json",
      connected_at: 1_700_000_000_000,
      rooms: [],
      node: "node-1",
      ...options
    })
  }

  private ofUser(user: string): ReadonlyArray<ConnectionSummary> {
    return this.open.filter((connection) => connection.user === user)
  }

  private users(): ReadonlyArray<string> {
    return [...new Set(this.open.flatMap(({ user }) => (user === undefined ? [] : [user])))]
  }

  get service(): Hub["Service"] {
    const call = <A>(what: string, args: ReadonlyArray<unknown>, result: () => A): Effect.Effect<A, HubError> =>
      Effect.suspend(() => {
        this.calls.push([what, ...args])
        const failure = this.failures.get(String(args[0]))
        return failure === undefined ? Effect.sync(result) : Effect.fail(failure)
      })
    const known = (id: string): Effect.Effect<void, HubError> =>
      this.open.some(({ connection }) => connection === id)
        ? Effect.void
        : Effect.fail(new HubError({ code: "not_found", message: "no such connection" }))
    return Hub.of({
      node: "node-1",
      draining: () => this.draining,
      counts: () => ({ connections: this.open.length, rooms: this.members.size, users: this.users().length, sessions: this.open.length }),
      rooms: () => Array.from(this.members, ([room, members]) => ({ room, members: members.length })),
      room: (name) => {
        const members = this.members.get(name)
        return members === undefined ? undefined : { room: name, members: members.length }
      },
      presence: (room) => call("presence", [room], () => this.members.get(room) ?? []),
      connections: ({ user, limit, after }) => {
        const all = user === undefined ? this.open : this.ofUser(user)
        return all.slice(all.findIndex(({ connection }) => connection === after) + 1).slice(0, limit)
      },
      connection: (id) => this.open.find(({ connection }) => connection === id),
      users: () => this.users().map((user) => ({ user, connections: this.ofUser(user).length })),
      publish: (room, data) => call("publish", [room, data], () => ({})),
      publishAll: (data) => call("publishAll", [data], () => undefined),
      sendUser: (user, data) => call("sendUser", [user, data], () => ({ delivered: this.ofUser(user).length })),
      sendConnection: (id, data) =>
        Effect.andThen(
          known(id),
          call("sendConnection", [id, data], () => ({ delivered: 1 }))
        ),
      disconnectUser: (user, reason) => call("disconnectUser", [user, reason], () => ({ disconnected: this.ofUser(user).length })),
      disconnectConnection: (id, reason) =>
        Effect.andThen(
          known(id),
          call("disconnectConnection", [id, reason], () => undefined)
        )
    })
  }
}

export const keys: ReadonlyArray<ApiKey> = [
  { name: "all", key: Redacted.make("key-for-everything"), scopes: ["*"] },
  { name: "reader", key: Redacted.make("key-for-reading"), scopes: ["read"] },
  { name: "publisher", key: Redacted.make("key-for-publishing"), scopes: ["publish"] },
  { name: "manager", key: Redacted.make("key-for-managing"), scopes: ["manage"] }
]

export const settings: HttpRoutesOptions["settings"] = {
  api: { keys },
  heartbeat: { interval: 30, timeout: 60 },
  server: { host: "127.0.0.1", port: 0, origins: [], trusted_proxies: [], compression: false, allow_anonymous: false },
  limits: {
    message: 524_288,
    room_name: 128,
    rooms: 128,
    depth: defaultMaxDepth,
    connections: 0,
    connections_per_address: 0,
    connections_per_user: 0,
    rate: 0,
    rate_per_user: 0,
    rate_per_address: 0,
    burst: 2,
    buffer: 1_048_576,
    calls: 16,
    call_timeout: 10,
    mailbox: 1024,
    handshakes: 10_000
  }
}

export interface ApiServer extends TestServer {
  readonly hub: FakeHub
  readonly counters: Counters
  /** What was logged. */
  readonly logs: ReadonlyArray<Logger.Options<unknown>>
}

/** The routes over a fake hub, on a real port. */
export const serveRoutes = async (
  options: Partial<HttpRoutesOptions> = {},
  backends: Backends["Service"] = noBackends
): Promise<ApiServer> => {
  const hub = new FakeHub()
  const counters = new Counters()
  const logs: Array<Logger.Options<unknown>> = []
  const logger = Logger.make((entry) => void logs.push(entry))
  const scope = Scope.makeUnsafe()
  const build = Effect.gen(function* () {
    const metrics = yield* Metrics.make(counters)
    return yield* Effect.provideService(
      httpRoutes({ settings, version: "1.2.3", hubPaths: ["/ws", "/websocket"], page: () => undefined, ...options }),
      Metrics,
      metrics
    )
  })
  const handler = await build.pipe(
    Effect.provideService(Hub, hub.service),
    Effect.provideService(Backends, backends),
    Effect.provideService(Metric.MetricRegistry, new Map()),
    Effect.provideService(Scope.Scope, scope),
    Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
    Effect.runPromise
  )
  const server = await listen(handler, { onAnswer: (status) => counters.answered(status) })
  const close = (): void => {
    server.close()
    Effect.runFork(Scope.close(scope, Exit.void))
  }
  return { ...server, close, hub, counters, logs }
}
