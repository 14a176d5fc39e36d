/**
 * A hub of a few lines for tests of the page's own decisions: what the real server does seldom, or only under load, can
 * be made to happen here. One room table, JSON or MessagePack by subprotocol, and every step can be taken over.
 */
import { decode, encode } from "@msgpack/msgpack"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"

type Message = { readonly type: string } & Readonly<Record<string, unknown>>

export interface Client {
  readonly connection: string
  readonly url: string
  readonly subprotocols: ReadonlyArray<string>
  readonly received: Array<Message>
  readonly rooms: Map<string, number>
  readonly send: (message: Message) => void
  readonly sendFrame: (frame: string) => void
  readonly close: (code: number, reason?: string) => void
}

export interface FakeHubOptions {
  readonly port?: number
  readonly heartbeat?: { readonly interval: number; readonly timeout: number }
  /** Refuses the upgrade with this status. */
  readonly refuse?: () => number | undefined
  /** Answers a message instead of the hub. False: the hub answers. */
  readonly answer?: (client: Client, message: Message) => boolean
}

export interface FakeHub {
  readonly port: number
  readonly clients: ReadonlyArray<Client>
  /** All there ever were, the oldest first. */
  readonly seen: ReadonlyArray<Client>
  readonly close: () => Promise<void>
}

const limits = { message: 524_288, room_name: 128, rooms: 128, batch: 64, depth: 64, rate: 0 }

const listen = (server: Server, port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))

export const startFakeHub = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const clients = new Set<Client>()
  const seen: Array<Client> = []
  const membersOf = (room: string) => [...clients].filter(({ rooms }) => rooms.has(room))

  const handle = (client: Client, message: Message): void => {
    const { id, type } = message
    const reply = (answer: Message) => client.send(id === undefined ? answer : { ...answer, id })
    const room = String(message["room"])
    if (type === "ping") return reply({ type: "pong", time: Date.now() })
    if (type === "join_room") {
      client.rooms.set(room, Date.now())
      return reply({ type: "joined", room, epoch: "1", seq: 0, members: membersOf(room).length })
    }
    if (type === "leave_room") {
      client.rooms.delete(room)
      return reply({ type: "left", room })
    }
    if (type === "presence") {
      const members = membersOf(room).map((member) => ({ connection: member.connection, since: member.rooms.get(room) ?? 0 }))
      return reply({ type: "presence", room, members })
    }
    if (type === "broadcast") {
      const from = { connection: client.connection }
      for (const member of membersOf(room)) member.send({ type: "message", room, data: message["data"], time: Date.now(), from })
      return reply({ type: "ack", room })
    }
    if (type === "send") {
      const to = message["to"] as { readonly connection?: string }
      const found = [...clients].filter(({ connection }) => connection === to.connection)
      for (const one of found)
        one.send({ type: "direct", data: message["data"], time: Date.now(), from: { connection: client.connection } })
      return reply({ type: "ack", delivered: found.length })
    }
  }

  const accept = (socket: WebSocket, url: string, subprotocols: ReadonlyArray<string>): void => {
    const binary = socket.protocol === "weft.v1.msgpack"
    const client: Client = {
      connection: `c${seen.length + 1}`,
      url,
      subprotocols,
      received: [],
      rooms: new Map(),
      send: (message) => socket.send(binary ? encode(message) : JSON.stringify(message)),
      sendFrame: (frame) => socket.send(frame),
      close: (code, reason) => socket.close(code, reason)
    }
    clients.add(client)
    seen.push(client)
    socket.on("close", () => clients.delete(client))
    socket.on("message", (data: Buffer, isBinary) => {
      const message = (isBinary ? decode(data) : JSON.parse(String(data))) as Message
      client.received.push(message)
      if (options.answer?.(client, message) !== true) handle(client, message)
    })
    const heartbeat = options.heartbeat ?? { interval: 30_000, timeout: 60_000 }
    const { connection } = client
    client.send({ type: "welcome", connection, session: `s-${connection}`, node: "fake", resumed: false, rooms: [], heartbeat, limits })
  }

  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false })
  server.on("upgrade", (request, socket, head) => {
    const status = options.refuse?.()
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim())
    sockets.handleUpgrade(request, socket, head, (accepted) => accept(accepted, request.url ?? "", offered))
  })
  await listen(server, options.port ?? 0)
  return {
    port: (server.address() as AddressInfo).port,
    get clients() {
      return [...clients]
    },
    seen,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
