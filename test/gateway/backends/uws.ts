/**
 * A backend by bare uWebSockets.js, in a process of its own: `node uws.ts`. It prints its port, echoes messages, and closes when
 * it is told `close CODE REASON`. Of the subprotocols that a client offers it takes the last one.
 */
import { App, us_socket_local_port, type WebSocket } from "uWebSockets.js"

const message = (ws: WebSocket<unknown>, data: ArrayBuffer, binary: boolean): void => {
  const [, code, reason] = binary || data.byteLength > 200 ? [] : (/^close (\d+) (.*)$/.exec(Buffer.from(data).toString()) ?? [])
  if (code === undefined) ws.send(data, binary)
  else ws.end(Number(code), reason ?? "")
}

const app = App()
app.ws("/*", {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  upgrade: (res, req, context) => {
    const offered = req.getHeader("sec-websocket-protocol").split(",").at(-1)?.trim() ?? ""
    res.upgrade({}, req.getHeader("sec-websocket-key"), offered, req.getHeader("sec-websocket-extensions"), context)
  },
  message
})
app.listen("127.0.0.1", 0, (socket) => {
  if (socket === false) process.exit(1)
  // Its declaration knows another type of socket than that of `listen`.
  process.stdout.write(`port ${us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0])}\n`)
})
