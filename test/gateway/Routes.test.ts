import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { backendPath, makeRouteMatcher, routeKey, type RoutePlace } from "../../src/gateway/Routes.ts"

/** A route as "path" or "host path". */
const place = (text: string): RoutePlace => {
  const [first = "", second] = text.split(" ")
  return second === undefined ? { path: first } : { host: first, path: second }
}

/** The route, written as it was given, that takes a request. */
const found = (routes: ReadonlyArray<string>, path: string, host?: string): string | undefined =>
  makeRouteMatcher(routes.map((text) => ({ ...place(text), text })))(host, path)?.text

describe("the most specific route takes a request:", () => {
  const routes = ["/*", "/chat/*", "/chat/rooms/*", "/chat/rooms", "/chat/rooms/"]
  test.each([
    ["/chat/rooms", "/chat/rooms"],
    ["/chat/rooms/", "/chat/rooms/"],
    ["/chat/rooms/1", "/chat/rooms/*"],
    ["/chat/roomservice", "/chat/*"],
    ["/chat/", "/chat/*"],
    ["/chat", "/*"],
    ["/chatter", "/*"],
    ["/", "/*"],
    ["/a/very/deep/path", "/*"]
  ])("%s is for %s", (path, route) => {
    expect(found(routes, path)).toBe(route)
    expect(found(routes.toReversed(), path)).toBe(route)
  })

  test("without a route there is none", () => {
    expect(found([], "/")).toBeUndefined()
    expect(found(["/a", "/b/*"], "/")).toBeUndefined()
    expect(found(["/a", "/b/*"], "/b")).toBeUndefined()
    expect(found(["/a", "/b/*"], "/a/")).toBeUndefined()
  })

  test.each(["", "*", "a", "http://h/a", "//", "\\"])("what is no path (%j) has none", (path) => {
    expect(found(["/a", "/b/*", "/a/*"], path)).toBeUndefined()
  })
})

describe("a host", () => {
  const routes = ["/*", "/a", "a.example /*", "*.example /*", "*.b.example /*", "a.example /b/*", "[::1] /*"]
  test.each([
    ["a.example", "/x", "a.example /*"],
    ["a.example", "/b/x", "a.example /b/*"],
    ["A.Example:8080", "/x", "a.example /*"],
    ["a.example.", "/x", "a.example /*"],
    ["a.example.:443", "/x", "a.example /*"],
    // A route of the host comes before a more specific path of any host.
    ["a.example", "/a", "a.example /*"],
    ["c.example", "/a", "*.example /*"],
    ["x.b.example", "/", "*.b.example /*"],
    ["x.y.b.example", "/", "*.b.example /*"],
    ["b.example", "/", "*.example /*"],
    ["example", "/", "/*"],
    ["xa.example.org", "/a", "/a"],
    [".example", "/", "/*"],
    ["[::1]:8080", "/", "[::1] /*"],
    ["[::1]", "/", "[::1] /*"],
    ["", "/a", "/a"]
  ])("%s with %s is for %s", (host, path, route) => {
    expect(found(routes, path, host)).toBe(route)
  })

  test("that is not said has the routes of any host", () => {
    expect(found(routes, "/a")).toBe("/a")
  })

  test("whose routes do not have the path leaves it to less specific ones", () => {
    const routes = ["/*", "*.example /b", "a.example /a"]
    expect(found(routes, "/a", "a.example")).toBe("a.example /a")
    expect(found(routes, "/b", "a.example")).toBe("*.example /b")
    expect(found(routes, "/c", "a.example")).toBe("/*")
  })

  test("is compared without case on the side of the route too", () => {
    expect(found(["A.Example /a"], "/a", "a.eXAMPLE")).toBe("A.Example /a")
  })
})

describe("this server's own paths have no route:", () => {
  test.each(["/ws", "/websocket", "/health", "/health/ready", "/health/x", "/metrics", "/api", "/api/", "/api/v1/rooms", "/admin"])(
    "%s",
    (path) => {
      expect(found(["/*"], path)).toBeUndefined()
    }
  )
  test.each(["/%61dmin", "//admin", "/api%2fv1", "//api/v1", "/metrics%00", "/%77s", "\\ws"])(
    "nor does %s, which may be read as one",
    (path) => {
      expect(found(["/*"], path)).toBeUndefined()
    }
  )
  test.each(["/", "/ws/", "/ws/chat", "/websockets", "/healthy", "/metrics/", "/admin/", "/apis", "/WS"])("%s may have one", (path) => {
    expect(found(["/*"], path)).toBe("/*")
  })
})

