/**
 * A backend that notes every message at once in a file, as `link message`, so that nothing it has read is lost when it is killed: `node
 * logging.ts PORT FILE`. SIGTERM is a deployment: it says 1012 to everybody and ends.
 */
import { openSync, writeSync } from "node:fs"
import { WebSocketServer } from "ws"

const [port = "", file = ""] = process.argv.slice(2)
const log = openSync(file, "a")
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port) })
let links = 0

server.on("connection", (ws, { headers }) => {
  const link = `${process.pid}-${++links}-${headers["x-weft-resumed"] ?? "0"}-${String(headers["x-weft-connection"])}`
  ws.on("message", (data: Buffer) => void writeSync(log, `${link} ${data.toString()}\n`))
  ws.on("error", () => undefined)
})
server.on("listening", () => console.log(`listening on ${port}`))

process.on("SIGTERM", () => {
  server.close(() => process.exit(0))
  for (const ws of server.clients) ws.close(1012, "restart")
})
