import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import { atEnd } from "../support/cleanup.ts"

/** A WebSocket server of another make; gives its URL. Gone at the end of the test file. */
export const listen = async (onConnection: (socket: WebSocket) => void): Promise<string> => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  server.on("connection", onConnection)
  atEnd(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
