import { connect, type Socket } from "node:net"
import { App, us_listen_socket_close, us_socket_local_port } from "uWebSockets.js"
import type { HttpHandler } from "../../src/transport/HttpAnswer.ts"
import { serveHttp, type ServeHttpOptions } from "../../src/transport/UwsHttp.ts"

export interface TestServer {
  readonly port: number
  readonly url: string
  /** The statuses of all answers that were begun. */
  readonly answers: ReadonlyArray<number>
  readonly errors: ReadonlyArray<unknown>
  readonly close: () => void
}

/** A real listener on a free port of the loopback whose every route is `handler`. */
export const listen = (handler: HttpHandler, options: Partial<ServeHttpOptions> = {}): Promise<TestServer> =>
  new Promise((resolve, reject) => {
    const answers: Array<number> = []
    const errors: Array<unknown> = []
    const app = App()
    app.any("/*", (res, req) =>
      serveHttp(res, req, handler, {
        maxBody: 1024 * 1024,
        secure: false,
        onAnswer: (status) => void answers.push(status),
        onError: (error) => void errors.push(error),
        ...options
      })
    )
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket === false) return reject(new Error("no port to listen on"))
      const port = us_socket_local_port(socket)
      const close = (): void => {
        us_listen_socket_close(socket)
        app.close()
      }
      resolve({ port, url: `http://127.0.0.1:${port}`, answers, errors, close })
    })
  })

/** A TCP client that sees every byte. Text is one character per byte. */
export class RawClient {
  readonly socket: Socket
  received = ""
  closed = false
  #changed: Array<() => void> = []

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1")
    this.socket.on("data", (data) => {
      this.received += data.toString("latin1")
      this.#notify()
    })
    this.socket.on("error", () => undefined)
    this.socket.on("close", () => {
      this.closed = true
      this.#notify()
    })
  }

  send(text: string): this {
    this.socket.write(text, "latin1")
    return this
  }

  /** Waits until what was received satisfies `test`, or the connection is closed. */
  async until(test: (received: string) => boolean): Promise<string> {
    while (!test(this.received) && !this.closed) await new Promise<void>((resolve) => this.#changed.push(resolve))
    return this.received
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.#changed.push(resolve))
    return this.received
  }

  #notify(): void {
    for (const resolve of this.#changed.splice(0)) resolve()
  }
}

/** Waits until `test` holds, looking at every turn of the event loop. */
export const eventually = async (test: () => boolean): Promise<void> => {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5))
}
