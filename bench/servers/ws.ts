/**
 * `ws`, the usual library of Node, with a map of rooms: Weft's echo, join_room and broadcast as JSON.
 *
 * Settings: no compression, no UTF-8 check of what JSON.parse checks anyway, a published message encoded once and sent as
 * one buffer to each member.
 *
 *     node bench/servers/ws.ts PORT
 */
import { type WebSocket, WebSocketServer } from "ws"

interface Message {
  readonly type: string
  readonly id?: number | string
  readonly room: string
  readonly data: unknown
}

const rooms = new Map<string, Set<WebSocket>>()
let connections = 0

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  backlog: 4096,
  perMessageDeflate: false,
  skipUTF8Validation: true,
  maxPayload: 512 * 1024,
  clientTracking: false,
  handleProtocols: () => "weft.v1.json"
})

const join = (socket: WebSocket, room: string): number => {
  let members = rooms.get(room)
  if (members === undefined) rooms.set(room, (members = new Set()))
  members.add(socket)
  return members.size
}

const publish = (room: string, data: unknown, connection: string): void => {
  const frame = Buffer.from(JSON.stringify({ type: "message", room, data, time: Date.now(), from: { connection } }))
  for (const member of rooms.get(room) ?? []) member.send(frame, { binary: false })
}

server.on("connection", (socket) => {
  const connection = `c${++connections}`
  let joined: Array<string> = []
  const answer = ({ type, id, room, data }: Message): unknown => {
    switch (type) {
      case "echo":
        return { type, id, data }
      case "join_room":
        joined.push(room)
        return { type: "joined", id, room, epoch: "0", seq: 0, members: join(socket, room) }
      case "broadcast":
        publish(room, data, connection)
        return { type: "ack", id, room }
      default:
        return { type: "error", id, code: "unknown_type", message: "no such type", retryable: false }
    }
  }
  socket.on("message", (data: Buffer) => socket.send(JSON.stringify(answer(JSON.parse(data.toString()) as Message))))
  socket.on("error", () => socket.terminate())
  socket.on("close", () => {
    for (const room of joined) {
      const members = rooms.get(room)
      if (members?.delete(socket) === true && members.size === 0) rooms.delete(room)
    }
    joined = []
  })
})
