import { createHash } from "node:crypto"
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { createServer, type Server, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { WebSocketServer, type ServerOptions, type WebSocket } from "ws"
import { atEnd } from "../../support/cleanup.ts"
import { certificate, privateKey } from "../../config/pem.ts"

/** A server of the test on a port of 127.0.0.1. */
export interface Backend {
  readonly url: URL
  readonly port: number
  /** Connections that are open now. */
  readonly open: () => number
  /** Connections since the start. */
  readonly seen: () => number
  /** Closes its port and cuts all connections. */
  readonly stop: () => Promise<void>
}

const listening = async (server: Server, scheme: string, port = 0): Promise<Backend> => {
  const sockets = new Set<Socket>()
  let seen = 0
  server.on("connection", (socket: Socket) => {
    seen++
    sockets.add(socket)
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  atEnd(stop)
  return { url: new URL(`${scheme}://127.0.0.1:${address.port}`), port: address.port, open: () => sockets.size, seen: () => seen, stop }
}

/** What happens to each connection is the test's business. */
export const tcpBackend = (onConnection: (socket: Socket) => void): Promise<Backend> => listening(createServer(onConnection), "http")

/** Answers everything with these bytes. */
export const rawBackend = (answer: string): Promise<Backend> => tcpBackend((socket) => void socket.on("data", () => socket.write(answer)))

/** Accepts and says nothing. */
export const silentBackend = (): Promise<Backend> => tcpBackend((socket) => void socket.resume())

export const httpBackend = (listener: RequestListener): Promise<Backend> => listening(createHttpServer(listener), "http")

export const httpsBackend = (listener: RequestListener): Promise<Backend> =>
  listening(createHttpsServer({ cert: certificate, key: privateKey }, listener), "https")

export interface WebSocketBackendOptions extends ServerOptions {
  readonly onConnection?: (socket: WebSocket, url: string, headers: Readonly<Record<string, unknown>>) => void
  /** Plain requests; without it they get 426. */
  readonly onRequest?: RequestListener
  readonly tls?: boolean
  /** A port instead of any free one. */
  readonly at?: number
}

/** A WebSocket backend by `ws`. */
export const webSocketBackend = ({ at, onConnection, onRequest, tls, ...options }: WebSocketBackendOptions = {}): Promise<Backend> => {
  const plain: RequestListener = onRequest ?? ((_request, response) => void response.writeHead(426).end())
  const server: HttpServer = tls === true ? createHttpsServer({ cert: certificate, key: privateKey }, plain) : createHttpServer(plain)
  const sockets = new WebSocketServer({ ...options, noServer: true })
  server.on("upgrade", (request, socket: Duplex, head) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => undefined)
      onConnection?.(client, request.url ?? "", request.headers)
    })
  )
  return listening(server, tls === true ? "https" : "http", at)
}

/** Accepts any upgrade by hand and leaves the rest to the test. */
export const upgradingBackend = (
  onUpgrade: (socket: Duplex) => void,
  accept: (key: string) => string = (key) => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
): Promise<Backend> => {
  const server = createHttpServer()
  server.on("upgrade", (request, socket: Duplex) => {
    // Node leaves the other half open here, which no backend would.
    socket.on("error", () => undefined).on("end", () => socket.destroy())
    socket.resume()
    const key = accept(request.headers["sec-websocket-key"] ?? "")
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
    onUpgrade(socket)
  })
  return listening(server, "http")
}
