/** Which headers go on to a backend, and which come back to the client. Pure; used by HTTP and by WebSocket dials. */
import { isTokenSubprotocol } from "../auth/TokenSource.ts"
import { type Sender, setForwarding } from "./ForwardedFor.ts"
import { forwardedQuery, reservedParameter } from "./ForwardQuery.ts"
import { isTraceParent, newTraceParent } from "./TraceParent.ts"

/** What a route says about headers. */
export interface HeaderSettings {
  readonly request_headers: HeaderChanges
  readonly response_headers: HeaderChanges
  /** Header and query parameter that carry the user; empty: not passed that way. */
  readonly auth: { readonly header: string; readonly query: string }
}

/** `add` sets a header, whatever the other side said under that name. */
export interface HeaderChanges {
  readonly add: Readonly<Record<string, string>>
  readonly remove: ReadonlyArray<string>
}

/** A route's settings in the form that is asked per request. */
export interface HeaderRules {
  readonly userHeader: string
  readonly userParameter: string
  readonly reservedParameter: string | undefined
  /** Names in the form of `plainName` that the client cannot set. */
  readonly reserved: ReadonlySet<string>
  readonly request: Changes
  readonly response: Changes
}

interface Changes {
  readonly add: ReadonlyArray<readonly [string, string]>
  readonly remove: ReadonlySet<string>
}

/**
 * Names are compared as CGI and its heirs (WSGI, Rack, PHP) read them: in lower case, and every character that is no letter
 * or digit a hyphen, for `X_User_Id` and `X-User-Id` are one variable there.
 */
export const plainName = (name: string): string => (/^[a-z0-9-]*$/.test(name) ? name : name.toLowerCase().replace(/[^a-z0-9]/g, "-"))

/** Names that concern one connection only (RFC 9110, section 7.6.1), and the credentials for proxies. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** Whether a header belongs to the connection or frames its messages: a route can neither add nor remove it. */
export const isConnectionHeader = (name: string): boolean => {
  const plain = plainName(name)
  return hopByHop.has(plain) || plain === "content-length" || plain === "expect"
}

/** What this server answers for itself, or says in the client's place. */
const ownRequestNames = [
  "expect",
  "forwarded",
  "host",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-request-id"
]

/** The dialler of a WebSocket says these itself. */
const dialled: ReadonlySet<string> = new Set([
  "content-length",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-version"
])

const ownPrefix = "x-weft-"

const changes = ({ add, remove }: HeaderChanges): Changes => ({
  add: Object.entries(add)
    .filter(([name]) => !isConnectionHeader(name))
    .map(([name, value]) => [name.toLowerCase(), value] as const),
  remove: new Set(remove.map(plainName).filter((name) => !isConnectionHeader(name)))
})

/** Prepares a route's settings. Names that `isConnectionHeader` tells are left out. */
export const headerRules = ({ auth, request_headers, response_headers }: HeaderSettings): HeaderRules => ({
  userHeader: auth.header.toLowerCase(),
  userParameter: auth.query,
  reservedParameter: reservedParameter(auth.query),
  reserved: new Set([
    ...hopByHop,
    ...ownRequestNames,
    ...(auth.header === "" ? [] : [plainName(auth.header)]),
    ...changes(request_headers).add.map(([name]) => plainName(name))
  ]),
  request: changes(request_headers),
  response: changes(response_headers)
})

/** Names in a `Connection` header: they stop here too. */
const namedIn = (connection: string | undefined): ReadonlySet<string> | undefined => {
  if (connection === undefined || /^(?:close|keep-alive|upgrade)$/i.test(connection)) return undefined
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()))
}

/** What RFC 8187 calls an extended value, for a user that a plain field value would not carry unchanged. */
const extended = (user: string): string => `UTF-8''${encodeURIComponent(user.toWellFormed())}`

/**
 * The user as a field value: as it is, in UTF-8, one character per byte. Names with white space at an end or control
 * characters in them, and those that look like the extended form, get the extended form: no two users look the same.
 */
export const userValue = (user: string): string => {
  // oxlint-disable-next-line no-control-regex
  if (/^\s|\s$|^$|[\u0000-\u001f\u007f-\u009f]|^utf-8''/i.test(user) || !user.isWellFormed()) return extended(user)
  return /^[\x20-\x7e]*$/.test(user) ? user : Buffer.from(user, "utf8").toString("latin1")
}

/** The subprotocols that a client offers, less those that carry this server's token. Undefined: none is left. */
const offeredSubprotocols = (header: string, withoutToken: boolean): string | undefined => {
  const offered = header
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !(withoutToken && isTokenSubprotocol(name)))
  return offered.length === 0 ? undefined : offered.join(", ")
}

