import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net"
import { afterEach } from "vitest"
import type { ProxyRoute } from "../../src/config/proxy.ts"
import { headerRules } from "../../src/gateway/ForwardHeaders.ts"
import { type HttpTrouble, makeHttpProxy } from "../../src/gateway/HttpProxy.ts"
import type { Target } from "../../src/gateway/Target.ts"
import { clientAddress, forwardingHeaders, trustedProxies } from "../../src/transport/ClientAddress.ts"
import { errorAnswer } from "../../src/transport/HttpAnswer.ts"
import { listen, RawClient } from "../transport/httpServer.ts"
import { certificate, privateKey } from "../config/pem.ts"
import { poolOf } from "./poolOf.ts"
import { proxyRoute } from "./proxyRoute.ts"

const open: Array<() => unknown> = []

/** Closes after the test what it has opened, the latest first. */
export const closing = (close: () => unknown): void => void open.push(close)
export const closeAfterEach = (): void =>
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close()
  })

const listening = (server: Server | NetServer): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  )

export interface HttpBackend {
  readonly url: string
  readonly port: number
  readonly requests: ReadonlyArray<IncomingMessage>
  /** Connections there were in all. */
  readonly connections: () => number
  readonly close: () => void
}

const backendOf = async (server: Server, scheme: string, requests: Array<IncomingMessage>): Promise<HttpBackend> => {
  let connections = 0
  server.on(scheme === "https" ? "secureConnection" : "connection", () => connections++)
  const port = await listening(server)
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  closing(close)
  return { url: `${scheme}://127.0.0.1:${port}`, port, requests, connections: () => connections, close }
}

const keeping =
  (requests: Array<IncomingMessage>, listener: RequestListener): RequestListener =>
  (request, response) => {
    requests.push(request)
    listener(request, response)
  }

/** A server of Node's. */
export const httpBackend = (listener: RequestListener): Promise<HttpBackend> => {
  const requests: Array<IncomingMessage> = []
  return backendOf(createServer(keeping(requests, listener)), "http", requests)
}

/** A server whose certificate nobody has signed but itself. */
export const tlsBackend = (listener: RequestListener): Promise<HttpBackend> => {
  const requests: Array<IncomingMessage> = []
  return backendOf(createTlsServer({ key: privateKey, cert: certificate }, keeping(requests, listener)), "https", requests)
}

/** Answers with what it got, as JSON. */
export const echo: RequestListener = (request, response) => {
  const pieces: Array<Buffer> = []
  request.on("data", (piece: Buffer) => pieces.push(piece))
  request.on("end", () => {
    const { headers, method, rawHeaders, url } = request
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ method, url, headers, rawHeaders, body: Buffer.concat(pieces).toString("latin1") }))
  })
}

export interface RawBackend {
  readonly url: string
  /** What was received on each connection. */
  readonly received: Array<string>
  readonly sockets: Array<Socket>
}

/** A server that speaks by hand. `answer` is called whenever something has come. */
export const rawBackend = async (answer: (socket: Socket, received: string) => void): Promise<RawBackend> => {
  const received: Array<string> = []
  const sockets: Array<Socket> = []
  const server = createNetServer((socket) => {
    const index = sockets.push(socket) - 1
    received.push("")
    socket.on("error", () => undefined)
    socket.on("data", (data) => {
      received[index] += data.toString("latin1")
      answer(socket, received[index] ?? "")
    })
  })
  const port = await listening(server)
  closing(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}`, received, sockets }
}

/** Answers each request with the same bytes. */
export const always =
  (text: string, close = false) =>
  (socket: Socket, received: string): void => {
    if (!received.endsWith("\r\n\r\n")) return
    socket.write(text, "latin1")
    if (close) socket.end()
  }

export interface HttpGateway {
  readonly url: string
  readonly client: () => RawClient
  readonly pool: ReturnType<typeof poolOf>["pool"]
  readonly target: (index: number) => Target
  readonly troubles: ReadonlyArray<HttpTrouble>
  /** Statuses of the answers that were begun, and what was thrown. */
  readonly answers: ReadonlyArray<number>
  readonly errors: ReadonlyArray<unknown>
  /** Leases of all targets that are out. */
  readonly busy: () => number
}

export interface HttpGatewayOptions extends Partial<Omit<ProxyRoute, "targets">> {
  readonly user?: string
  readonly trustedProxies?: ReadonlyArray<string>
  /** To one target, at most. */
  readonly connections?: number
}

/** A real listener whose every path is one route, with a real pool. */
export const httpGateway = async (
  targets: ReadonlyArray<string>,
  { connections = 100, trustedProxies: trustedEntries = [], user, ...settings }: HttpGatewayOptions = {}
): Promise<HttpGateway> => {
  const route = proxyRoute(targets, { name: "all", path: "/*", ...settings })
  const { pool, target } = poolOf(route)
  const troubles: Array<HttpTrouble> = []
  const proxy = makeHttpProxy({
    route: { path: route.path, settings: route, pool, rules: headerRules(route), users: new Map() },
    connections,
    now: () => performance.now(),
    onTrouble: (trouble) => void troubles.push(trouble)
  })
  const trusted = trustedProxies(trustedEntries)
  const server = await listen(() => errorAnswer("not_found", "no route"), {
    client: (peer, headers) =>
      clientAddress(
        peer,
        forwardingHeaders((name) => headers.get(name)),
        trusted
      ),
    route: (arrival) => {
      const at = arrival.target.indexOf("?")
      const query = at === -1 ? "" : arrival.target.slice(at + 1)
      const arrived = {
        asker: { address: arrival.address, user, headers: arrival.headers, query, secure: arrival.secure },
        request: { ...arrival, query, user, withoutToken: user !== undefined, websocket: false },
        path: at === -1 ? arrival.target : arrival.target.slice(0, at)
      }
      return {
        maxBody: route.max_body,
        patience: route.timeout,
        handle: (client) => proxy.handle({ arrived, method: arrival.method, client })
      }
    }
  })
  closing(async () => {
    server.close()
    await proxy.close()
  })
  return {
    url: server.url,
    client: () => {
      const client = new RawClient(server.port)
      closing(() => client.socket.destroy())
      return client
    },
    pool,
    target,
    troubles,
    answers: server.answers,
    errors: server.errors,
    busy: () => pool.targets.reduce((sum, one) => sum + one.connections, 0)
  }
}

export const bodyOf = (received: string): string => received.slice(received.indexOf("\r\n\r\n") + 4)

/** What `echo` says. */
export const echoed = (
  received: string
): {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly rawHeaders: ReadonlyArray<string>
  readonly body: string
} => JSON.parse(Buffer.from(bodyOf(received), "latin1").toString("utf8"))
