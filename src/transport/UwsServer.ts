import "./UwsEnvironment.ts"
import { Data, Effect, type Fiber, type Scope } from "effect"
import {
  App,
  type HttpRequest,
  type HttpResponse,
  SSLApp,
  type TemplatedApp,
  us_listen_socket_close,
  us_socket_local_port,
  type us_listen_socket,
  type us_socket_context_t
} from "uWebSockets.js"
import type { Publisher, SocketHandler } from "./Transport.ts"
import type { Gate, Verdict } from "./Upgrade.ts"
import type { UserData, UwsSocket } from "./UwsSocket.ts"
import { exclusivePort, noCompression, smallCompression } from "./UwsConstants.ts"
import { handleUpgrade } from "./UwsUpgrade.ts"

export class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

export interface ServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly compression: boolean
  /** The largest message in bytes that gets an answer. Up to twice as much is read, to be able to say so. */
  readonly maxMessage: number
  /** Bytes that may wait for one client before what is published is skipped for it. */
  readonly maxBuffer: number
  /** Seconds without any frame after which a socket is reaped, also one that has been told to close and does not. */
  readonly idleTimeout: number
  readonly paths: ReadonlyArray<string>
  readonly fork: (effect: Effect.Effect<Verdict>) => Fiber.Fiber<Verdict>
  readonly onRefused: (status: number) => void
  readonly onHttp: (res: HttpResponse, req: HttpRequest) => void
}

/** A server that is not listening yet: publishing works, so that the actors can be built on it. */
export interface UwsServer extends Publisher {
  /** Opens the port and serves until the scope closes. Gives the port. */
  readonly listen: <C>(gate: Gate, handler: SocketHandler<C>) => Effect.Effect<number, ListenError, Scope.Scope>
}

/** uWebSockets.js takes 8 to 960 seconds here. */
const clampIdle = (seconds: number): number => Math.min(960, Math.max(8, Math.ceil(seconds)))

const makeApp = ({ tls }: ServerOptions): Effect.Effect<TemplatedApp, ListenError> =>
  Effect.try({
    try: () => (tls === undefined ? App() : SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key })),
    catch: (cause) => new ListenError({ message: `TLS: ${cause instanceof Error ? cause.message : String(cause)}` })
  })

const open = (app: TemplatedApp, { host, port }: ServerOptions): Effect.Effect<us_listen_socket, ListenError> =>
  Effect.callback((resume) => {
    const done = (socket: us_listen_socket | false): void =>
      resume(
        socket === false
          ? Effect.fail(
              new ListenError({ message: `can not listen on ${host}:${port}: the port is in use or the address is not this machine's` })
            )
          : Effect.succeed(socket)
      )
    // Without the option a second server started by mistake would share the port in silence.
    const listen = app.listen as unknown as (
      host: string,
      port: number,
      options: number,
      callback: (socket: us_listen_socket | false) => void
    ) => void
    listen.call(app, host, port, exclusivePort, done)
  })

export const makeUwsServer = (options: ServerOptions): Effect.Effect<UwsServer, ListenError> =>
  Effect.map(makeApp(options), (app) => {
    const route = <C>(path: string, gate: Gate, handler: SocketHandler<C>): void => {
      const onUpgraded = (socket: UwsSocket<C>): void => {
        const { accepted } = socket
        if (accepted === undefined) return
        socket.accepted = undefined
        socket.connection = handler.onOpen(socket, accepted)
      }
      const { fork, onRefused, compression: compress } = options
      app.ws<UserData<C>>(path, {
        compression: options.compression ? smallCompression : noCompression,
        maxPayloadLength: options.maxMessage * 2,
        maxBackpressure: options.maxBuffer,
        closeOnBackpressureLimit: false,
        idleTimeout: clampIdle(options.idleTimeout),
        sendPingsAutomatically: false,
        upgrade: (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) =>
          handleUpgrade<C>({ gate, fork, compress, onRefused, onUpgraded }, res, req, context),
        open: (ws) => ws.getUserData().socket.opened(ws),
        message: (ws, frame, binary) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onFrame(connection, frame, binary)
        },
        dropped: (ws, frame, binary) => {
          const { connection, sending } = ws.getUserData().socket
          if (connection !== undefined && !sending) handler.onDropped(connection, frame, binary)
        },
        ping: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onAlive(connection)
        },
        pong: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onAlive(connection)
        },
        drain: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onDrain(connection)
        },
        close: (ws, code) => {
          const { socket } = ws.getUserData()
          socket.closed()
          if (socket.connection !== undefined) handler.onClose(socket.connection, code)
        }
      })
    }
    return {
      publish: (topic, frame, binary) => {
        app.publish(topic, frame, binary, options.compression)
      },
      listen: <C>(gate: Gate, handler: SocketHandler<C>) =>
        Effect.gen(function* () {
          for (const path of options.paths) route(path, gate, handler)
          app.any("/*", options.onHttp)
          const socket = yield* Effect.acquireRelease(open(app, options), (listening) =>
            Effect.sync(() => {
              us_listen_socket_close(listening)
              app.close()
            })
          )
          return us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0])
        })
    }
  })