/** One request as it arrived. Names of headers are in lower case, each name once; values have one character per byte. */
export interface ArrivedRequest extends Sender {
  readonly headers: Iterable<readonly [name: string, value: string]>
  /** Without its `?`. */
  readonly query: string
  /** What this request is called in logs, here and behind. */
  readonly requestId: string
  /** The user that authentication found; never anything that the client says by itself. */
  readonly user: string | undefined
  /** The request was authenticated here: the token was for this server and does not go on. */
  readonly withoutToken: boolean
  /** For the dial of a WebSocket: `Sec-WebSocket-*` but the subprotocols stay behind. */
  readonly websocket: boolean
  /** What this server says beside: `X-Weft-*`. Set last. */
  readonly extra?: Iterable<readonly [name: string, value: string]>
}

/** What goes on. Names are in lower case; the values are sane as far as those that arrived were. */
export interface ForwardedRequest {
  readonly headers: Map<string, string>
  readonly query: string
}

/**
 * The headers and the query for a backend.
 *
 * Hop-by-hop headers and all that `Connection` names stop. `Host` stays the client's. The user's header and parameter come
 * from authentication or are absent, however the client spelled them; so are `X-Weft-*`. From a peer that is no trusted
 * proxy, all `X-Forwarded-*`, `Forwarded` and `X-Real-IP` stop. `traceparent` goes on if it is valid, else it is made, and
 * `tracestate` goes with it. Then the route's own removals and additions apply, to everything but what `isConnectionHeader`
 * tells and the user's header.
 */
export const forwardRequest = (rules: HeaderRules, request: ArrivedRequest): ForwardedRequest => {
  const { trusted, user, websocket, withoutToken } = request
  const headers = new Map<string, string>()
  const arrived = request.headers instanceof Map ? (request.headers as ReadonlyMap<string, string>) : new Map(request.headers)
  const named = namedIn(arrived.get("connection"))
  for (const [name, value] of arrived) {
    const plain = plainName(name)
    if (rules.reserved.has(plain) || rules.request.remove.has(plain) || plain.startsWith(ownPrefix)) continue
    if (named?.has(name) === true || (plain !== name && plain === "content-length")) continue
    if (!trusted && (plain.startsWith("x-forwarded") || plain === "x-real-ip")) continue
    if (websocket && dialled.has(plain)) continue
    headers.set(name, value)
  }
  if (withoutToken && /^bearer(?:\s|$)/i.test(headers.get("authorization")?.trim() ?? "")) headers.delete("authorization")
  const offer = headers.get("sec-websocket-protocol")
  if (offer !== undefined) {
    const offered = offeredSubprotocols(offer, withoutToken)
    if (offered === undefined) headers.delete("sec-websocket-protocol")
    else headers.set("sec-websocket-protocol", offered)
  }
  const host = arrived.get("host")
  if (host !== undefined) headers.set("host", host)
  setForwarding(headers, request, {
    host,
    forwardedFor: arrived.get("x-forwarded-for"),
    forwarded: arrived.get("forwarded"),
    forwardedHost: arrived.get("x-forwarded-host"),
    forwardedPort: arrived.get("x-forwarded-port")
  })
  headers.set("x-request-id", request.requestId)
  if (!isTraceParent(headers.get("traceparent") ?? "")) {
    headers.set("traceparent", newTraceParent())
    headers.delete("tracestate")
  }
  for (const name of rules.request.remove) headers.delete(name)
  for (const [name, value] of rules.request.add) headers.set(name, value)
  if (rules.userHeader !== "") {
    headers.delete(rules.userHeader)
    if (user !== undefined) headers.set(rules.userHeader, userValue(user))
  }
  if (request.extra !== undefined) for (const [name, value] of request.extra) headers.set(name.toLowerCase(), value)
  const query = forwardedQuery(request.query, { parameter: rules.userParameter, reserved: rules.reservedParameter, user, withoutToken })
  return { headers, query }
}

/**
 * Headers of an answer that is this server's own, on a route: with those that the route adds, in place of its own of the same
 * name, but for the type of what it says. Names are in lower case.
 */
export const ownHeaders = ({ response }: HeaderRules, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  response.add.length === 0 ? headers : { ...headers, ...Object.fromEntries(response.add.filter(([name]) => name !== "content-type")) }

/** Header lines in order; a name may come more than once, as `Set-Cookie` does. */
export type HeaderLines = ReadonlyArray<readonly [name: string, value: string]>

/**
 * A backend's header lines as the client gets them: without what concerns the connection to the backend, with the route's
 * changes and the cookie that sticks the client to its backend. Every `Set-Cookie` stays a line of its own.
 */
export const forwardResponse = (
  rules: HeaderRules,
  lines: HeaderLines,
  setCookie: string | undefined
): Array<readonly [string, string]> => {
  let named: ReadonlySet<string> | undefined
  for (const [name, value] of lines) if (name.toLowerCase() === "connection") named = new Set([...(named ?? []), ...(namedIn(value) ?? [])])
  const { add, remove } = rules.response
  const out: Array<readonly [string, string]> = []
  for (const [given, value] of lines) {
    const name = given.toLowerCase()
    if (hopByHop.has(name) || remove.has(plainName(name)) || named?.has(name) === true) continue
    if (name !== "set-cookie" && add.some(([added]) => added === name)) continue
    out.push([name, value])
  }
  out.push(...add)
  if (setCookie !== undefined) out.push(["set-cookie", setCookie])
  return out
}
