/** From an address to an open WebSocket. */
import type { IncomingMessage } from "node:http"
import { Effect } from "effect"
import type WebSocket from "ws"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import { type BackendFailure, failureOf } from "../BackendFailure.ts"
import type { Backend, DialFailure } from "./Backend.ts"
import { makeMaskKeys } from "./maskKeys.ts"
import { BackendSocket, WsBackend } from "./WsBackend.ts"

export interface DialRequest {
  /** Scheme, host and port of the backend: http, https, ws or wss. */
  readonly url: URL
  /** Path and query, sent as they are. */
  readonly path: string
  /** Names in lower case, one character per byte. The offered subprotocols are among them. */
  readonly headers: ReadonlyMap<string, string>
  /** Milliseconds for the connection and the handshake, all in all. */
  readonly timeout: number
  /** Bytes of the largest message that is taken from the backend. */
  readonly maxMessage: number
}

export interface Dialled {
  readonly backend: Backend
  /** Header lines of the backend's answer, in order. */
  readonly headers: ReadonlyArray<readonly [string, string]>
}

/** Bytes of a refusal that are passed on. */
const maxRefusal = 65_536

/** How long a backend may take to answer a close frame, in milliseconds. */
const closeTimeout = 5_000

const generateMask = makeMaskKeys()

const headerLines = ({ rawHeaders }: IncomingMessage): ReadonlyArray<readonly [string, string]> => {
  const lines: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i]?.toLowerCase() ?? "", rawHeaders[i + 1] ?? ""])
  return lines
}

const failed = (failure: BackendFailure): DialFailure => ({ outcome: "failed", failure })

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

/** Between handshake and `start`: the end that follows is seen there. */
const ignore = (): void => undefined

/**
 * Opens a WebSocket to a backend: the subprotocols are the client's business and the backend's, redirects are refusals, and
 * nothing is compressed. Fails with what the backend said instead, or with what went wrong. An interruption leaves nothing
 * open.
 */
export const dial = (request: DialRequest, turnEnd: TurnEnd): Effect.Effect<Dialled, DialFailure> =>
  Effect.callback<Dialled, DialFailure>((resume) => {
    const { headers, maxMessage, path, url } = request
    let protocol = ""
    let answer: IncomingMessage | undefined
    // The library's types do not know all of its options.
    const options: WebSocket.ClientOptions & { readonly closeTimeout: number } = {
      headers: Object.fromEntries(headers),
      perMessageDeflate: false,
      maxPayload: maxMessage,
      closeTimeout,
      generateMask,
      // The library parses its address as a URL, which would change a path.
      finishRequest: (upgrade) => {
        upgrade.path = path
        upgrade.end()
      }
    }
    let ws: BackendSocket
    try {
      ws = new BackendSocket(`${url.protocol.replace("http", "ws")}//${url.host}`, [], options)
    } catch {
      // Of all that it is given, only the headers come from outside.
      return resume(Effect.fail({ outcome: "unsendable" }))
    }
    ws.on("upgrade", (response) => {
      answer = response
      protocol = response.headers["sec-websocket-protocol"] ?? ""
      // The library would refuse an answer without a subprotocol, which is the client's to judge.
      delete response.headers["sec-websocket-protocol"]
    })
    ws.on("unexpected-response", (_, response) => readRefusal(response, (refusal) => resume(Effect.fail(refusal))))
    // Stays: an aborted handshake reports an error too.
    ws.on("error", (error) => resume(Effect.fail(failed(failureOf(error)))))
    ws.on("open", () => {
      ws.pause()
      if (answer === undefined || (protocol !== "" && !offers(headers, protocol))) {
        ws.terminate()
        resume(Effect.fail(failed({ type: "protocol", message: "the backend chose a subprotocol that was not offered" })))
        return
      }
      // The handshake's listeners would keep its request, its answer and its fiber for as long as the connection lasts.
      ws.removeAllListeners()
      ws.on("error", ignore)
      resume(Effect.succeed({ backend: new WsBackend(ws, answer.socket, protocol, turnEnd), headers: headerLines(answer) }))
    })
    return Effect.sync(() => ws.terminate())
  }).pipe(
    Effect.timeoutOrElse({
      duration: request.timeout,
      orElse: () => Effect.fail(failed({ type: "timeout", message: "the handshake was not answered in time" }))
    })
  )