describe("a path that a backend may read in another way:", () => {
  const routes = ["/*", "/a/*", "/a/b", "/secret/*", "/caf%C3%A9/*", "/x@y", "/m/%2A"]

  test.each([
    ["an escaped letter is the letter", "/%61/%62", "/a/b"],
    ["escapes have no case", "/caf%c3%a9/1", "/caf%C3%A9/*"],
    ["an escape that may stand for itself is the same", "/x%40y", "/x@y"],
    ["an escaped star is a star", "/m/*", "/m/%2A"],
    ["an escaped escape is not", "/%2561/b", "/*"],
    ["what is no escape is itself", "/a/%zz%", "/a/*"],
    ["case counts", "/A/b", "/*"],
    ["a slash at the end counts", "/a/b/", "/a/*"],
    ["an escaped slash is part of its segment", "/a/x%2fy", "/a/*"],
    ["so is an escaped backslash", "/a/x%5Cy", "/a/*"],
    ["and a backslash", "/a/x\\y", "/a/*"],
    ["slashes in a row stay", "/a//x", "/a/*"],
    ["an address in a path stays", "/a/http://h/b", "/a/*"],
    ["dots that are part of a name are no dot segment", "/a/.well-known/..x/x../...", "/a/*"]
  ])("%s: %s is for %s", (_, path, route) => {
    expect(found(routes, path)).toBe(route)
  })

  test.each([
    ["a dot segment", "/a/../secret"],
    ["a dot segment at the end", "/a/.."],
    ["a dot segment of one dot", "/a/./b"],
    ["an escaped dot segment", "/a/%2e%2E/secret"],
    ["a half escaped one", "/a/.%2e/secret"],
    ["one behind an escaped slash", "/a/x%2f..%2fsecret"],
    ["one behind a backslash", "/a/..\\secret"],
    ["one behind an escaped backslash", "/a%5c..%5Csecret"],
    ["one with a path parameter", "/a/..;x=y/secret"],
    ["one with an escaped path parameter", "/a/..%3b/secret"],
    ["an escaped slash that would make another route", "/secret%2fx"],
    ["slashes in a row that would", "//secret/x"],
    ["a backslash that would", "/secret\\x"],
    ["an escaped slash that would make an exact route", "/a%2Fb"],
    ["a zero octet", "/a/x%00"],
    ["a blank", "/a/ x"],
    ["a fragment", "/a/#x"],
    ["a control character", "/a/\u0001"],
    ["a character outside of ASCII", "/caf\u00e9/1"],
    ["one that no octet can be", "/\uffff/1"]
  ])("%s has no route: %s", (_, path) => {
    expect(found(routes, path)).toBeUndefined()
  })

  test("the same paths without another route to be read as one of keep theirs", () => {
    for (const path of ["/secret%2fx", "//secret/x", "/secret\\x", "/a%2Fb"]) expect(found(["/*"], path)).toBe("/*")
  })
})

