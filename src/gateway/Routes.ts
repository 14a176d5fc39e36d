/**
 * Which route of the gateway a request is for. Pure; the table is built once, a match costs a few look-ups.
 *
 * The path is compared as it was sent, case and slash at the end included. But a backend may read more into it than its
 * letters: that decides what happens to escapes and slashes, which go on unchanged.
 * - An escaped octet counts as the character that it stands for (RFC 3986, section 6.2.2.2), except for slash and backslash,
 *   which are part of their segment.
 * - A path with dot segments, as they are or escaped, has no route: it could leave the route's prefix.
 * - A path has no route either when a backend that takes escaped slashes and backslashes for slashes, and slashes in a row
 *   for one, would read it as a path of another route, or of none: that other one may ask for more.
 */
import type { ProxyRoute } from "../config/proxy.ts"

/** What a route is found by. */
export type RoutePlace = Pick<ProxyRoute, "host" | "path">

/** The route of a request. `host` is its Host header, `path` its path as sent, without the query; undefined: none has it. */
export type RouteMatcher<R> = (host: string | undefined, path: string) => R | undefined

const builtIn: ReadonlySet<string> = new Set(["/ws", "/websocket", "/health", "/metrics", "/api", "/admin"])
const builtInPrefixes = ["/api/", "/health/"]

const isBuiltIn = (path: string): boolean => builtIn.has(path) || builtInPrefixes.some((prefix) => path.startsWith(prefix))

const octets = /%([0-9a-f]{2})/gi

/** Escapes decoded, one character for each octet. */
const decoded = (path: string): string => path.replace(octets, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Stands for a slash or backslash that is escaped: no octet decodes to it. */
const ESCAPED_SEPARATOR = "\uffff"

/** A path as its letters say. */
const strictly = (path: string): string => decoded(path.replace(/%(?:2f|5c)/gi, ESCAPED_SEPARATOR))

/** A path as the most lenient of backends reads it. */
const leniently = (path: string): string => decoded(path).replace(/[/\\]+/g, "/")

/** There is more than one way to read a path that holds one of these. */
const ambiguous = /[^!"$&-[\]-~]|\/[./]/

/** What no path may hold as it is (RFC 9112, section 3.2), and the octet at which some stop reading. */
const impossible = /[^!-~]|#|%00/

/** Also before a path parameter: some take `..;x` for `..`. */
const dotSegment = /\/\.\.?(?:[/;]|$)/

/** For the path of a route that could never get a request: the path of this server's own that it is, or lies under. */
export const builtInAt = (routePath: string): string | undefined => {
  const path = strictly(routePath)
  return builtIn.has(path) ? path : builtInPrefixes.find((prefix) => path.startsWith(prefix))
}

const isPrefix = (routePath: string): boolean => routePath.endsWith("/*")

/** The paths of one host. */
interface PathTable<R> {
  readonly exact: Map<string, R>
  /** By what stands before the star; it ends with a slash. */
  readonly prefixes: Map<string, R>
  longestPrefix: number
}

const findPath = <R>(table: PathTable<R>, path: string): R | undefined => {
  const exact = table.exact.get(path)
  if (exact !== undefined) return exact
  // Prefixes end at slashes. Looking no further than the longest of them bounds the work, whatever a client sends.
  let slash = table.longestPrefix === 0 ? -1 : path.lastIndexOf("/", table.longestPrefix - 1)
  while (slash >= 0) {
    const found = table.prefixes.get(path.slice(0, slash + 1))
    if (found !== undefined) return found
    slash = slash === 0 ? -1 : path.lastIndexOf("/", slash - 1)
  }
  return undefined
}

/** A Host header without port, case and the dot that makes a name absolute. */
const hostName = (header: string): string => {
  const end = header.startsWith("[") ? header.indexOf("]") + 1 : header.indexOf(":")
  const name = (end > 0 ? header.slice(0, end) : header).toLowerCase()
  return name.endsWith(".") ? name.slice(0, -1) : name
}

/** Octets of the longest host name (RFC 1035, section 2.3.4). */
const MAX_HOST = 253

/**
 * Where a route stands: two routes with the same key would take the same requests. Built like the path of a request, so
 * that `/%61` and `/a` are one.
 */
export const routeKey = ({ host = "", path }: RoutePlace): string =>
  `${host.toLowerCase()} ${isPrefix(path) ? "below" : "at"} ${strictly(path)}`

/**
 * Builds the matcher. Routes of the request's host come first, then those of `*.` patterns, the longest first, then those
 * for any host. Among the routes of one host an exact path comes before a prefix and a longer prefix before a shorter one.
 * The first of two routes with the same `routeKey` counts. This server's own paths have no route.
 */
export const makeRouteMatcher = <R extends RoutePlace>(routes: ReadonlyArray<R>): RouteMatcher<R> => {
  /** By host, by suffix (`.example.com`), and by "" for any. */
  const tables = new Map<string, PathTable<R>>()
  for (const route of routes) {
    const host = (route.host ?? "").toLowerCase().replace(/^\*/, "")
    const table = tables.get(host) ?? { exact: new Map(), prefixes: new Map(), longestPrefix: 0 }
    tables.set(host, table)
    const path = strictly(route.path)
    if (!isPrefix(route.path)) {
      if (!table.exact.has(path)) table.exact.set(path, route)
      continue
    }
    const prefix = path.slice(0, -1)
    if (!table.prefixes.has(prefix)) table.prefixes.set(prefix, route)
    table.longestPrefix = Math.max(table.longestPrefix, prefix.length)
  }
  const anyHost = tables.get("")
  const byHost = tables.size > (anyHost === undefined ? 0 : 1)

  const find = (host: string, path: string): R | undefined => {
    if (isBuiltIn(path)) return undefined
    for (let suffix = host, dot = 0; suffix !== ""; suffix = dot === -1 ? "" : host.slice(dot)) {
      const table = tables.get(suffix)
      const found = table === undefined ? undefined : findPath(table, path)
      if (found !== undefined) return found
      dot = host.indexOf(".", dot + 1)
    }
    return anyHost === undefined ? undefined : findPath(anyHost, path)
  }

  return (header, path) => {
    const named = byHost && header !== undefined ? hostName(header) : ""
    const host = named.length > MAX_HOST || named.startsWith(".") ? "" : named
    if (!ambiguous.test(path)) return find(host, path)
    if (impossible.test(path)) return undefined
    const lenient = leniently(path)
    if (dotSegment.test(lenient)) return undefined
    const strict = strictly(path)
    const found = find(host, strict)
    return strict === lenient || found === find(host, lenient) ? found : undefined
  }
}

/**
 * The path that the backend sees, for a path that the route was found by. With `strip_prefix` it is cut at the slash before
 * the star, and not decoded. It begins with a slash, perhaps with two: it is to be sent as it is, never resolved as a URL.
 */
export const backendPath = (route: Pick<ProxyRoute, "path" | "strip_prefix">, path: string): string => {
  if (!route.strip_prefix || !isPrefix(route.path)) return path
  let at = -1
  // Slashes are never escaped in a route and count one by one in a request: the last one is found by counting.
  for (let slash = route.path.indexOf("/"); slash !== -1; slash = route.path.indexOf("/", slash + 1)) {
    at = path.indexOf("/", at + 1)
    if (at === -1) return path
  }
  return path.slice(at)
}
