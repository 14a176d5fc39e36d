/** The opening handshake of a WebSocket, from the side of the client (RFC 6455, section 4.1). */
import { randomBytes } from "node:crypto"
import { type IncomingMessage, request as requestHttp } from "node:http"
import { connect as connectTcp, isIP, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { Effect } from "effect"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { DialFailure } from "./Backend.ts"
import { Replay } from "./Replay.ts"
import { type AnswerLines, answerProblem, readAccepted, upgradeText, valueOf } from "./UpgradeText.ts"

export interface UpgradeRequest {
  /** Scheme, host and port of the backend: http, https, ws or wss. TLS verifies the certificate. */
  readonly url: URL
  /** Path and query, sent as they are. */
  readonly path: string
  /** Names in lower case, one character per byte. The offered subprotocols are among them. */
  readonly headers: ReadonlyMap<string, string>
  /** Milliseconds for the connection and the handshake, all in all; absent: as long as they take. */
  readonly timeout?: number
  /** Bytes that the body of a refusal may have to be told; 0: none is waited for. */
  readonly maxRefusal: number
  /** Called when the connection stands, for https with TLS. */
  readonly onConnected?: () => void
}

/** A backend that speaks WebSocket from now on. */
export interface Upgraded {
  /** Paused, without listeners but one that ignores its errors: its end tells of them. */
  readonly socket: Socket
  /** The subprotocol that it chose; empty: none. */
  readonly protocol: string
  /** Header lines of its answer, in order. */
  readonly headers: AnswerLines
}

const failed = (failure: BackendFailure): DialFailure => ({ outcome: "failed", failure })
const notWebSocket = (message: string): DialFailure => failed({ type: "protocol", message })
const late = failed({ type: "timeout", message: "the handshake was not answered in time" })
const hungUp = failed({ type: "lost", message: "the backend closed the connection" })

const headerLines = ({ rawHeaders }: IncomingMessage): AnswerLines => {
  const lines: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i]?.toLowerCase() ?? "", rawHeaders[i + 1] ?? ""])
  return lines
}

/** Reads what a backend says with its refusal. Half of that is told to nobody: it would look like the whole. */
const readRefusal = (response: IncomingMessage, most: number, fail: (failure: DialFailure) => void): void => {
  const { statusCode: status = 0 } = response
  if (status < 200) return fail(notWebSocket(`it answered with the status ${status}`))
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = (body: Uint8Array | undefined): void => fail({ outcome: "refused", status, headers: headerLines(response), body })
  if (most === 0 || Number(response.headers["content-length"] ?? 0) > most) return finish(undefined)
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > most) finish(undefined)
  })
  response.on("end", () => finish(Buffer.concat(chunks)))
  response.on("error", (error) => {
    const failure = failureOf(error)
    fail(failed(failure.type === "lost" ? { type: "lost", message: "the backend broke off its answer" } : failure))
  })
}

/** Between the handshake and whoever takes the socket over. */
const ignore = (): void => undefined

const connectionTo = (url: URL, onConnected: (() => void) | undefined): Socket => {
  const secure = url.protocol === "https:" || url.protocol === "wss:"
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname
  const port = Number(url.port) || (secure ? 443 : 80)
  const socket = secure ? connectTls({ host, port, servername: isIP(host) === 0 ? host : "" }) : connectTcp({ host, port })
  if (onConnected !== undefined) socket.once(secure ? "secureConnect" : "connect", onConnected)
  return socket
}

interface Waiting {
  readonly accept: (lines: AnswerLines, rest: Buffer) => void
  readonly fail: (failure: DialFailure) => void
}

/** An answer that is not simply a 101, or not simply here: Node's client of HTTP knows what it is. */
const readByNode = (socket: Socket, first: Buffer, maxRefusal: number, { accept, fail }: Waiting): void => {
  const replay = new Replay(socket, first)
  const request = requestHttp({ createConnection: () => replay })
  request.on("error", (error) => fail(failed(failureOf(error))))
  request.on("response", (response) => {
    if (response.statusCode !== 101) readRefusal(response, maxRefusal, fail)
    // For Node it changes to no other protocol, for want of a header.
    else fail(notWebSocket("Invalid Upgrade header"))
  })
  request.on("upgrade", (response, _connection, head) => accept(headerLines(response), Buffer.concat([head, replay.release()])))
  request.end()
}

/**
 * Asks a backend to speak WebSocket: the subprotocols are the client's business and the backend's, redirects are refusals, and
 * no extensions are offered. Fails with what the backend said instead, or with what went wrong. An interruption leaves nothing
 * open. What the backend said right behind its answer is the first that the socket gives.
 *
 * Requests are many when all clients come back at once, and what each of them holds until its answer is here ends up in the
 * old generation of the heap. So neither Node's client of HTTP nor another fiber takes part in one that goes well.
 */
export const upgrade = ({ headers, maxRefusal, onConnected, path, timeout, url }: UpgradeRequest): Effect.Effect<Upgraded, DialFailure> =>
  Effect.callback<Upgraded, DialFailure>((resume) => {
    const key = randomBytes(16).toString("base64")
    const text = upgradeText({ path, host: url.host, headers, key })
    if (text === undefined) return resume(Effect.fail({ outcome: "unsendable" }))
    const socket = connectionTo(url, onConnected)
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
    }
    const fail = (failure: DialFailure): void => {
      end()
      resume(Effect.fail(failure))
    }
    const timer = timeout === undefined ? undefined : setTimeout(() => fail(late), timeout)
    const accept = (lines: AnswerLines, rest: Buffer): void => {
      const problem = answerProblem(lines, key, headers)
      if (problem !== undefined) return fail(notWebSocket(problem))
      clearTimeout(timer)
      if (rest.length > 0) socket.unshift(rest)
      socket.setNoDelay(true)
      resume(Effect.succeed({ socket, protocol: valueOf(lines, "sec-websocket-protocol") ?? "", headers: lines }))
    }
    const onError = (error: Error): void => fail(failed(failureOf(error)))
    const onClose = (): void => fail(hungUp)
    const onData = (chunk: Buffer): void => {
      // They would keep all this for as long as the connection lasts.
      socket.off("error", onError).off("close", onClose).off("data", onData).on("error", ignore).pause()
      const answer = readAccepted(chunk)
      if (answer === undefined) readByNode(socket, chunk, maxRefusal, { accept, fail })
      else accept(answer.lines, chunk.subarray(answer.size))
    }
    socket.on("error", onError).on("close", onClose).on("data", onData)
    socket.write(text, "latin1")
    return Effect.sync(end)
  })
