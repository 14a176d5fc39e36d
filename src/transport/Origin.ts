/** Which web pages may connect. Browsers name the page's origin with every WebSocket handshake (RFC 6455 section 10.2). Pure. */

interface ParsedOrigin {
  readonly scheme: string
  readonly host: string
  /** With the scheme's default filled in; empty for a scheme without one. */
  readonly port: string
}

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ["http", "80"],
  ["ws", "80"],
  ["https", "443"],
  ["wss", "443"]
])

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::([0-9]{1,5}))?$/

const parseOrigin = (origin: string): ParsedOrigin | undefined => {
  const match = ORIGIN.exec(origin.toLowerCase())
  if (match === null) return undefined
  const [, scheme = "", host = "", port = defaultPorts.get(scheme) ?? ""] = match
  return { scheme, host, port }
}

/** `host[:port]` of a Host header, as seen from a page with that scheme. */
const parseHost = (host: string, scheme: string): ParsedOrigin | undefined => parseOrigin(`${scheme}://${host}`)

/** Names that only lead to the machine itself (RFC 6761 section 6.3 for names below `localhost`). */
const isLoopbackName = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host)

const matchesHost = (pattern: string, host: string): boolean =>
  pattern.startsWith("*.") ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)) : host === pattern

const isLoopbackPage = (origin: string): boolean => {
  const page = parseOrigin(origin)
  return page !== undefined && isLoopbackName(page.host)
}

export interface OriginRequest {
  /** The `Origin` header. Undefined: the client is no browser. */
  readonly origin: string | undefined
  /** The `Host` header. */
  readonly host: string | undefined
}

const sameHostOrLoopback = ({ host, origin }: OriginRequest): boolean => {
  const page = origin === undefined ? undefined : parseOrigin(origin)
  if (page === undefined || host === undefined) return false
  const self = parseHost(host, page.scheme)
  if (self === undefined) return false
  return (page.host === self.host && page.port === self.port) || (isLoopbackName(page.host) && isLoopbackName(self.host))
}

/**
 * Whether a handshake may come from where it comes. One without `Origin` may: it is not a browser's, and only browsers
 * act on behalf of pages that their user did not choose. Entries are `scheme://host[:port]`, where the host may start with
 * `*.` for every name below a domain (not the domain itself), and `*` for all, also the `null` of sandboxed pages. Without
 * entries a page may connect to the host that it came from, and pages of this machine to this machine. An entry that is
 * none of this matches nothing.
 *
 * The same-host rule trusts the `Host` header, which a page can choose by pointing a name of its own at the server
 * (DNS rebinding). It keeps other sites out of sessions with cookies; it does not replace authentication. Where nothing
 * else stands between a page and a server of this machine, `loopbackOnly` lets in pages of this machine alone.
 */
export const originPolicy = (origins: ReadonlyArray<string>, loopbackOnly = false): ((request: OriginRequest) => boolean) => {
  if (origins.includes("*")) return () => true
  const entries = origins.flatMap((entry) => parseOrigin(entry) ?? [])
  const listed = (page: ParsedOrigin): boolean =>
    entries.some((entry) => entry.scheme === page.scheme && entry.port === page.port && matchesHost(entry.host, page.host))
  return (request) => {
    if (request.origin === undefined) return true
    if (origins.length === 0) return sameHostOrLoopback(request) && (!loopbackOnly || isLoopbackPage(request.origin))
    const page = parseOrigin(request.origin)
    return page !== undefined && listed(page)
  }
}
