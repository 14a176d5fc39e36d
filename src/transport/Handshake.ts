/** What a client asks for when it connects, read from its upgrade request. Pure; the sources are in the contract, section 3. */
import { Redacted } from "effect"
import type { AuthError } from "../auth/Auth.ts"
import { decodeFormText, findSession, findToken, MAX_SESSION_LENGTH, MAX_TOKEN_BYTES } from "../auth/TokenSource.ts"
import type { Encoding } from "../wire/Codec.ts"
import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/** Why a connection is refused before the upgrade. Header names are in lower case. */
export interface Refusal {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
  readonly headers: Readonly<Record<string, string>>
}

/** An upgrade request. Header names are in lower case, repeated ones joined as by `addHeader`; `query` is without its `?`. */
export interface HandshakeInput {
  readonly headers: ReadonlyMap<string, string>
  readonly query: string
}

export interface Handshake {
  readonly encoding: Encoding
  /** The client takes several messages in one frame. */
  readonly batch: boolean
  /** What the answer's `Sec-WebSocket-Protocol` must be. Undefined: the header must be absent. */
  readonly subprotocol: string | undefined
  readonly token: Redacted.Redacted<string> | undefined
  /** The session to take up again, as the client gives it. */
  readonly session: string | undefined
}

export type Negotiation = { readonly ok: Handshake } | { readonly refuse: Refusal }

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ["weft.v1.json", "json"],
  ["weft.v1.msgpack", "msgpack"]
])
const BATCH = "weft.batch"

const WEBSOCKET_VERSION = "13"

const refuse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): { readonly refuse: Refusal } => ({
  refuse: { status, code: "invalid_message", message, headers }
})

/** Elements of a comma-separated header (RFC 9110 section 5.6.1). */
const elements = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "")
    .split(",")
    .map((element) => element.trim())
    .filter((element) => element !== "")

const names = (header: string | undefined, token: string): boolean => elements(header).some((element) => element.toLowerCase() === token)

/** The parameters of a form-encoded query, the first of each name; undefined if an escape is malformed. */
const parseQuery = (query: string): ReadonlyMap<string, string> | undefined => {
  const parameters = new Map<string, string>()
  for (const pair of query.split("&")) {
    const split = pair.indexOf("=")
    const name = decodeFormText(split === -1 ? pair : pair.slice(0, split))
    const value = split === -1 ? "" : decodeFormText(pair.slice(split + 1))
    if (name === undefined || value === undefined) return undefined
    if (!parameters.has(name)) parameters.set(name, value)
  }
  return parameters
}

/** RFC 6455 section 4.2.1: what is missing in a GET request to make it a WebSocket handshake. */
export const protocolProblem = (headers: ReadonlyMap<string, string>): { readonly refuse: Refusal } | undefined => {
  if (!names(headers.get("upgrade"), "websocket") || !names(headers.get("connection"), "upgrade"))
    return refuse(426, "this address takes WebSocket connections: the headers Upgrade: websocket and Connection: Upgrade are missing", {
      upgrade: "websocket",
      connection: "Upgrade"
    })
  if (headers.get("sec-websocket-version")?.trim() !== WEBSOCKET_VERSION)
    return refuse(426, `the WebSocket version must be ${WEBSOCKET_VERSION}`, { "sec-websocket-version": WEBSOCKET_VERSION })
  // 16 bytes in base64.
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key")?.trim() ?? ""))
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64")
  return undefined
}

const tokenProblem = (token: string): string | undefined => {
  if (token.length > MAX_TOKEN_BYTES || Buffer.byteLength(token) > MAX_TOKEN_BYTES) return `a token has at most ${MAX_TOKEN_BYTES} bytes`
  // A "+" that a query did not escape arrives as a space.
  return /[\s\p{Cc}]/u.test(token) ? "a token must not hold spaces or control characters (in a query, + is written %2B)" : undefined
}

const sessionProblem = (session: string): string | undefined =>
  session.length > MAX_SESSION_LENGTH ? `a session has at most ${MAX_SESSION_LENGTH} characters` : undefined

