/** The one place where the parts of the server meet. */
import "effect/schema/SchemaJITCompiler/enable"
import { Clock, Data, Duration, Effect, Layer, Redacted, Schedule, type Scope } from "effect"
import { TimerWheel } from "./actor/TimerWheel.ts"
import { Auth } from "./auth/Auth.ts"
import * as AuthLayer from "./auth/AuthLayer.ts"
import type { AuthFunction } from "./auth/FunctionAuth.ts"
import type { Settings } from "./config/Settings.ts"
import type { Connection, ConnectionContext } from "./connection/Connection.ts"
import { Connections } from "./connection/Connections.ts"
import { drain } from "./connection/Drain.ts"
import { makeGate } from "./connection/Gate.ts"
import type { Handlers } from "./connection/Handlers.ts"
import { makeHub } from "./connection/hub.ts"
import { socketHandler } from "./connection/inbound.ts"
import { loadHandlers } from "./connection/loadHandlers.ts"
import { Limits } from "./limits/Limits.ts"
import { Counters } from "./observe/Counters.ts"
import { Rooms } from "./room/Rooms.ts"
import { errorAnswer } from "./transport/HttpAnswer.ts"
import { TurnEnd } from "./transport/TurnEnd.ts"
import { serveHttp } from "./transport/UwsHttp.ts"
import { makeUwsServer } from "./transport/UwsServer.ts"
import { jsonCodec } from "./wire/JsonCodec.ts"
import { msgpackCodec } from "./wire/MsgpackCodec.ts"

/** Why the server did not start, in one line for whoever started it. */
export class StartError extends Data.TaggedError("StartError")<{ readonly message: string }> {}

export interface ServeOptions {
  /** Methods that clients may call. */
  readonly handlers?: Handlers
  /** Authentication by a function, in place of what the settings say. */
  readonly authenticate?: AuthFunction
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  readonly node: string
}

/** Milliseconds between two looks at the timers: how late a heartbeat may be. */
const timerGranularity = 100

const hubPaths = ["/ws", "/websocket"]

const authLayer = (settings: Settings, { authenticate }: ServeOptions): Layer.Layer<Auth, StartError> =>
  authenticate !== undefined
    ? AuthLayer.layerFunction(authenticate, settings.auth)
    : AuthLayer.layer(settings.auth).pipe(
        Layer.catch((error) => Layer.effect(Auth, Effect.fail(new StartError({ message: `${error.key}: ${error.message}` }))))
      )

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/**
 * Starts a server and keeps it until the scope closes, which drains it: clients are sent away at the configured pace
 * before the port closes.
 */
export const startServer = (settings: Settings, options: ServeOptions = {}): Effect.Effect<RunningServer, StartError, Scope.Scope> =>
  Effect.gen(function* () {
    const auth = yield* Auth
    const clock = yield* Clock.Clock
    const services = yield* Effect.context<never>()
    const fork = Effect.runForkWith(services)
    const counters = new Counters()
    const turnEnd = new TurnEnd()
    const codecOptions = { maxDepth: settings.limits.depth }
    const json = jsonCodec(codecOptions)
    const msgpack = msgpackCodec(codecOptions)
    const limits = new Limits(settings.limits)
    let draining = false

    const server = yield* makeUwsServer({
      host: settings.server.host,
      port: settings.server.port,
      tls: settings.server.tls,
      compression: settings.server.compression,
      maxMessage: settings.limits.message,
      maxBuffer: settings.limits.buffer,
      idleTimeout: settings.heartbeat.timeout * 2,
      paths: hubPaths,
      fork,
      onRefused: (status) => counters.refused(status),
      onHttp: (res, req) => serveHttp(res, req, () => errorAnswer("not_found", "nothing is here"), { maxBody: 1_048_576, secure: settings.server.tls !== undefined })
    }).pipe(Effect.mapError(({ message }) => new StartError({ message })))

    const fanout = { publisher: server, json, msgpack, turnEnd }
    const rooms = new Rooms({ ...fanout, clock, counters, mailbox: settings.limits.mailbox, blocks: settings.room, fork })
    const timers = new TimerWheel<Connection>(timerGranularity, clock.currentTimeMillisUnsafe(), (connection) => connections.onTimer(connection))
    const context: ConnectionContext = {
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
      turnEnd,
      json,
      msgpack,
      refresh: (token) => auth.refresh(Redacted.make(token)),
      fork
    }
    const connections: Connections = new Connections(context, Connections.everyone(fanout), {
      fork,
      onDefect: (connection, cause) => {
        fork(Effect.logError("a connection failed", cause).pipe(Effect.annotateLogs("connection", connection.id)))
      }
    })
    yield* Effect.sync(() => timers.advance(clock.currentTimeMillisUnsafe())).pipe(
      Effect.repeat(Schedule.spaced(Duration.millis(timerGranularity))),
      Effect.forkScoped
    )

    const gate = makeGate({ settings, auth, limits, clock, connections: () => connections.size, draining: () => draining })
    const port = yield* server
      .listen(gate, socketHandler(connections, context))
      .pipe(Effect.mapError(({ message }) => new StartError({ message })))
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        draining = true
        return Effect.andThen(Effect.logInfo("draining"), drain(connections, settings.drain.period))
      })
    )
    const scheme = settings.server.tls === undefined ? "http" : "https"
    return { url: `${scheme}://${hostInUrl(settings.server.host)}:${port}`, port, node: settings.node.id }
  }).pipe(Effect.provide(authLayer(settings, options)))

/** The main job: serves until it is interrupted, then drains. `handlers`: the path of a module with methods. */
export const serve = (settings: Settings, options: { readonly handlers?: string } = {}): Effect.Effect<never, StartError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handlers =
        options.handlers === undefined
          ? {}
          : yield* loadHandlers(options.handlers).pipe(Effect.mapError(({ message }) => new StartError({ message })))
      const { url, node } = yield* startServer(settings, { handlers })
      yield* Effect.sync(() => process.stdout.write(`weft listening on ${url} (node ${node})\n`))
      return yield* Effect.never
    })
  )
