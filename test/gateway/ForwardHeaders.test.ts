import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type ArrivedRequest,
  forwardRequest,
  forwardResponse,
  headerRules,
  type HeaderSettings,
  isConnectionHeader,
  plainName,
  userValue
} from "../../src/gateway/ForwardHeaders.ts"
import { isTraceParent } from "../../src/gateway/TraceParent.ts"

const settings: HeaderSettings = {
  request_headers: { add: {}, remove: [] },
  response_headers: { add: {}, remove: [] },
  auth: { header: "X-User-Id", query: "user_id" }
}
const rules = headerRules(settings)

type Told = Partial<Omit<ArrivedRequest, "headers">> & { readonly headers?: Readonly<Record<string, string>> }

const forward = (
  { headers = {}, ...told }: Told = {},
  given: Partial<HeaderSettings> = {}
): { readonly headers: Record<string, string>; readonly query: string } => {
  const forwarded = forwardRequest(headerRules({ ...settings, ...given }), {
    peer: "198.51.100.7",
    trusted: false,
    secure: false,
    query: "",
    requestId: "r-1",
    user: undefined,
    withoutToken: false,
    websocket: false,
    ...told,
    headers: Object.entries({ host: "example.com", ...headers })
  })
  return { headers: Object.fromEntries(forwarded.headers), query: forwarded.query }
}

const response = (lines: ReadonlyArray<readonly [string, string]>, setCookie?: string): ReadonlyArray<readonly [string, string]> =>
  forwardResponse(rules, lines, setCookie)

const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

describe("headers of a request", () => {
  it("go on as they are, the host too", () => {
    const arrived = { accept: "*/*", cookie: "a=1; b=2", authorization: "Bearer T", "x-thing": "a\xc3\xa9", "content-length": "5" }
    expect(forward({ headers: arrived }).headers).toMatchObject({ ...arrived, host: "example.com", "x-request-id": "r-1" })
  })

  it.each([
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect"
  ])("stop here if they concern one connection: %s", (name) => {
    expect(forward({ headers: { [name]: "x" } }).headers).not.toHaveProperty(name)
    expect(forward({ headers: { [name.replaceAll("-", "_")]: "x" } }).headers).not.toHaveProperty(name.replaceAll("-", "_"))
  })

  it("stop here if Connection names them, but what this server says is not lost that way", () => {
    const { headers } = forward({
      headers: { connection: "close, X-Hop ,x-forwarded-for,X-User-Id,host", "x-hop": "1", "x-stays": "2" },
      user: "ann"
    })
    expect(headers).not.toHaveProperty("x-hop")
    expect(headers).toMatchObject({ "x-stays": "2", "x-forwarded-for": "198.51.100.7", "x-user-id": "ann", host: "example.com" })
  })

  it("that stop whatever their case or separator, and nothing else", () => {
    const separator = fc.constantFrom("-", "_", ".", "~", "!")
    const reserved = fc.constantFrom("x-user-id", "x-weft-resumed", "x-forwarded-for", "x-forwarded-user", "forwarded", "x-real-ip", "te")
    fc.assert(
      fc.property(reserved, separator, (name, sign) => {
        const spelled = name.replaceAll("-", sign)
        const { headers } = forward({ headers: { [spelled]: "evil", other_name: "stays", "x-userid": "stays" } })
        expect(Object.values(headers)).not.toContain("evil")
        expect(headers).toMatchObject({ other_name: "stays", "x-userid": "stays" })
      })
    )
  })

  it("a length in disguise does not go on", () => {
    expect(forward({ headers: { content_length: "9" } }).headers).not.toHaveProperty("content_length")
  })
})

