/** A small hub on `ws` with verbs to misbehave: what a client must cope with is easier to arrange here than with the real server. */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import type { Codec } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"

export interface Incoming {
  readonly type: string
  readonly id?: number | string
  readonly room?: string
  readonly data?: unknown
  readonly method?: string
  readonly exclude_self?: boolean
  readonly to?: { readonly user?: string; readonly connection?: string }
}

export interface Peer {
  readonly connection: string
  readonly socket: WebSocket
  readonly codec: Codec
  readonly protocols: ReadonlyArray<string>
  readonly url: string
  readonly rooms: Set<string>
  /** What it sent, in order. */
  readonly received: Array<Incoming>
  send(message: unknown): void
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly retryAfter?: number
}

export interface FakeHubOptions {
  readonly port?: number
  readonly heartbeat?: { readonly interval: number; readonly timeout: number }
  readonly limits?: { readonly message?: number }
  /** Refuses upgrades while it gives something. */
  readonly refuse?: (request: IncomingMessage) => Refusal | undefined
  /** Replaces the answer to a message. `null`: none. `undefined`: the usual one. */
  readonly answer?: (message: Incoming, peer: Peer) => object | null | undefined
  /** Accepts the upgrade but sends no welcome. */
  readonly mute?: boolean
}

export interface FakeHub extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly peers: ReadonlyArray<Peer>
  /** How many upgrades were asked for. */
  readonly attempts: () => number
  /** Ends every link without a close frame. */
  readonly cut: () => void
  readonly stop: () => Promise<void>
}

const limits = { message: 524_288, room_name: 128, rooms: 128, batch: 64, depth: 64, rate: 0 }
const time = 1_700_000_000_000

const protocolsOf = (request: IncomingMessage): ReadonlyArray<string> =>
  (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim())

export const startFakeHub = async (options: FakeHubOptions = {}): Promise<FakeHub> => {
  const peers: Array<Peer> = []
  let attempts = 0
  const http = createServer((_, response) => response.writeHead(426).end())
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("weft.v1.msgpack") ? "weft.v1.msgpack" : "weft.v1.json")
  })

  const toRoom = (room: string, message: object, except?: Peer): void => {
    for (const peer of peers) if (peer.rooms.has(room) && peer !== except) peer.send(message)
  }

  const usualAnswer = (message: Incoming, peer: Peer): object | null => {
    const room = message.room ?? ""
    switch (message.type) {
      case "ping":
        return { type: "pong", time }
      case "echo":
        return { type: "echo", data: message.data }
      case "join_room":
        peer.rooms.add(room)
        return { type: "joined", room, epoch: "", seq: 0, members: peers.filter((other) => other.rooms.has(room)).length }
      case "leave_room":
        peer.rooms.delete(room)
        return { type: "left", room }
      case "broadcast":
        if (!peer.rooms.has(room)) return { type: "error", code: "not_in_room", message: `not in ${room}`, retryable: false }
        toRoom(
          room,
          { type: "message", room, data: message.data, time, from: { connection: peer.connection } },
          message.exclude_self === true ? peer : undefined
        )
        return { type: "ack", room }
      case "send": {
        const target = peers.filter((other) => other.connection === message.to?.connection)
        for (const other of target) other.send({ type: "direct", data: message.data, time, from: { connection: peer.connection } })
        return { type: "ack", delivered: target.length }
      }
      case "presence": {
        const members = peers.filter((other) => other.rooms.has(room)).map(({ connection }) => ({ connection, since: time }))
        return { type: "presence", room, members }
      }
      case "status":
        return {
          ...{ type: "status", connection: peer.connection, session: "s", node: "fake", rooms: [...peer.rooms] },
          ...{ connected_at: time, encoding: peer.codec.encoding, time }
        }
      case "call":
        return message.method === "sum"
          ? { type: "result", data: 3 }
          : { type: "error", code: "not_found", message: `no method ${message.method}`, retryable: false }
      case "heartbeat":
        return message.id === undefined ? null : { type: "ack" }
      default:
        return { type: "error", code: "unknown_type", message: `no message has the type ${message.type}`, retryable: false }
    }
  }

  const answer = (message: Incoming, peer: Peer): void => {
    const reply = options.answer?.(message, peer)
    const chosen = reply === undefined ? usualAnswer(message, peer) : reply
    if (chosen !== null) peer.send(message.id === undefined ? chosen : { ...chosen, id: message.id })
  }

  const accept = (socket: WebSocket, request: IncomingMessage): void => {
    const protocols = protocolsOf(request)
    const codec = protocols.includes("weft.v1.msgpack") ? msgpackCodec() : jsonCodec()
    const peer: Peer = {
      ...{ connection: `c${attempts}`, socket, codec, protocols, url: request.url ?? "" },
      ...{ rooms: new Set<string>(), received: [] },
      send: (message) => socket.send(codec.encode(message))
    }
    peers.push(peer)
    socket.on("message", (data: Buffer) => {
      const message = codec.decode(data) as Incoming
      peer.received.push(message)
      answer(message, peer)
    })
    socket.on("close", () => {
      if (peers.includes(peer)) peers.splice(peers.indexOf(peer), 1)
    })
    const heartbeat = options.heartbeat ?? { interval: 30_000, timeout: 60_000 }
    if (options.mute === true) return
    peer.send({
      ...{ type: "welcome", connection: peer.connection, session: `s-${peer.connection}`, node: "fake", resumed: false },
      ...{ rooms: [], heartbeat, limits: { ...limits, ...options.limits } }
    })
  }

  http.on("upgrade", (request, stream, head) => {
    attempts++
    const refusal = options.refuse?.(request)
    if (refusal === undefined) return sockets.handleUpgrade(request, stream, head, accept)
    const body = JSON.stringify({ code: refusal.code, message: refusal.message })
    const retryAfter = refusal.retryAfter === undefined ? "" : `retry-after: ${refusal.retryAfter}\r\n`
    stream.end(
      `HTTP/1.1 ${refusal.status} Refused\r\ncontent-type: application/json\r\n${retryAfter}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
    )
  })
  await new Promise<void>((resolve, reject) => http.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve))
  const { port } = http.address() as AddressInfo
  const cut = (): void => {
    for (const peer of peers.splice(0)) peer.socket.terminate()
  }
  const stop = async (): Promise<void> => {
    cut()
    if (http.listening) await new Promise((resolve) => http.close(resolve))
  }
  return { url: `ws://127.0.0.1:${port}/ws`, port, peers, attempts: () => attempts, cut, stop, [Symbol.asyncDispose]: stop }
}
