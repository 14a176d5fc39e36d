import "./UwsEnvironment.ts"
import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { Data, Effect, type Scope } from "effect"
import { App, type WebSocket } from "uWebSockets.js"
import { noCompression } from "./UwsConstants.ts"
import { listenOn } from "./UwsListen.ts"

class NoAnchor extends Data.TaggedError("NoAnchor")<{ readonly message: string }> {}

const host = "127.0.0.1"

/** Milliseconds for a connection within this machine. */
const patience = 2000

const request = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "\r\n"
  ].join("\r\n")

/** The far end: it asks for the upgrade, and then holds the connection. */
const meet = (port: number, path: string): Effect.Effect<Socket, NoAnchor> =>
  Effect.callback((resume) => {
    const socket = connect(port, host)
    const fail = (): void => resume(Effect.fail(new NoAnchor({ message: "no connection by way of the loopback interface" })))
    socket.on("error", fail).on("close", fail)
    socket.once("data", () => resume(Effect.succeed(socket)))
    socket.write(request(path))
    return Effect.sync(() => socket.destroy())
  })

/**
 * A WebSocket of the server's own, under whose cork an HTTP response can be upgraded after a wait.
 *
 * When the response's own cork ends, uWebSockets before its pull request 1929 reads behind the new WebSocket as if the response still
 * stood there, and closes it for what has been allocated there meanwhile: one in ten of the first of a process, one in some thousands
 * later. Within the cork of another the response is not corked, and nothing is read when it ends. Corking takes a socket that is open;
 * the clients' come and go, and the first has no other beside it.
 */
export class UwsAnchor {
  private ws: WebSocket<unknown> | undefined = undefined

  /** Connects the anchor, for as long as the scope lives. It does not listen once that is done. */
  readonly drop: Effect.Effect<void, never, Scope.Scope> = Effect.gen({ self: this }, function* () {
    const path = `/${randomBytes(18).toString("base64url")}`
    const app = yield* Effect.acquireRelease(
      Effect.sync(() => App()),
      (made) => Effect.sync(() => made.close())
    )
    app.ws(path, {
      compression: noCompression,
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxPayloadLength: 1,
      open: (ws) => {
        this.ws = ws
      },
      close: () => {
        this.ws = undefined
      }
    })
    const listening = yield* listenOn(app, host, 0)
    if (listening === undefined) return yield* new NoAnchor({ message: "no port of the loopback interface is free" })
    const far = yield* meet(listening.port, path).pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new NoAnchor({ message: "no answer on the loopback interface" }))
      }),
      Effect.ensuring(Effect.sync(listening.close))
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => far.destroy()))
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(`some clients may have to connect again, since uWebSockets.js can not be kept from closing them: ${message}`)
    )
  )

  /** Whether it is connected. */
  get holds(): boolean {
    return this.ws !== undefined
  }

  /** Runs `body`, within the anchor's cork if it holds. */
  within(body: () => void): void {
    if (this.ws === undefined) body()
    else this.ws.cork(body)
  }
}