/** What a client shows of itself. */
export interface Credentials {
  readonly token: Redacted.Redacted<string> | undefined
  /** The session to take up again, as the client gives it. */
  readonly session: string | undefined
  readonly query: ReadonlyMap<string, string>
  readonly subprotocols: ReadonlyArray<string>
}

/** Reads token and session of a request, or says that they are malformed (400). */
export const readCredentials = ({ headers, query }: HandshakeInput): Credentials | { readonly refuse: Refusal } => {
  const parameters = parseQuery(query)
  if (parameters === undefined) return refuse(400, "the query holds a malformed escape")
  const subprotocols = elements(headers.get("sec-websocket-protocol"))
  const token = findToken({ authorization: headers.get("authorization"), subprotocols, query: parameters })
  const session = findSession({ subprotocols, query: parameters })
  const problem = (token === undefined ? undefined : tokenProblem(token)) ?? (session === undefined ? undefined : sessionProblem(session))
  if (problem !== undefined) return refuse(400, problem)
  return { token: token === undefined ? undefined : Redacted.make(token), session, query: parameters, subprotocols }
}

/** The client's first subprotocol that names an encoding; without one `?format=`; else JSON. Undefined: an unknown format. */
const chooseEncoding = (
  subprotocols: ReadonlyArray<string>,
  format: string | undefined
): { readonly encoding: Encoding; readonly subprotocol: string | undefined } | undefined => {
  const subprotocol = subprotocols.find((name) => encodings.has(name))
  if (subprotocol !== undefined) return { encoding: encodings.get(subprotocol) ?? "json", subprotocol }
  if (format === undefined || format === "") return { encoding: "json", subprotocol: undefined }
  return format === "json" || format === "msgpack" ? { encoding: format, subprotocol: undefined } : undefined
}

const asksForBatch = (subprotocols: ReadonlyArray<string>, parameter: string | undefined): boolean =>
  subprotocols.includes(BATCH) || parameter === "1" || parameter === "true"

/**
 * Reads a handshake, or says why it is refused: 426 for what is no WebSocket handshake of version 13, 400 for one that is
 * malformed.
 *
 * The subprotocol that is answered is the client's first `weft.v1.*`, and never one that carries a token or session.
 * Browsers fail a connection for which they offered subprotocols and none was answered: a browser that sends its token as
 * a subprotocol must therefore offer `weft.v1.json` or `weft.v1.msgpack` beside it. Unknown subprotocols are ignored.
 */
export const negotiate = ({ headers, query }: HandshakeInput): Negotiation => {
  const problem = protocolProblem(headers)
  if (problem !== undefined) return problem
  const credentials = readCredentials({ headers, query })
  if ("refuse" in credentials) return credentials
  const { query: parameters, session, subprotocols, token } = credentials
  const chosen = chooseEncoding(subprotocols, parameters.get("format"))
  if (chosen === undefined) return refuse(400, "format must be json or msgpack")
  return { ok: { ...chosen, batch: asksForBatch(subprotocols, parameters.get("batch")), token, session } }
}

/** Seconds after which a client may ask again whether authentication works. */
const RETRY_SECONDS = 5

/** How a connection is refused that authentication did not let in: 401, 403, or 503 when nobody could tell. */
export const authRefusal = (error: AuthError): Refusal => ({
  status: errorCodes[error.code].status,
  code: error.code,
  message: error.message,
  // RFC 9110 section 15.5.2 asks for a challenge with every 401.
  headers:
    error.code === "unauthorized"
      ? { "www-authenticate": "Bearer" }
      : error.code === "unavailable"
        ? { "retry-after": String(RETRY_SECONDS) }
        : {}
})

/**
 * Adds a header line to those of the same name, in the order of arrival. Lists are joined as RFC 9110 section 5.2 says, so
 * that what a proxy appended as a line of its own still comes last; a header that may stand only once becomes invalid.
 */
export const addHeader = (headers: Map<string, string>, name: string, value: string): void => {
  const before = headers.get(name)
  headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`)
}