describe("the user", () => {
  it("is told by header and query if authentication found one", () => {
    const { headers, query } = forward({ user: "ann", query: "a=1" })
    expect(headers).toMatchObject({ "x-user-id": "ann" })
    expect(query).toBe("a=1&user_id=ann")
    expect(forward({ user: "a&b=c d" }).query).toBe("user_id=a%26b%3Dc%20d")
  })

  it("is told by the names that the route says, or not at all", () => {
    const told = forward(
      { user: "ann", headers: { "x-user-id": "own" }, query: "user_id=own" },
      { auth: { header: "Remote-User", query: "" } }
    )
    expect(told.headers).toMatchObject({ "remote-user": "ann", "x-user-id": "own" })
    expect(told.query).toBe("user_id=own")
    expect(forward({ user: "ann" }, { auth: { header: "", query: "" } }).headers).not.toHaveProperty("x-user-id")
  })

  /** As a lenient backend may read a name. */
  const readings = (query: string): ReadonlyArray<string> => {
    const names = query.split(/[&;]/).map((pair) => pair.split("=", 1)[0] ?? "")
    return names.flatMap((name) => {
      const decoded = (() => {
        try {
          return decodeURIComponent(name.replaceAll("+", " "))
        } catch {
          return unescape(name.replaceAll("+", " "))
        }
      })()
      const lower = decoded.toLowerCase()
      // Plain; PHP, which trims and takes dots and spaces for underscores; names with brackets.
      return [lower, lower.trim().replace(/[. -]/g, "_"), lower.replace(/^\[/, "").replace(/[[\]\u0000].*$/s, "")]
    })
  }

  it.each([
    "user_id=evil",
    "USER_ID=evil",
    "user%5fid=evil",
    "%75%73%65%72%5F%69%64=evil",
    "+user_id=evil",
    "user.id=evil",
    "user+id=evil",
    "user-id=evil",
    "user_id[]=evil",
    "user_id%5B0%5D=evil",
    "[user_id]=evil",
    "user_id%00x=evil",
    "user_id",
    "a=1;user_id=evil"
  ])("never comes from the query %s", (query) => {
    const out = forward({ query: `first=1&${query}&last=2` }).query
    expect(readings(out)).not.toContain("user_id")
    expect(out).toMatch(/^first=1&.*last=2$/)
    expect(readings(forward({ query, user: "ann" }).query).filter((name) => name === "user_id")).toHaveLength(3)
  })

  it("never comes from a query of any encoding, and the rest of it stays byte for byte", () => {
    const spelled = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 7, maxLength: 7 }).map((ways) =>
      ways
        .map(([escaped, upper], i) => {
          const letter = upper ? "USER_ID"[i] : "user_id"[i]
          return escaped ? `%${(letter ?? "").charCodeAt(0).toString(16)}` : letter
        })
        .join("")
    )
    const other = fc.stringMatching(/^[a-z%+]{1,6}(?:=[a-z0-9%=+]{0,8})?$/)
    fc.assert(
      fc.property(fc.array(other, { maxLength: 4 }), spelled, fc.array(other, { maxLength: 4 }), (before, name, after) => {
        const query = [...before, `${name}=evil`, ...after].join("&")
        expect(forward({ query }).query).toBe([...before, ...after].join("&"))
      })
    )
  })

  it("looks like no other user in the header, which carries it whatever it is", () => {
    const name = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("a", " a", "a ", "UTF-8''a", "utf-8''%20a", "\r\nx: y", "")
    )
    fc.assert(
      fc.property(name, name, (one, other) => {
        const value = userValue(one)
        expect(value).toMatch(/^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$|^UTF-8''$/)
        if (one.toWellFormed() !== other.toWellFormed()) expect(userValue(other)).not.toBe(value)
      }),
      { numRuns: 1000 }
    )
    expect(userValue("Jörg")).toBe(Buffer.from("Jörg").toString("latin1"))
  })
})

describe("the token", () => {
  it("goes on where it is not this server's", () => {
    const own = { authorization: "Bearer T", "sec-websocket-protocol": "chat, weft.token.T, weft.session.S" }
    const { headers, query } = forward({ headers: own, query: "token=T&a=1" })
    expect(headers).toMatchObject(own)
    expect(query).toBe("token=T&a=1")
  })

  it("stays here where it was", () => {
    const { headers, query } = forward({ headers: { authorization: "bearer  T" }, query: "token=T&a=1&%74oken=T", withoutToken: true })
    expect(headers).not.toHaveProperty("authorization")
    expect(query).toBe("a=1")
    expect(forward({ headers: { authorization: "Basic T" }, withoutToken: true }).headers).toMatchObject({ authorization: "Basic T" })
  })

  it("stays here as a subprotocol too, and a session does not: the gateway has none", () => {
    const through = (offer: string, query = "") => forward({ headers: { "sec-websocket-protocol": offer }, query, withoutToken: true })
    const { headers, query } = through("chat,weft.token.T , weft.session.S, v2", "session=S&token=T")
    expect(headers).toMatchObject({ "sec-websocket-protocol": "chat, weft.session.S, v2" })
    expect(query).toBe("session=S")
    expect(through("weft.token.T").headers).not.toHaveProperty("sec-websocket-protocol")
  })
})

