/** The opening handshake of a WebSocket, from the side of the client (RFC 6455, section 4.1). */
import { createHash, randomBytes } from "node:crypto"
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { Effect } from "effect"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { DialFailure } from "./Backend.ts"

export interface UpgradeRequest {
  /** Scheme, host and port of the backend: http, https, ws or wss. TLS verifies the certificate. */
  readonly url: URL
  /** Path and query, sent as they are. */
  readonly path: string
  /** Names in lower case, one character per byte. The offered subprotocols are among them. */
  readonly headers: ReadonlyMap<string, string>
  /** Called when the connection stands, for https with TLS. */
  readonly onConnected?: () => void
}

/** A backend that speaks WebSocket from now on. */
export interface Upgraded {
  readonly socket: Socket
  /** The subprotocol that it chose; empty: none. */
  readonly protocol: string
  /** Header lines of its answer, in order. */
  readonly headers: ReadonlyArray<readonly [string, string]>
}

/** Bytes of a refusal that are passed on. */
const maxRefusal = 65_536

/** RFC 6455, section 1.3. */
const acceptOf = (key: string): string => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

const headerLines = ({ rawHeaders }: IncomingMessage): ReadonlyArray<readonly [string, string]> => {
  const lines: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i]?.toLowerCase() ?? "", rawHeaders[i + 1] ?? ""])
  return lines
}

const failed = (failure: BackendFailure): DialFailure => ({ outcome: "failed", failure })
const notWebSocket = (message: string): DialFailure => failed({ type: "protocol", message })

/** Reads what a backend says with its refusal, the beginning of it if that is long. */
const readRefusal = (response: IncomingMessage, done: (refusal: DialFailure) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = (): void => {
    done({ outcome: "refused", status: response.statusCode ?? 502, headers: headerLines(response), body: Buffer.concat(chunks) })
    response.destroy()
  }
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, maxRefusal - size))
    size += chunk.length
    if (size >= maxRefusal) finish()
  })
  response.on("end", finish)
  response.on("error", finish)
}

const offers = (headers: ReadonlyMap<string, string>, protocol: string): boolean =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").some((offered) => offered.trim() === protocol)

/** What is wrong with an answer that says 101. A client may be left without a subprotocol, which is for it to judge. */
const problemOf = ({ headers }: IncomingMessage, key: string, offered: ReadonlyMap<string, string>): string | undefined => {
  if (headers.upgrade?.toLowerCase() !== "websocket") return "Invalid Upgrade header"
  if (headers["sec-websocket-accept"] !== acceptOf(key)) return "Invalid Sec-WebSocket-Accept header"
  if (headers["sec-websocket-extensions"] !== undefined)
    return "Server sent a Sec-WebSocket-Extensions header but no extension was requested"
  const protocol = headers["sec-websocket-protocol"]
  return protocol === undefined || protocol === "" || offers(offered, protocol)
    ? undefined
    : "the backend chose a subprotocol that was not offered"
}

const ignore = (): void => undefined

const connectionTo = (url: URL, secure: boolean, onConnected: (() => void) | undefined): Socket => {
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname
  const port = Number(url.port) || (secure ? 443 : 80)
  const socket = secure ? connectTls({ host, port, servername: isIP(host) === 0 ? host : "" }) : connectTcp({ host, port })
  if (onConnected !== undefined) socket.once(secure ? "secureConnect" : "connect", onConnected)
  return socket
}

/**
 * Asks a backend to speak WebSocket: the subprotocols are the client's business and the backend's, redirects are refusals, and
 * no extensions are offered. Fails with what the backend said instead, or with what went wrong. An interruption leaves nothing
 * open. What the backend said right behind its answer waits in the socket, which ignores its errors: its end tells of them.
 */
export const upgrade = ({ headers, onConnected, path, url }: UpgradeRequest): Effect.Effect<Upgraded, DialFailure> =>
  Effect.callback<Upgraded, DialFailure>((resume) => {
    const secure = url.protocol === "https:" || url.protocol === "wss:"
    const key = randomBytes(16).toString("base64")
    let request: ClientRequest
    try {
      request = (secure ? requestHttps : requestHttp)({
        path,
        headers: {
          ...Object.fromEntries(headers),
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": key,
          Connection: "Upgrade",
          Upgrade: "websocket"
        },
        host: url.hostname,
        port: url.port,
        createConnection: () => connectionTo(url, secure, onConnected)
      })
    } catch {
      // Of all that it is given, only path and headers come from outside.
      return resume(Effect.fail({ outcome: "unsendable" }))
    }
    // Stays: an aborted handshake reports an error too.
    request.on("error", (error) => resume(Effect.fail(failed(failureOf(error)))))
    request.on("response", (response) => {
      // One that says 101 without the headers that belong to it is no answer of HTTP.
      if (response.statusCode !== 101) return readRefusal(response, (refusal) => resume(Effect.fail(refusal)))
      resume(Effect.fail(notWebSocket("Invalid Upgrade header")))
      request.destroy()
    })
    request.on("upgrade", (response, socket: Socket, head) => {
      const problem = problemOf(response, key, headers)
      socket.on("error", ignore)
      if (problem !== undefined) {
        socket.destroy()
        return resume(Effect.fail(notWebSocket(problem)))
      }
      if (head.length > 0) socket.unshift(head)
      socket.setNoDelay(true)
      resume(Effect.succeed({ socket, protocol: response.headers["sec-websocket-protocol"] ?? "", headers: headerLines(response) }))
    })
    request.end()
    return Effect.sync(() => request.destroy())
  })
