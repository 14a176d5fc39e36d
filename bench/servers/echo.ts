/**
 * The backend behind the gateways: uWebSockets.js that sends every message back as it came, unread. Beside that it
 * answers plain requests with 200.
 *
 * Settings: no compression, no idle timeout, no pings, backpressure of 16 MiB so that nothing is dropped.
 *
 *     node bench/servers/echo.ts PORT
 */
import { App } from "uWebSockets.js"

App()
  .ws("/*", {
    compression: 0,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 16 * 1024 * 1024,
    maxBackpressure: 16 * 1024 * 1024,
    message: (ws, bytes, binary) => void ws.send(bytes, binary)
  })
  .any("/*", (response) => void response.end("here"))
  .listen("127.0.0.1", Number(process.argv[2]), (listening) => {
    if (listening) return console.log("ready")
    console.error("can not listen")
    process.exit(1)
  })