describe("what is told of the client", () => {
  it("begins with the peer, whatever an untrusted one says", () => {
    const forged = {
      "x-forwarded-for": "1.1.1.1",
      "x-forwarded-host": "evil",
      "x-forwarded-proto": "https",
      "x-forwarded-port": "1",
      "x-forwarded-prefix": "/evil",
      "x-real-ip": "1.1.1.1",
      forwarded: "for=1.1.1.1"
    }
    const { headers } = forward({ headers: { ...forged, host: "example.com:8080" } })
    expect(headers).toMatchObject({
      "x-forwarded-for": "198.51.100.7",
      "x-forwarded-host": "example.com:8080",
      "x-forwarded-proto": "http",
      "x-forwarded-port": "8080",
      forwarded: `for=198.51.100.7;host="example.com:8080";proto=http`
    })
    expect(headers).not.toHaveProperty("x-real-ip")
    expect(headers).not.toHaveProperty("x-forwarded-prefix")
  })

  it("is appended to what a trusted one says", () => {
    const said = {
      "x-forwarded-for": "203.0.113.9, 10.0.0.2",
      forwarded: "for=203.0.113.9, for=10.0.0.2",
      "x-forwarded-host": "shop.example, inner",
      "x-forwarded-port": "8443",
      "x-forwarded-prefix": "/shop",
      "x-real-ip": "203.0.113.9"
    }
    expect(forward({ headers: said, peer: "10.0.0.1", trusted: true, secure: true }).headers).toMatchObject({
      "x-forwarded-for": "203.0.113.9, 10.0.0.2, 10.0.0.1",
      forwarded: "for=203.0.113.9, for=10.0.0.2, for=10.0.0.1;host=shop.example;proto=https",
      "x-forwarded-host": "shop.example",
      "x-forwarded-proto": "https",
      "x-forwarded-port": "8443",
      "x-forwarded-prefix": "/shop",
      "x-real-ip": "203.0.113.9"
    })
  })

  it("is the same in both lists if the trusted one wrote only one of them", () => {
    const peer = { peer: "10.0.0.1", trusted: true }
    expect(forward({ ...peer, headers: { "x-forwarded-for": "203.0.113.9, 2001:db8::7, unknown, evil;x" } }).headers["forwarded"]).toBe(
      `for=203.0.113.9, for="[2001:db8::7]", for=unknown, for=unknown, for=10.0.0.1;host=example.com;proto=http`
    )
    expect(
      forward({ ...peer, headers: { forwarded: `for=203.0.113.9;proto=https, By=x;For="[2001:db8::7]:80", for=_hidden` } }).headers[
        "x-forwarded-for"
      ]
    ).toBe("203.0.113.9, 2001:db8::7, unknown, 10.0.0.1")
  })

  it.each([
    [false, "80"],
    [true, "443"]
  ])("has the port of the scheme if the host has none (secure: %s)", (secure, port) => {
    expect(forward({ secure }).headers["x-forwarded-port"]).toBe(port)
  })

  it("quotes an IPv6 peer", () => {
    const { headers } = forward({ peer: "2001:db8::7" })
    expect(headers["forwarded"]).toBe(`for="[2001:db8::7]";host=example.com;proto=http`)
    expect(headers["x-forwarded-for"]).toBe("2001:db8::7")
  })
})

describe("traceparent", () => {
  it.each([valid, "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-holds"])(
    "goes on if it is valid: %s",
    (traceparent) => {
      expect(forward({ headers: { traceparent, tracestate: "a=1" } }).headers).toMatchObject({ traceparent, tracestate: "a=1" })
    }
  )

  it.each([
    "",
    "x",
    `${valid}-x`,
    `${valid}, ${valid}`,
    valid.toUpperCase(),
    valid.replace(/^00/, "ff"),
    valid.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)),
    valid.replace("b7ad6b7169203331", "0".repeat(16))
  ])("is made anew if it is not: %s", (traceparent) => {
    const { headers } = forward({ headers: { traceparent, tracestate: "a=1" } })
    expect(headers["traceparent"]).not.toBe(traceparent)
    expect(isTraceParent(headers["traceparent"] ?? "")).toBe(true)
    expect(headers).not.toHaveProperty("tracestate")
  })

  it("is a new one for every request without one", () => {
    const seen = new Set(Array.from({ length: 1000 }, () => forward().headers["traceparent"]))
    expect(seen.size).toBe(1000)
  })
})