describe("against a plain reading of the rules", () => {
  const segment = fc.constantFrom(
    "a",
    "b",
    "A",
    "",
    "%61",
    "%2f",
    "a%2Fb",
    "%5c",
    "\\",
    ".",
    "..",
    "%2e%2e",
    "..;x",
    ".a",
    "%",
    "%41",
    "é",
    "*"
  )
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`)
  const routePath = fc
    .tuple(fc.array(fc.constantFrom("a", "b", "A", "%61", "ws", "api"), { maxLength: 3 }), fc.constantFrom("", "/", "/*"))
    .map(([segments, end]) => (segments.length === 0 && end === "" ? "/" : `${segments.map((name) => `/${name}`).join("")}${end}`))
  const host = fc.constantFrom(undefined, "x.y", "y", "z.x.y", "X.Y:80", "y.")
  const routeHost = fc.constantFrom(undefined, "x.y", "y", "*.y", "*.x.y")
  const routes = fc.uniqueArray(
    fc.record({ path: routePath, host: routeHost }).map(({ host, path }): RoutePlace => (host === undefined ? { path } : { host, path })),
    { maxLength: 8, selector: routeKey }
  )

  const octets = (text: string): string =>
    text.replace(/%[0-9a-f]{2}/gi, (escape) => Buffer.from(escape.slice(1), "hex").toString("latin1"))

  type Segments = ReadonlyArray<string>
  const strict = (path: string): Segments => path.slice(1).split("/").map(octets)
  const lenient = (path: string): Segments =>
    octets(path)
      .split(/[/\\]+/)
      .slice(1)

  const takesPath = (route: RoutePlace, segments: Segments): boolean => {
    const own = strict(route.path)
    return own.at(-1) === "*"
      ? segments.length >= own.length && own.slice(0, -1).every((name, index) => name === segments[index])
      : own.length === segments.length && own.every((name, index) => name === segments[index])
  }
  const takesHost = (route: RoutePlace, host: string | undefined): boolean => {
    const name = host?.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "")
    if (route.host === undefined) return true
    return route.host.startsWith("*.") ? name?.endsWith(route.host.slice(1)) === true : name === route.host
  }
  /** Bigger comes first. */
  const rank = ({ host = "", path }: RoutePlace): ReadonlyArray<number> => [
    host === "" ? 0 : host.startsWith("*") ? 1 : 2,
    host.length,
    path.endsWith("/*") ? 0 : 1,
    octets(path).length
  ]
  const compare = (one: RoutePlace, other: RoutePlace): number => {
    const [left, right] = [rank(one), rank(other)]
    const at = left.findIndex((value, index) => value !== right[index])
    return at === -1 ? 0 : (right[at] ?? 0) - (left[at] ?? 0)
  }
  const own = ([first = "", ...rest]: Segments): boolean =>
    rest.length === 0 ? ["ws", "websocket", "health", "metrics", "api", "admin"].includes(first) : ["api", "health"].includes(first)

  const reference = (all: ReadonlyArray<RoutePlace>, host: string | undefined, path: string): RoutePlace | undefined => {
    if (/[^\x21-\x7e]/.test(path)) return undefined
    const best = (segments: Segments): RoutePlace | undefined =>
      own(segments) ? undefined : all.filter((route) => takesPath(route, segments) && takesHost(route, host)).toSorted(compare)[0]
    if (lenient(path).some((segment) => [".", ".."].includes(segment.split(";")[0] ?? ""))) return undefined
    const route = best(strict(path))
    return route === best(lenient(path)) ? route : undefined
  }

  test("the same route is found", () => {
    let hits = 0
    fc.assert(
      fc.property(routes, host, path, (all, host, path) => {
        const expected = reference(all, host, path)
        if (expected !== undefined) hits++
        expect(makeRouteMatcher(all)(host, path)).toBe(expected)
      }),
      { numRuns: 20_000 }
    )
    expect(hits).toBeGreaterThan(1000)
  })

  test("the order of the routes makes no difference", () => {
    fc.assert(
      fc.property(routes, host, path, (all, host, path) => {
        expect(makeRouteMatcher(all.toReversed())(host, path)).toBe(makeRouteMatcher(all)(host, path))
      }),
      { numRuns: 2000 }
    )
  })

  test("nothing that a route takes can be resolved to a place outside of its prefix", () => {
    fc.assert(
      fc.property(path, (path) => {
        const route = makeRouteMatcher([{ path: "/a/*", strip_prefix: false }])(undefined, path)
        if (route === undefined) return
        // As a browser would resolve it, which takes backslashes for slashes and %2e for a dot.
        expect(octets(new URL(`http://h${backendPath(route, path)}`).pathname)).toMatch(/^\/a\//)
      }),
      { numRuns: 5000 }
    )
  })

  test("the path without its prefix is the rest of the request's, letter by letter", () => {
    const prefix = fc.array(fc.constantFrom("a", "bc", "%61", "%C3%a9"), { maxLength: 3 })
    const rest = fc.string({ unit: fc.constantFrom("a", "/", "%2F", "%41", ".x", "~") })
    fc.assert(
      fc.property(prefix, rest, (names, rest) => {
        const route = { path: `${names.map((name) => `/${name}`).join("")}/*`, strip_prefix: true }
        const before = names.map((name) => `/${name === "%61" ? "a" : name.toLowerCase()}`).join("")
        const path = `${before}/${rest}`
        expect(backendPath(route, path)).toBe(`/${rest}`)
        expect(backendPath({ ...route, strip_prefix: false }, path)).toBe(path)
      })
    )
  })
})

test("an exact route has no prefix to strip", () => {
  expect(backendPath({ path: "/a/b", strip_prefix: true }, "/a/b")).toBe("/a/b")
  expect(backendPath({ path: "/*", strip_prefix: true }, "/a/b")).toBe("/a/b")
})

test("routes have the same key when they would take the same requests", () => {
  const same = (one: string, other: string): boolean => routeKey(place(one)) === routeKey(place(other))
  expect(same("/a/*", "/%61/*")).toBe(true)
  expect(same("A.example /a", "a.example /a")).toBe(true)
  expect(same("/a", "/a/")).toBe(false)
  expect(same("/a/*", "/a/%2a")).toBe(false)
  expect(same("/a", "a.example /a")).toBe(false)
  expect(same("*.example /a", ".example /a")).toBe(false)
})

test("long and hostile paths and hosts are answered", () => {
  const match = makeRouteMatcher([{ path: `/${"a/".repeat(100)}*` }, { path: "/a/*" }, { path: "/a", host: "*.example" }])
  const long = 300_000
  expect(match(undefined, `/a${"/".repeat(long)}`)).toEqual({ path: "/a/*" })
  for (const path of ["/".repeat(long), "/b".repeat(long), "/%2e.".repeat(long), "/b%2f".repeat(long), "%".repeat(long)])
    expect(match(undefined, path)).toBeUndefined()
  expect(match(`${"a.".repeat(long)}example`, "/a")).toBeUndefined()
})
