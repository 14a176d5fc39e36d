/** Backends that know no manners: TCP, and what a test does with each connection. */
import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import type { AddressInfo } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { certificate, privateKey } from "../../config/pem.ts"
import { atEndOfTest } from "../../hub/support.ts"
import { acceptOf } from "./raw.ts"

const listen = async (server: Server, scheme: string): Promise<string> => {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEndOfTest(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const tcpBackend = (onConnection: (socket: Socket) => void): Promise<string> => listen(createTcpServer(onConnection), "http")

/** Speaks TLS with a certificate that nobody has signed but itself. */
export const selfSignedBackend = (): Promise<string> =>
  listen(
    createTlsServer({ cert: certificate, key: privateKey }, (socket) => void socket.on("error", () => undefined)),
    "https"
  )

/** Answers each request as soon as its head is there. `accept` is the proper `Sec-WebSocket-Accept`. */
export const answeringBackend = (answer: (socket: Socket, accept: string) => void): Promise<string> =>
  tcpBackend((socket) => {
    let head = ""
    socket.on("data", (chunk) => {
      const before = head.includes("\r\n\r\n")
      head += chunk.toString("latin1")
      if (before || !head.includes("\r\n\r\n")) return
      answer(socket, acceptOf(/sec-websocket-key: (.*)\r\n/i.exec(head)?.[1] ?? ""))
    })
  })

/** The head of a proper answer. */
export const upgraded = (accept: string, lines = ""): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${lines}\r\n`
