/** What a single value of a gateway route must look like. Each rule says what is wrong, or undefined. */
import { isIPv6 } from "node:net"
import { isConnectionHeader, plainName } from "../gateway/ForwardHeaders.ts"

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** A segment that a backend may resolve, as it is written or after a path parameter (`..;x`). */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}(?:;|%3b|$)/i

/**
 * The path of a route: "/exact", or "/prefix/*" for everything below. What could never match, because requests of that
 * shape are refused, is a mistake here: dot segments, doubled and encoded slashes.
 */
export const routePathRule = (path: string): string | undefined => {
  const bare = path.replace(/\/\*$/, "/")
  if (!path.startsWith("/")) return `${quote(path)} is not a path: it must begin with "/"`
  if (bare.includes("*")) return `${quote(path)} has "*" elsewhere than at the end, after "/"`
  if (!/^(?:[A-Za-z0-9._~!$&'()+,;=:@/-]|%[0-9a-f]{2})+$/i.test(bare))
    return `${quote(path)} is not a path: characters other than letters, digits and those of -._~!$&'()+,;=:@/ are written as %XX`
  if (bare.includes("//")) return `${quote(path)} has two slashes in a row`
  if (/%(?:2f|5c|00)/i.test(bare)) return `${quote(path)} has an encoded slash, backslash or zero`
  return bare.split("/").some((segment) => DOT_SEGMENT.test(segment)) ? `${quote(path)} has a dot segment` : undefined
}

const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i

/** A host name or address without a port; `*.` before a name stands for every name below it. */
export const routeHostRule = (host: string): string | undefined =>
  host.length <= 253 && (HOST.test(host) || (/^\[.*\]$/.test(host) && isIPv6(host.slice(1, -1))))
    ? undefined
    : `${quote(host)} is not a host, such as "chat.example.com" or "*.example.com": no port, other letters than a to z in their ASCII form (xn--)`

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "ws:", "wss:"])

/** The address of a backend. The text of a mistake does not repeat it. */
export const targetRule = (text: string): string | undefined => {
  const url = /[\s\u0000-\u001f\\]/.test(text) ? null : URL.parse(text)
  if (url === null || !SCHEMES.has(url.protocol) || url.port === "0") return "is not an http, https, ws or wss URL"
  if (url.username !== "" || url.password !== "") return "must not hold a user or password; request_headers.add can set Authorization"
  return text.includes("?") || text.includes("#") ? "must not hold a query or fragment" : undefined
}

/** A backend's address in the one form that names it everywhere: no default port, no slash at the end. */
export const normaliseTarget = (text: string): string => new URL(text).href.replace(/\/+$/, "")

/** What a normal form leads to: ws and http are two names for the same way to a backend, and so are wss and https. */
export const targetAddress = (url: string): string => url.replace(/^ws/, "http")

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** A header name (RFC 9110, section 5.6.2) that a route may add, remove or use for the user. */
export const headerNameRule = (name: string): string | undefined => {
  // `__proto__` is a token, but no table can hold it as a key.
  if (!TOKEN.test(name) || name === "__proto__") return `${quote(name)} is not a header name`
  return isConnectionHeader(name) || plainName(name).startsWith("sec-websocket-")
    ? `${quote(name)} is between Weft and its neighbours, a route has no say in it`
    : undefined
}

/** As `headerNameRule`, for what goes to a backend. */
export const requestHeaderRule = (name: string): string | undefined =>
  plainName(name).startsWith("x-weft-") ? `${quote(name)} begins with X-Weft-, which is for what Weft itself says` : headerNameRule(name)

/** What Weft itself tells a backend of the request, beside `X-Forwarded-*`. */
const TOLD: ReadonlySet<string> = new Set(["host", "forwarded", "x-request-id", "traceparent", "tracestate"])

/** The header for the user: no other thing's. */
export const userHeaderRule = (name: string): string | undefined =>
  TOLD.has(plainName(name)) || plainName(name).startsWith("x-forwarded-")
    ? `${quote(name)} is for something else than the user`
    : requestHeaderRule(name)

/** What a header may hold. The text of a mistake does not repeat it. */
export const headerValueRule = (value: string): string | undefined =>
  /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) ? undefined : "may hold printable ASCII only, without blanks around it"

/** A name that needs no escape in a query. */
export const queryNameRule = (name: string): string | undefined =>
  /^[A-Za-z0-9._~-]+$/.test(name) ? undefined : `${quote(name)} may hold letters, digits, "-", ".", "_" and "~" only`

/** The name of a cookie (RFC 6265, section 4.1.1). */
export const cookieNameRule = (name: string): string | undefined => (TOKEN.test(name) ? undefined : `${quote(name)} is not a cookie name`)

/** By what a client sticks: the name of the header or of the query parameter must be one. */
export const stickyByRule = (by: string): string | undefined => {
  const name = by.slice(by.indexOf(":") + 1)
  if (by.startsWith("header:")) return TOKEN.test(name) ? undefined : `${quote(name)} is not a header name`
  return by.startsWith("query:") ? queryNameRule(name) : undefined
}

/** A path with or without a query, as a request line has it. */
export const probePathRule = (path: string): string | undefined =>
  /^\/[\x21\x22\x24-\x7e]*$/.test(path)
    ? undefined
    : `${quote(path)} is not a path: it must begin with "/" and hold printable ASCII without blanks and "#" only`

/** The name of a route, in log lines, labels of metrics and addresses of the API. */
export const routeNameRule = (name: string): string | undefined =>
  name.length <= 200 && /^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u.test(name)
    ? undefined
    : `${quote(name)} may hold 200 printable characters at most, without blanks around them`

/** Statuses from the first to the last, both included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** Reads "200-399", "200,204" or both mixed; undefined for what is not of this form or no HTTP status. */
export const parseStatuses = (text: string): ReadonlyArray<StatusRange> | undefined => {
  const ranges: Array<StatusRange> = []
  for (const part of text.split(",")) {
    const match = /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(part)
    if (match === null) return undefined
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    if (from > to) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

export const statusesRule = (text: string): string | undefined =>
  parseStatuses(text) === undefined ? `${quote(text)} is no list of statuses, such as "200-399" or "200,204"` : undefined
