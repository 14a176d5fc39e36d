/**
 * Socket.IO with its rooms: events echo, join and publish, on `ws` or on uWebSockets.js.
 *
 * Settings: WebSocket only (no polling), no compression, nothing served beside, heartbeats as they are (25 s).
 *
 *     node bench/servers/socketio.ts PORT ws|uws MODULE
 */
import { createServer } from "node:http"
import { App } from "uWebSockets.js"

/** As much of Socket.IO's server as is used here; the package itself is no dependency of the project. */
interface Socket {
  on: (event: string, handler: (...args: ReadonlyArray<unknown>) => void) => void
  emit: (event: string, data: unknown) => void
  join: (room: string) => void
  readonly id: string
}
interface Server {
  on: (event: "connection", handler: (socket: Socket) => void) => void
  to: (room: string) => { emit: (event: string, data: unknown) => void }
  attach: (server: ReturnType<typeof createServer>) => void
  attachApp: (app: ReturnType<typeof App>) => void
}

const [port, engine, module = "socket.io"] = process.argv.slice(2)
const { Server } = (await import(module)) as { readonly Server: new (options: unknown) => Server }
const io = new Server({ transports: ["websocket"], serveClient: false, perMessageDeflate: false, httpCompression: false })

io.on("connection", (socket) => {
  socket.on("echo", (data) => socket.emit("echo", data))
  socket.on("join", (room) => {
    socket.join(String(room))
    socket.emit("joined", room)
  })
  socket.on("publish", (room, data) => {
    io.to(String(room)).emit("message", { room, data, time: Date.now(), from: socket.id })
  })
})

if (engine === "uws") {
  const app = App()
  io.attachApp(app)
  app.listen("127.0.0.1", Number(port), () => {})
} else {
  const http = createServer()
  io.attach(http)
  http.listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 })
}
