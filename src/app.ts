/** The one place where the parts of the server meet. */
import "effect/schema/SchemaJITCompiler/enable"
import { Clock, Data, Effect, Layer, LogLevel, Metric, Redacted, References, type Scope } from "effect"
import { repeatedly } from "./actor/repeatedly.ts"
import { longestWait, nextWait, shortestWait } from "./actor/TimerPace.ts"
import { TimerWheel } from "./actor/TimerWheel.ts"
import { waitUntil } from "./actor/waitUntil.ts"
import { Backends } from "./api/Backends.ts"
import { Hub } from "./api/Hub.ts"
import { httpRoutes } from "./api/routes.ts"
import { Auth } from "./auth/Auth.ts"
import * as AuthLayer from "./auth/AuthLayer.ts"
import type { AuthFunction } from "./auth/FunctionAuth.ts"
import { version } from "./cli/version.ts"
import type { Settings } from "./config/Settings.ts"
import type { Connection } from "./connection/Connection.ts"
import type { ConnectionContext } from "./connection/ConnectionContext.ts"
import { Connections } from "./connection/Connections.ts"
import { guarded, TurnGuard } from "./transport/TurnGuard.ts"
import { drain } from "./connection/Drain.ts"
import { makeGate } from "./connection/Gate.ts"
import { makeGateway, socketLimits } from "./gateway/Gateway.ts"
import type { Handlers } from "./connection/Handlers.ts"
import { makeHub } from "./connection/hub.ts"
import { socketHandler } from "./connection/inbound.ts"
import { Limits } from "./limits/Limits.ts"
import { Seats } from "./limits/Seats.ts"
import { Metrics } from "./observe/Metrics.ts"
import { Rooms } from "./room/Rooms.ts"
import { clientAddress, forwardingHeaders, trustedProxies } from "./transport/ClientAddress.ts"
import { errorAnswer, type HttpHandler } from "./transport/HttpAnswer.ts"
import { InFlight } from "./transport/InFlight.ts"
import { TurnEnd } from "./transport/TurnEnd.ts"
import { serveHttp, type ServeHttpOptions } from "./transport/UwsHttp.ts"
import { makeUwsServer } from "./transport/UwsServer.ts"
import { webHandler } from "./web/page.ts"
import { jsonCodec } from "./wire/JsonCodec.ts"
import { msgpackCodec } from "./wire/MsgpackCodec.ts"

/** Why the server did not start, in one line for whoever started it. */
export class StartError extends Data.TaggedError("StartError")<{ readonly message: string }> {}

export interface ServeOptions {
  /** Methods that clients may call. */
  readonly handlers?: Handlers
  /** Authentication by a function, in place of what the settings say. */
  readonly authenticate?: AuthFunction
  /** With `authenticate`: whether clients without a token that the function does not know may come in as nobody. */
  readonly anonymous?: boolean
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  readonly node: string
  /** Takes over what of changed settings can be taken over while it runs. Gives the rest in words: it takes a restart. */
  readonly reload: (settings: Settings) => ReadonlyArray<string>
}

/** Bytes that a request to the server API may have. */
const maxHttpBody = 1_048_576

/** How late a look at the timers must be to say that the event loop stood still, in milliseconds. */
const stall = 1_000

const hubPaths = ["/ws", "/websocket"]

/** Seconds that requests get for their answers at the end, also where clients are sent away sooner. */
const leastPatience = 2

/** Requests that are under way at the end are answered, unless that takes longer than all else may. */
const lastAnswers = (inFlight: InFlight, period: number): Effect.Effect<void> =>
  Effect.flatMap(
    waitUntil(() => inFlight.size === 0, Math.max(period, leastPatience) * 1000),
    (answered) =>
      answered
        ? Effect.void
        : Effect.logWarning("requests are cut off without the end of their answers").pipe(Effect.annotateLogs({ left: inFlight.size }))
  )

const cpuMillis = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const authLayer = (settings: Settings, { authenticate, anonymous = false }: ServeOptions): Layer.Layer<Auth, StartError> =>
  authenticate !== undefined
    ? AuthLayer.layerFunction(authenticate, { ...settings.auth, anonymous })
    : AuthLayer.layer(settings.auth).pipe(
        Layer.catch((error) => Layer.effect(Auth, Effect.fail(new StartError({ message: `${error.key}: ${error.message}` }))))
      )

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/**
 * Starts a server and keeps it until the scope closes, which drains it: clients are sent away at the configured pace
 * before the port closes.
 */
