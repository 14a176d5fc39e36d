import "./UwsEnvironment.ts"
import { Effect } from "effect"
import { type TemplatedApp, us_listen_socket_close, us_socket_local_port, type us_listen_socket } from "uWebSockets.js"
import { exclusivePort } from "./UwsConstants.ts"

export interface Listening {
  readonly port: number
  /** Takes no more connections; those that are open stay. */
  readonly close: () => void
}

/** Its declaration knows nothing of a host and options together. */
type Listen = (host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void) => void

/** Its declaration knows connections only. */
type Bound = Parameters<typeof us_socket_local_port>[0]

/** Opens a port, 0 for any free one. Undefined: it is taken, or the address is not this machine's. */
export const listenOn = (app: TemplatedApp, host: string, port: number): Effect.Effect<Listening | undefined> =>
  Effect.callback((resume) => {
    const listen = app.listen as unknown as Listen
    // Without the option a second server started by mistake would share the port in silence.
    listen.call(app, host, port, exclusivePort, (socket) =>
      resume(
        Effect.succeed(
          socket === false
            ? undefined
            : { port: us_socket_local_port(socket as unknown as Bound), close: () => void us_listen_socket_close(socket) }
        )
      )
    )
  })
