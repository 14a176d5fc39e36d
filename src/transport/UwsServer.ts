import "./UwsEnvironment.ts"
import { Data, Effect, type Scope } from "effect"
import { App, type HttpRequest, type HttpResponse, SSLApp, type TemplatedApp, type us_socket_context_t } from "uWebSockets.js"
import type { Publisher, SocketHandler } from "./Transport.ts"
import type { Gate } from "./Upgrade.ts"
import type { UserData, UwsSocket } from "./UwsSocket.ts"
import { UwsAnchor } from "./UwsAnchor.ts"
import { noCompression, smallCompression } from "./UwsConstants.ts"
import { type Listening, listenOn } from "./UwsListen.ts"
import { type Fork, handleUpgrade } from "./UwsUpgrade.ts"

export class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

export interface ServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly compression: boolean
  readonly fork: Fork
  readonly onRefused: (status: number) => void
  readonly onHttp: (res: HttpResponse, req: HttpRequest) => void
}

/** Where WebSockets of one kind are served. */
export interface Endpoint<A, C> {
  /** As uWebSockets.js writes them: a path, or `/*` for every one that nothing else is at. */
  readonly path: string
  readonly gate: Gate<A>
  readonly handler: SocketHandler<A, C>
  /** The largest message in bytes that the handler wants to see. Up to twice as much is read, for it to be able to say so. */
  readonly maxMessage: number
  /** Bytes that may wait for one client before what is sent to it is dropped. */
  readonly maxBuffer: number
  /** Seconds without any frame after which a socket is reaped, also one that has been told to close and does not. */
  readonly idleTimeout: number
  /** Whether clients that are quiet get a ping before that. */
  readonly pings: boolean
}

/** A server that is not listening yet: publishing works, so that the actors can be built on it. */
export interface UwsServer extends Publisher {
  readonly serve: <A, C>(endpoint: Endpoint<A, C>) => void
  /** Opens the port and serves until the scope closes. Gives the port. */
  readonly listen: () => Effect.Effect<number, ListenError, Scope.Scope>
}

/** uWebSockets.js takes 8 to 960 seconds here. */
const clampIdle = (seconds: number): number => Math.min(960, Math.max(8, Math.ceil(seconds)))

const makeApp = ({ tls }: ServerOptions): Effect.Effect<TemplatedApp, ListenError> =>
  Effect.try({
    try: () => (tls === undefined ? App() : SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key })),
    catch: (cause) => new ListenError({ message: `TLS: ${cause instanceof Error ? cause.message : String(cause)}` })
  })

const open = (app: TemplatedApp, { host, port }: ServerOptions): Effect.Effect<Listening, ListenError> =>
  Effect.flatMap(listenOn(app, host, port), (listening) =>
    listening === undefined
      ? Effect.fail(
          new ListenError({ message: `can not listen on ${host}:${port}: the port is in use or the address is not this machine's` })
        )
      : Effect.succeed(listening)
  )

export const makeUwsServer = (options: ServerOptions): Effect.Effect<UwsServer, ListenError> =>
  Effect.map(makeApp(options), (app) => {
    const anchor = new UwsAnchor()
    const serve = <A, C>({ gate, handler, ...endpoint }: Endpoint<A, C>): void => {
      const onUpgraded = (socket: UwsSocket<A, C>): void => {
        const { accepted } = socket
        if (accepted === undefined) return
        socket.accepted = undefined
        socket.connection = handler.onOpen(socket, accepted)
      }
      const { fork, onRefused, compression: compress } = options
      app.ws<UserData<A, C>>(endpoint.path, {
        compression: options.compression ? smallCompression : noCompression,
        maxPayloadLength: endpoint.maxMessage * 2,
        maxBackpressure: endpoint.maxBuffer,
        closeOnBackpressureLimit: false,
        idleTimeout: clampIdle(endpoint.idleTimeout),
        sendPingsAutomatically: endpoint.pings,
        upgrade: (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) =>
          handleUpgrade<A, C>({ gate, fork, compress, onRefused, onUpgraded, anchor }, res, req, context),
        open: (ws) => ws.getUserData().socket.opened(ws),
        message: (ws, frame, binary) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onFrame(connection, frame, binary)
        },
        dropped: (ws, frame, binary) => {
          const { socket } = ws.getUserData()
          const { connection } = socket
          if (connection !== undefined) socket.reportDropped(frame, (dropped) => handler.onDropped(connection, dropped, binary))
        },
        ping: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onAlive(connection, true)
        },
        pong: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onAlive(connection, false)
        },
        drain: (ws) => {
          const { connection } = ws.getUserData().socket
          if (connection !== undefined) handler.onDrain(connection)
        },
        close: (ws, code, reason) => {
          const { socket } = ws.getUserData()
          socket.closed()
          if (socket.connection !== undefined) handler.onClose(socket.connection, code, reason)
        }
      })
    }
    return {
      publish: (topic, frame, binary) => {
        app.publish(topic, frame, binary, options.compression)
      },
      serve,
      listen: () =>
        Effect.gen(function* () {
          app.any("/*", options.onHttp)
          yield* anchor.drop
          const { port } = yield* Effect.acquireRelease(open(app, options), (listening) =>
            Effect.sync(() => {
              listening.close()
              app.close()
            })
          )
          return port
        })
    }
  })