export const startServer = (settings: Settings, options: ServeOptions = {}): Effect.Effect<RunningServer, StartError, Scope.Scope> =>
  // Built into the scope of the server, not of its start.
  Layer.build(Layer.merge(authLayer(settings, options), Metrics.layer)).pipe(
    Effect.flatMap((services) => Effect.provide(start(settings, options), services)),
    // A registry of its own, for a process may run several servers.
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

const start = (settings: Settings, options: ServeOptions): Effect.Effect<RunningServer, StartError, Scope.Scope | Auth | Metrics> =>
  Effect.gen(function* () {
    const auth = yield* Auth
    const clock = yield* Clock.Clock
    const services = yield* Effect.context<never>()
    const fork = Effect.runForkWith(services)
    const metrics = yield* Metrics
    const { counters } = metrics
    const turnEnd = new TurnEnd()
    const codecOptions = { maxDepth: settings.limits.depth }
    const json = jsonCodec(codecOptions)
    const msgpack = msgpackCodec(codecOptions)
    const limits = new Limits(settings.limits)
    const trusted = trustedProxies(settings.server.trusted_proxies)
    let draining = false
    let route: ServeHttpOptions["route"]
    let answer: HttpHandler = () => errorAnswer("unavailable", "this server is starting")
    const inFlight = new InFlight()
    const http: ServeHttpOptions = {
      maxBody: maxHttpBody,
      inFlight,
      route: (arrival) => route?.(arrival),
      secure: settings.server.tls !== undefined,
      client: (peer, headers) =>
        clientAddress(
          peer,
          forwardingHeaders((name) => headers.get(name) ?? undefined),
          trusted
        ),
      onAnswer: (status) => counters.answered(status),
      onError: (error, requestId) => {
        fork(Effect.logError("a request failed", error).pipe(Effect.annotateLogs("request", requestId)))
      }
    }

    const server = yield* makeUwsServer({
      host: settings.server.host,
      port: settings.server.port,
      tls: settings.server.tls,
      compression: settings.server.compression,
      fork,
      onRefused: (status) => counters.refused(status),
      onHttp: (res, req) => serveHttp(res, req, (request, info) => answer(request, info), http)
    }).pipe(Effect.mapError(({ message }) => new StartError({ message })))

    const fanout = { publisher: server, json, msgpack, turnEnd, counters, elapsed: () => performance.now() }
    const rooms = new Rooms({ ...fanout, clock, mailbox: settings.limits.mailbox, blocks: settings.room, fork })
    const timers = new TimerWheel<Connection>(shortestWait, clock.currentTimeMillisUnsafe(), (connection) =>
      connections.onTimer(connection)
    )
    let cpuAtTurn = cpuMillis()
    const time = { now: clock.currentTimeMillisUnsafe() }
    const context: ConnectionContext = {
      time,
      settings,
      node: settings.node.id,
      clock,
      counters,
      limits,
      rooms,
      // The two know each other: a connection reaches others by the registry that started it.
      get connections() {
        return connections
      },
      handlers: options.handlers ?? {},
      timers,
      outgoing: { publisher: server, turnEnd, limit: settings.limits.buffer },
      json,
      msgpack,
      refresh: (token) => auth.refresh(Redacted.make(token)),
      fork
    }
    const logsChanges = LogLevel.isLessThanOrEqualTo(yield* References.MinimumLogLevel, "Debug")
    const logChange = (connection: Connection, change: "opened" | "closed", code?: number): void => {
      const about = { connection: connection.id, user: connection.user, address: connection.address, code }
      fork(Effect.logDebug(`connection ${change}`).pipe(Effect.annotateLogs(about)))
    }
    const connections: Connections = new Connections(context, fanout, {
      fork,
      ...(logsChanges ? { onChange: logChange } : {}),
      onDefect: (connection, cause) => {
        fork(Effect.logError("a connection failed", cause).pipe(Effect.annotateLogs("connection", connection.id)))
      }
    })
    const hub = makeHub({ context, connections, rooms, draining: () => draining })
    const seats = new Seats({ limits, clock, connections: () => connections.size + gateway.links.size, draining: () => draining })
    const gateway = yield* makeGateway({
      settings,
      auth,
      seats,
      trusted,
      turnEnd,
      time,
      timerGranularity: shortestWait,
      fork,
      onRestart: (actor) => counters.restarted(actor)
    })
    if (gateway.routes.length > 0) route = gateway.http
    metrics.gateway(gateway.routes.map(({ pool }) => pool))
    answer = yield* httpRoutes({ settings, version, hubPaths, page: webHandler }).pipe(
      Effect.provideService(Hub, hub),
      Effect.provideService(Backends, gateway.backends)
    )
    yield* repeatedly(longestWait, () => {
      const now = clock.currentTimeMillisUnsafe()
      const waited = now - time.now
      time.now = now
      cpuAtTurn = cpuMillis()
      limits.sweep(now)
      // After a stall the answers of clients wait unread: they are read before anyone is found to be silent.
      if (waited > stall) return longestWait
      return nextWait(timers.advance(now) + gateway.timers.advance(now), waited)
    })

    const gate = makeGate({ settings, trusted, auth, seats })
    const work = (): number => cpuMillis() - cpuAtTurn
    const expel = (connection: Connection): void =>
      void connection.offerReply({ type: "@disconnect", code: 4429, reason: "too many messages at once", abrupt: true })
    const handler = guarded(socketHandler(connections, context), new TurnGuard(work), expel)
    for (const path of hubPaths)
      server.serve({
        path,
        gate,
        handler,
        maxMessage: settings.limits.message,
        maxBuffer: settings.limits.buffer,
        idleTimeout: settings.heartbeat.timeout * 2,
        pings: false
      })
    if (gateway.routes.length > 0)
      server.serve({
        path: "/*",
        gate: gateway.gate,
        handler: guarded(gateway.handler, new TurnGuard(work), gateway.expel),
        ...socketLimits(settings.proxy),
        idleTimeout: settings.heartbeat.timeout * 2,
        pings: true
      })
    const port = yield* server.listen().pipe(Effect.mapError(({ message }) => new StartError({ message })))
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        draining = true
        const { period } = settings.drain
        return Effect.andThen(
          Effect.logInfo("draining"),
          Effect.all([drain(connections, period), gateway.links.drain(period), lastAnswers(inFlight, period)], {
            concurrency: "unbounded",
            discard: true
          })
        )
      })
    )
    const scheme = settings.server.tls === undefined ? "http" : "https"
    return {
      url: `${scheme}://${hostInUrl(settings.server.host)}:${port}`,
      port,
      node: settings.node.id,
      reload: (wanted) => gateway.reload(wanted.proxy)
    }
  })