describe("a route's own changes", () => {
  const request_headers = { add: { "X-Key": "k", Host: "inner" }, remove: ["Cookie", "traceparent", "x-forwarded-port", "X_Secret"] }

  it("come last, and a client can not set what the route adds", () => {
    const { headers } = forward({ headers: { cookie: "a=1", x_key: "evil", "x-key": "evil", "x-secret": "s" } }, { request_headers })
    expect(headers).toMatchObject({ "x-key": "k", host: "inner" })
    for (const name of ["cookie", "traceparent", "x-forwarded-port", "x_key", "x-secret"]) expect(headers).not.toHaveProperty(name)
  })

  it("do not reach the user's header or the framing", () => {
    const changes = {
      add: { "X-User-Id": "root", "Content-Length": "9", "Transfer-Encoding": "x" },
      remove: ["x-user-id", "content-length"]
    }
    const { headers } = forward({ headers: { "content-length": "5" }, user: "ann" }, { request_headers: changes })
    expect(headers).toMatchObject({ "x-user-id": "ann", "content-length": "5" })
    expect(headers).not.toHaveProperty("transfer-encoding")
    expect(forward({}, { request_headers: changes }).headers).not.toHaveProperty("x-user-id")
  })

  it("leave what this server says beside", () => {
    const { headers } = forward({ headers: { "x-weft-resumed": "evil" }, extra: [["X-Weft-Connection", "c-1"]] })
    expect(headers).toMatchObject({ "x-weft-connection": "c-1" })
    expect(headers).not.toHaveProperty("x-weft-resumed")
  })
})

describe("the headers of a WebSocket's dial", () => {
  it("leave the handshake to the dialler, and keep subprotocols, origin and cookies", () => {
    const { headers } = forward({
      websocket: true,
      headers: {
        connection: "keep-alive, Upgrade",
        upgrade: "websocket",
        origin: "https://example.com",
        cookie: "a=1",
        "sec-websocket-key": "x",
        "sec-websocket-version": "13",
        "sec-websocket-extensions": "permessage-deflate",
        "sec-websocket-protocol": "chat"
      }
    })
    expect(headers).toMatchObject({ origin: "https://example.com", cookie: "a=1", "sec-websocket-protocol": "chat" })
    expect(Object.keys(headers).filter((name) => /^sec-|upgrade|connection/.test(name))).toEqual(["sec-websocket-protocol"])
  })
})

describe("headers of an answer", () => {
  it("keep their order, and every cookie its line", () => {
    const lines = [
      ["Content-Type", "text/plain"],
      ["Set-Cookie", "a=1, x"],
      ["X-A", "1"],
      ["Set-Cookie", "b=2"]
    ] as const
    expect(response(lines, "weft_backend=x")).toEqual([
      ["content-type", "text/plain"],
      ["set-cookie", "a=1, x"],
      ["x-a", "1"],
      ["set-cookie", "b=2"],
      ["set-cookie", "weft_backend=x"]
    ])
  })

  it("stop here if they concern one connection, or Connection names them on any of its lines", () => {
    const lines = [
      ["Connection", "x-hop"],
      ["connection", "Keep-Alive, X-Other"],
      ["X-Hop", "1"],
      ["x-other", "1"],
      ["Keep-Alive", "timeout=5"],
      ["Transfer-Encoding", "chunked"],
      ["Proxy-Authenticate", "Basic"],
      ["Trailer", "x"],
      ["Upgrade", "h2c"],
      ["WWW-Authenticate", "Basic"]
    ] as const
    expect(response(lines)).toEqual([["www-authenticate", "Basic"]])
  })

  it("follow the route's changes; an added cookie replaces none", () => {
    const changed = headerRules({
      ...settings,
      response_headers: { add: { "Strict-Transport-Security": "max-age=1", "Set-Cookie": "c=3" }, remove: ["Server", "x-powered-by"] }
    })
    const lines = [
      ["Server", "s"],
      ["X-Powered-By", "p"],
      ["strict-transport-security", "max-age=0"],
      ["Set-Cookie", "a=1"]
    ] as const
    expect(forwardResponse(changed, lines, undefined)).toEqual([
      ["set-cookie", "a=1"],
      ["strict-transport-security", "max-age=1"],
      ["set-cookie", "c=3"]
    ])
  })
})

describe("names", () => {
  it("are compared as CGI reads them", () => {
    expect(plainName("X_User.Id")).toBe("x-user-id")
    expect(isConnectionHeader("Transfer_Encoding")).toBe(true)
    expect(isConnectionHeader("Content-Length")).toBe(true)
    expect(isConnectionHeader("Content-Type")).toBe(false)
  })
})
