import { STATUS_CODES } from "node:http"
import { type Effect, Exit, type Fiber } from "effect"
import type { HttpRequest, HttpResponse, us_socket_context_t } from "uWebSockets.js"
import { addHeader } from "./Handshake.ts"
import { requestIdFrom } from "./RequestId.ts"
import type { Gate, HeaderLines, UpgradeRequest, Verdict } from "./Upgrade.ts"
import type { UwsAnchor } from "./UwsAnchor.ts"
import { corked, headSize } from "./UwsHttpCork.ts"
import { type UserData, UwsSocket } from "./UwsSocket.ts"

/** Header bytes are Latin-1, and may hold no line breaks. */
const headerText = (text: string): string => text.replace(/[^\t\u0020-\u007e\u00a0-\u00ff]/g, "?")

/** Answers an upgrade request with a plain response. The connection is closed: what follows on it was meant for a WebSocket. */
const refuse = (res: HttpResponse, verdict: Extract<Verdict<unknown>, { verdict: "refuse" }>, request: UpgradeRequest): void => {
  const { status, code, message } = verdict
  const headers = { "x-request-id": requestIdFrom(request.headers.get("x-request-id")), ...verdict.headers }
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? "Error"}`)
  res.writeHeader("Content-Type", "application/json")
  for (const [name, value] of Object.entries(headers)) res.writeHeader(name, headerText(value))
  res.end(JSON.stringify({ code, message }), true)
}

/** `uWebSockets.js` writes these itself. */
const ownHeaders: ReadonlySet<string> = new Set([
  "content-length",
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "uwebsockets"
])

/** A value has one character per byte, and a string would be written as UTF-8. */
const writeHeaders = (res: HttpResponse, headers: HeaderLines): void => {
  for (const [name, value] of headers) if (!ownHeaders.has(name)) res.writeHeader(name, Buffer.from(headerText(value), "latin1"))
}

/** Passes on what somebody else has answered. */
const relay = (res: HttpResponse, { status, headers, body }: Extract<Verdict<unknown>, { verdict: "relay" }>): void =>
  corked(res, headSize(headers) + body.length, () => {
    res.writeStatus(`${status} ${STATUS_CODES[status] ?? "Status"}`)
    writeHeaders(res, headers)
    // RFC 9110, section 15.5.22: it must say to what.
    if (status === 426) res.writeHeader("upgrade", "websocket")
    res.end(body, true)
  })

const readRequest = (res: HttpResponse, req: HttpRequest): UpgradeRequest => {
  const headers = new Map<string, string>()
  req.forEach((name, value) => addHeader(headers, name, value))
  // Without a query it is undefined, whatever its declaration says.
  const query: string | undefined = req.getQuery()
  return { path: req.getUrl(), query: query ?? "", headers, peer: Buffer.from(res.getRemoteAddressAsText()).toString() }
}

const failed: Verdict<never> = {
  verdict: "refuse",
  status: 500,
  code: "internal",
  message: "the server failed to decide about this connection"
}

/** Starts an effect of any result, as a fiber of the server. */
export type Fork = <T>(effect: Effect.Effect<T>) => Fiber.Fiber<T>

export interface UpgradeOptions<A, C> {
  readonly gate: Gate<A>
  readonly fork: Fork
  readonly compress: boolean
  readonly onRefused: (status: number) => void
  readonly anchor: UwsAnchor
  /** The socket is open, and corked for the time of this call. */
  readonly onUpgraded: (socket: UwsSocket<A, C>) => void
}

/**
 * Handles one upgrade request: asks the gate, then upgrades or refuses. A verdict that is there at once is carried out
 * at once; else the request waits, and an abort meanwhile gives everything back.
 */
export const handleUpgrade = <A, C>(
  options: UpgradeOptions<A, C>,
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t
): void => {
  const request = readRequest(res, req)
  const key = request.headers.get("sec-websocket-key") ?? ""
  const extensions = request.headers.get("sec-websocket-extensions") ?? ""
  let aborted = false
  let waited = false

  const conclude = (verdict: Verdict<A>): void => {
    if (aborted) {
      if (verdict.verdict === "accept") verdict.release()
      return
    }
    if (verdict.verdict === "refuse" || verdict.verdict === "relay") {
      options.onRefused(verdict.status)
      if (verdict.verdict === "relay") return relay(res, verdict)
      res.cork(() => refuse(res, verdict, request))
      return
    }
    if (verdict.verdict === "pass") {
      req.setYield(true)
      return
    }
    const socket = new UwsSocket<A, C>(verdict.accepted, options.compress)
    const upgrade = (): void => {
      if (verdict.headers !== undefined) {
        // A header that is written first would make it a 200.
        res.writeStatus("101 Switching Protocols")
        writeHeaders(res, verdict.headers)
      }
      res.upgrade<UserData<A, C>>({ socket }, key, verdict.protocol, extensions, context)
    }
    // Under its own cork it could be closed at once: see `UwsAnchor`.
    if (waited) options.anchor.within(() => res.cork(upgrade))
    else res.cork(upgrade)
    if (!socket.cork(() => options.onUpgraded(socket))) verdict.release()
  }

  const fiber = options.fork(options.gate.admit(request))
  const settled = fiber.pollUnsafe()
  if (settled !== undefined) return conclude(Exit.isSuccess(settled) ? settled.value : failed)
  waited = true
  res.onAborted(() => {
    aborted = true
    fiber.interruptUnsafe()
  })
  fiber.addObserver((exit) => conclude(Exit.isSuccess(exit) ? exit.value : failed))
}
