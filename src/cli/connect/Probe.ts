/**
 * Why a WebSocket did not come about. The WebSocket of Node and browsers tells nothing of a refused upgrade, so the
 * same request is made once more as plain HTTP and its answer read.
 */
import { randomBytes } from "node:crypto"
import { type ClientRequest, type IncomingMessage, request as httpRequest, STATUS_CODES } from "node:http"
import { request as httpsRequest } from "node:https"
import type { Handshake } from "../../client/Handshake.ts"
import { harmless } from "./Style.ts"

export interface Refusal {
  /** One line for a person. */
  readonly text: string
  /** Whether the same attempt can succeed later. */
  readonly retryable: boolean
}

/** Bodies are read up to this many bytes. */
const bodyLimit = 65_536

const systemErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name of the host can not be resolved now",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network can not be reached",
  ETIMEDOUT: "no answer in time"
}

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

const unreachable = (error: Error): Refusal => {
  const code = codeOf(error)
  return { text: systemErrors[code] ?? harmless(error.message || code), retryable: true }
}

const field = (body: unknown, name: "code" | "message"): string | undefined => {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === "string" ? harmless(value) : undefined
}

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const refused = (response: IncomingMessage, text: string): Refusal => {
  const status = response.statusCode ?? 0
  const body = parse(text)
  const code = field(body, "code")
  const says = code === undefined ? (STATUS_CODES[status] ?? "") : `${code}: ${field(body, "message") ?? ""}`
  const retryAfter = response.headers["retry-after"]
  const later = retryAfter === undefined ? "" : ` (retry after ${harmless(retryAfter)} s)`
  return { text: `HTTP ${status} ${says}${later}`.trimEnd(), retryable: status === 429 || status >= 500 }
}

const readBody = (response: IncomingMessage, done: (text: string) => void): void => {
  const chunks: Array<Buffer> = []
  let size = 0
  response.on("data", (chunk: Buffer) => {
    size += chunk.length
    if (size > bodyLimit) return response.destroy()
    chunks.push(chunk)
  })
  response.once("close", () => done(Buffer.concat(chunks).toString("utf8")))
}

/** Asks for the upgrade that `handshake` describes and tells why it is refused. Takes at most `limit` milliseconds. */
export const probe = ({ url, protocols }: Handshake, limit = 5_000): Promise<Refusal> =>
  new Promise((resolve) => {
    const target = new URL(url)
    const secure = target.protocol === "wss:"
    target.protocol = secure ? "https:" : "http:"
    const request: ClientRequest = (secure ? httpsRequest : httpRequest)(target, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
        "sec-websocket-protocol": protocols.join(", ")
      },
      timeout: limit
    })
    request.once("upgrade", (_, socket) => {
      socket.destroy()
      resolve({ text: "the connection failed, though the server accepts a new one", retryable: true })
    })
    request.once("response", (response) => readBody(response, (text) => resolve(refused(response, text))))
    request.once("timeout", () => request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })))
    request.on("error", (error) => resolve(unreachable(error)))
    request.end()
  })
