/** A Socket.IO server without an adapter: it knows its own sessions and nobody else's. Argument: its name. */
import { createServer } from "node:http"
import { Server } from "socket.io"

const [, , name, port = "0"] = process.argv
const http = createServer()
const io = new Server(http, { pingInterval: 2_000, pingTimeout: 2_000 })

io.on("connection", (socket) => {
  socket.emit("hello", name)
  socket.on("enter", (room, done) => {
    void socket.join(room)
    done(name)
  })
  socket.on("say", (room, text) => io.to(room).emit("said", text, name))
  socket.on("which", (done) => done(name, socket.conn.transport.name))
})
// A request of a session that began elsewhere.
io.engine.on("connection_error", ({ code, message }) => console.log(`stranger ${code} ${message}`))

http.listen(Number(port), "127.0.0.1", () => {
  const address = http.address()
  console.log(`listening on ${typeof address === "string" ? address : address?.port}`)
})
