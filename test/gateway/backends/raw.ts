/** A backend that accepts WebSockets and leaves everything after the handshake to the test. */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { atEndOfTest } from "../../hub/support.ts"
import { eventually } from "../../support/eventually.ts"
import { RawPeer } from "../rawClient.ts"

export interface RawLink {
  readonly peer: RawPeer
  readonly socket: Socket
  readonly request: IncomingMessage
}

export interface RawBackend {
  readonly url: string
  readonly links: ReadonlyArray<RawLink>
  /** The link number `index`, once it is there. */
  readonly link: (index: number) => Promise<RawLink>
}

export const acceptOf = (key: string): string => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

export interface RawBackendOptions {
  /** Header lines of the answer beside those of the handshake, each with its line break. One character per byte. */
  readonly lines?: string
  /** Bytes right behind the handshake, in the same write. */
  readonly first?: Uint8Array
  readonly onLink?: (link: RawLink) => void
}

export const rawBackend = async ({ first, lines = "", onLink }: RawBackendOptions = {}): Promise<RawBackend> => {
  const links: Array<RawLink> = []
  const http = createServer()
  http.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setNoDelay(true)
    const accept = acceptOf(request.headers["sec-websocket-key"] ?? "")
    const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${lines}\r\n`
    const link = { peer: new RawPeer(socket, "server", head), socket, request }
    links.push(link)
    socket.write(Buffer.concat([Buffer.from(answer, "latin1"), first ?? Buffer.alloc(0)]))
    onLink?.(link)
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  atEndOfTest(async () => {
    for (const { socket } of links) socket.destroy()
    http.closeAllConnections()
    await new Promise<void>((resolve) => http.close(() => resolve()))
  })
  const link = (index: number): Promise<RawLink> => eventually(() => links[index], { message: `no link ${index}` })
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, links, link }
}
