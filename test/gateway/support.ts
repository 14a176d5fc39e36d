/** Backends in the test's process, and clients that go through the gateway to them. */
import type { IncomingMessage } from "node:http"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import WebSocket, { WebSocketServer } from "ws"
import type { RunningServer } from "../../src/app.ts"
import { atEndOfTest } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"

export interface Received {
  readonly text: string
  readonly binary: boolean
}

/** What a backend's side of a link has seen. */
export interface BackendLink {
  readonly ws: WebSocket
  readonly request: IncomingMessage
  readonly received: Array<Received>
  closed: { readonly code: number; readonly reason: string } | undefined
}

export interface TestBackend {
  readonly url: string
  readonly port: number
  readonly http: Server
  readonly links: Array<BackendLink>
  /** Ends all its connections without a word, and listens no more. */
  readonly kill: () => Promise<void>
}

export interface BackendOptions {
  readonly port?: number
  /** Answers each message. Default: echoes it. */
  readonly onMessage?: (link: BackendLink, data: Buffer, binary: boolean) => void
  readonly onConnection?: (link: BackendLink) => void
  readonly handleProtocols?: (protocols: Set<string>) => string | false
  readonly headers?: ReadonlyArray<string>
  readonly maxPayload?: number
}

/** A backend by the `ws` library, on a free port unless told otherwise; it ends with the test. */
export const backend = async (options: BackendOptions = {}): Promise<TestBackend> => {
  const links: Array<BackendLink> = []
  const http = createServer((_, response) => void response.writeHead(200).end("plain"))
  const server = new WebSocketServer({
    server: http,
    maxPayload: options.maxPayload ?? 64 * 1024 * 1024,
    ...(options.handleProtocols === undefined ? {} : { handleProtocols: options.handleProtocols })
  })
  if (options.headers !== undefined) server.on("headers", (lines) => void lines.push(...(options.headers ?? [])))
  server.on("connection", (ws, request) => {
    const link: BackendLink = { ws, request, received: [], closed: undefined }
    links.push(link)
    ws.on("message", (data: Buffer, binary) => {
      link.received.push({ text: data.toString(), binary })
      if (options.onMessage === undefined) ws.send(data, { binary })
      else options.onMessage(link, data, binary)
    })
    ws.on("close", (code, reason) => {
      link.closed = { code, reason: reason.toString() }
    })
    ws.on("error", () => undefined)
    options.onConnection?.(link)
  })
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject)
    http.listen(options.port ?? 0, "127.0.0.1", resolve)
  })
  const { port } = http.address() as AddressInfo
  const kill = async (): Promise<void> => {
    for (const { ws } of links) ws.terminate()
    http.closeAllConnections()
    await new Promise<void>((resolve) => http.close(() => resolve()))
  }
  atEndOfTest(kill)
  return { url: `http://127.0.0.1:${port}`, port, http, links, kill }
}

/** A client of a route. */
export class RouteClient {
  readonly ws: WebSocket
  readonly received: Array<{ readonly data: Buffer; readonly binary: boolean }> = []
  closed: { readonly code: number; readonly reason: string } | undefined
  refused: { readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: string } | undefined
  upgrade: IncomingMessage | undefined

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on("upgrade", (response) => {
      this.upgrade = response
    })
    ws.on("message", (data: Buffer, binary) => void this.received.push({ data, binary }))
    ws.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    ws.on("unexpected-response", (_, response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => void chunks.push(chunk))
      response.on("end", () => {
        this.refused = { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }
      })
    })
    ws.on("error", () => undefined)
  }

  opened(): Promise<this> {
    return eventually(() => (this.ws.readyState === WebSocket.OPEN ? this : undefined), {
      message: () => `it did not open: ${JSON.stringify(this.refused ?? this.closed)}`
    })
  }

  texts(): ReadonlyArray<string> {
    return this.received.map(({ data }) => data.toString())
  }

  /** The texts, once there are so many. */
  take(count: number): Promise<ReadonlyArray<string>> {
    return eventually(() => (this.received.length >= count ? this.texts() : undefined), {
      message: () => `${this.received.length} of ${count} came; closed: ${JSON.stringify(this.closed)}`
    })
  }

  end(): Promise<{ readonly code: number; readonly reason: string }> {
    return eventually(() => this.closed, { message: "it was not closed" })
  }

  refusal(): Promise<NonNullable<RouteClient["refused"]>> {
    return eventually(() => this.refused, { message: () => `it was not refused; ${String(this.ws.readyState)}` })
  }
}

export interface ClientOptions {
  readonly protocols?: ReadonlyArray<string>
  readonly headers?: Readonly<Record<string, string>>
}

/** Connects without waiting for anything. */
export const client = (server: Pick<RunningServer, "url">, path: string, options: ClientOptions = {}): RouteClient => {
  const ws = new WebSocket(`${server.url.replace(/^http/, "ws")}${path}`, [...(options.protocols ?? [])], {
    headers: { ...options.headers },
    perMessageDeflate: false,
    rejectUnauthorized: false
  })
  atEndOfTest(() => ws.terminate())
  return new RouteClient(ws)
}
