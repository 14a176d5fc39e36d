/** What a client and a backend learn of each other before their first message, through the gateway. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as tls from "node:tls"
import { describe, expect, it } from "vitest"
import { WebSocketServer } from "ws"
import { secret, sign } from "../auth/tokens.ts"
import { certificate, privateKey } from "../config/pem.ts"
import { atEndOfTest, connect, start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { rawBackend } from "./backends/raw.ts"
import { answeringBackend } from "./backends/tcp.ts"
import { rawClient, rawUpgrade } from "./rawClient.ts"
import { backend, client } from "./support.ts"

const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEndOfTest(async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A backend that answers every upgrade in plain HTTP. */
const refusing = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> =>
  // Without a listener for upgrades, Node treats them as requests.
  `http://${await listening(createServer(answer))}`

describe("subprotocols", () => {
  const chosen = async (choice: string | undefined, offered: ReadonlyArray<string>) => {
    const target = await rawBackend({ lines: choice === undefined ? "" : `Sec-WebSocket-Protocol: ${choice}\r\n` })
    const server = await start({ proxy: [{ path: "/app", targets: [target.url] }] })
    const answer = await rawUpgrade(server, "/app", {
      headers: offered.length === 0 ? {} : { "Sec-WebSocket-Protocol": offered }
    }).whole()
    return { answer, offer: (await target.link(0)).request.headers["sec-websocket-protocol"] }
  }

  it("are the backend's to choose from, and the client is told which", async () => {
    const { answer, offer } = await chosen("chat.v2", ["chat.v1, chat.v2,chat.v3"])
    expect([answer.status, answer.headers["sec-websocket-protocol"], offer]).toEqual([101, "chat.v2", "chat.v1, chat.v2, chat.v3"])
  })

  it("may stand on several lines", async () => {
    const { answer, offer } = await chosen("c", ["a", "b, c"])
    expect([answer.status, answer.headers["sec-websocket-protocol"], offer]).toEqual([101, "c", "a, b, c"])
  })

  it("may be left out by the backend, and need not be offered", async () => {
    for (const offered of [["a, b"], []]) {
      const { answer } = await chosen(undefined, offered)
      expect([answer.status, answer.headers["sec-websocket-protocol"]]).toEqual([101, undefined])
    }
  })

  it("that were not offered make a backend a bad one", async () => {
    for (const offered of [["a, b"], ["A"], []]) {
      const { answer } = await chosen("x", offered)
      expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([502, { code: "unavailable" }])
    }
  })

  it("that would carry a token or a session for this server are the backend's too where no token is asked for", async () => {
    const { answer, offer } = await chosen("weft.token.abc", ["weft.token.abc, chat", "weft.session.def"])
    expect([answer.status, answer.headers["sec-websocket-protocol"], offer]).toEqual([
      101,
      "weft.token.abc",
      "weft.token.abc, chat, weft.session.def"
    ])
  })
})

describe("the headers of the backend's answer", () => {
  it("reach the client, cookies each on a line and every byte as it was, but not those of the connection", async () => {
    const target = await rawBackend({
      lines: [
        "Set-Cookie: a=1; Path=/; HttpOnly",
        "Set-Cookie: b=2",
        "X-Backend: number seven",
        "X-Bytes: caf\xc3\xa9 \xe9",
        "Keep-Alive: timeout=5",
        "X-Hop: private",
        "Proxy-Authenticate: Basic",
        "Server: theirs",
        "X-Secret: hidden"
      ]
        .map((line) => `${line}\r\n`)
        .join("")
        .concat("Connection: X-Hop\r\n")
    })
    const server = await start({
      proxy: [
        {
          path: "/app",
          targets: [target.url],
          sticky_sessions: true,
          response_headers: { add: { "X-Added": "by the route", "X-Backend": "changed" }, remove: ["x-secret"] }
        }
      ]
    })
    const { lines, status } = await rawUpgrade(server, "/app").answer()
    expect(status).toBe(101)
    const values = (name: string) => lines.filter(([each]) => each === name).map(([, value]) => value)
    expect(values("set-cookie").slice(0, 2)).toEqual(["a=1; Path=/; HttpOnly", "b=2"])
    expect(values("set-cookie")[2]).toMatch(/^weft_backend=/)
    expect(values("x-backend")).toEqual(["changed"])
    expect(values("x-added")).toEqual(["by the route"])
    expect(values("x-bytes")).toEqual(["caf\xc3\xa9 \xe9"])
    expect(values("server")).toEqual(["theirs"])
    for (const name of ["keep-alive", "x-hop", "proxy-authenticate", "x-secret"]) expect(values(name), name).toEqual([])
    for (const name of ["upgrade", "connection", "sec-websocket-accept", "date"]) expect(values(name).length, name).toBeLessThan(2)
  })
})

describe("a backend's refusal", () => {
  const through = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    let count = 0
    const counted = (request: IncomingMessage, response: ServerResponse): void => {
      count++
      answer(request, response)
    }
    const [one, two] = [await refusing(counted), await refusing(counted)]
    const server = await start({ proxy: [{ path: "/app", targets: [one, two], response_headers: { add: { "X-Route": "app" } } }] })
    const given = await rawUpgrade(server, "/app").whole()
    return { ...given, server, asked: () => count }
  }

  it.each([
    [401, { "WWW-Authenticate": 'Basic realm="theirs"', "Content-Type": "text/plain" }, "who are you?"],
    [302, { Location: "https://example.com/login?next=%2Fapp" }, ""],
    [404, { "Content-Type": "application/problem+json" }, '{"title":"nothing here"}'],
    [403, { "Set-Cookie": "seen=1" }, "no"],
    [429, { "Retry-After": "7" }, "later"],
    [500, { "X-Trace": "abc" }, "it broke"],
    [503, { "Retry-After": "3" }, "not now"],
    [200, { "Content-Type": "text/html" }, "<p>a page</p>"],
    [426, { Upgrade: "websocket" }, "another version"]
  ])("%i reaches the client with its headers and body, and no other backend is asked", async (status, headers, body) => {
    const answer = await through((_, response) => void response.writeHead(status, headers).end(body))
    expect([answer.status, answer.body.toString(), answer.headers["x-route"]]).toEqual([status, body, "app"])
    for (const [name, value] of Object.entries(headers)) expect(answer.headers[name.toLowerCase()], name).toBe(value)
    expect(answer.asked()).toBe(1)
    await eventually(() => answer.server.logs.find((line) => line.includes(`refused with status ${status}`)))
  })

  it.each([
    [500, 403],
    [501, 403],
    [502, 503],
    [503, 503],
    [504, 503]
  ])("%i counts for the circuit as its answer to a request does: then it is %i", async (status, then) => {
    let answer = status
    const target = await refusing((_, response) => void response.writeHead(answer).end())
    const circuit_breaker = { failures: 2, open: 20 }
    const server = await start({ proxy: [{ path: "/app", targets: [target], circuit_breaker }] })
    for (let count = 0; count < 2; count++) expect((await client(server, "/app").refusal()).status).toBe(status)
    answer = 403
    expect((await client(server, "/app").refusal()).status).toBe(then)
  })

  const mebibyte = 1_048_576

  it.each([
    ["with a length", true],
    ["in chunks", false]
  ])("is passed on whole up to 1 MiB, %s", async (_, withLength) => {
    const body = Buffer.alloc(mebibyte, "refused ")
    const answer = await through((_, response) => {
      response.writeHead(401, withLength ? { "Content-Length": mebibyte } : {})
      response.write(body.subarray(0, 40_000))
      setImmediate(() => response.end(body.subarray(40_000)))
    })
    expect([answer.status, answer.headers["content-length"], answer.body.equals(body)]).toEqual([401, String(mebibyte), true])
  })

  it.each([
    ["with a length", true],
    ["in chunks", false]
  ])("that is longer is 502 and no other backend is asked, %s", async (_, withLength) => {
    const body = Buffer.alloc(mebibyte + 1, "x")
    const answer = await through((_, response) => {
      response.writeHead(401, withLength ? { "Content-Length": body.length } : {})
      response.end(body)
    })
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([502, { code: "unavailable" }])
    expect(answer.asked()).toBe(1)
  })

  it("that breaks off is 502", async () => {
    const answer = await through((_, response) => {
      response.writeHead(401, { "Content-Length": 10 })
      response.write("half")
      setImmediate(() => response.destroy())
    })
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([502, { code: "unavailable" }])
  })

  it.each(["101 Switching Protocols", "101 Go\r\nContent-Length: 2", "102 Processing", "099 What"])(
    "is not %s, which is 502",
    async (status) => {
      const target = await answeringBackend((socket) => void socket.end(`HTTP/1.1 ${status}\r\n\r\n`))
      const server = await start({ proxy: [{ path: "/app", targets: [target] }] })
      const answer = await rawUpgrade(server, "/app").whole()
      expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([502, { code: "unavailable" }])
    }
  )

  it("frees what the client had taken: its place, and the user's", async () => {
    const target = await refusing((_, response) => void response.writeHead(401).end())
    const server = await start({
      limits: { connections: 1 },
      auth: { jwt: { secret } },
      proxy: [{ path: "/app", targets: [target], connections_per_user: 1, auth: { required: true } }]
    })
    const token = await sign({ sub: "ada" })
    for (let count = 0; count < 3; count++) {
      const refused = await client(server, `/app?token=${token}`).refusal()
      expect(refused.status).toBe(401)
    }
  })
})

describe("every answer to an upgrade", () => {
  const route = { response_headers: { add: { "X-Route": "app", "Access-Control-Allow-Origin": "*", "Content-Type": "text/wrong" } } }
  const answers = async () => {
    const dead = `http://127.0.0.1:${await freePort()}`
    const saying = (text: string): Promise<string> => answeringBackend((socket) => void socket.end(text))
    const well = await rawBackend({ lines: "X-Request-Id: theirs\r\n" })
    const refusal = await saying("HTTP/1.1 403 No\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n")
    const silent = await answeringBackend(() => undefined)
    const server = await start({
      auth: { jwt: { secret } },
      proxy: [
        { path: "/101", targets: [well.url], ...route },
        { path: "/403", targets: [refusal], ...route },
        { path: "/401", targets: [well.url], auth: { required: true }, ...route },
        { path: "/502", targets: [dead], ...route },
        { path: "/503", targets: [{ url: dead, enabled: false }], ...route },
        { path: "/504", targets: [silent], connect_timeout: 0.3, ...route }
      ]
    })
    return { server, well }
  }

  it("has the id of the request and what the route adds, whoever gives it", async () => {
    const { server, well } = await answers()
    for (const status of [101, 403, 401, 502, 503, 504]) {
      const named = await rawUpgrade(server, `/${status}`, { headers: { "X-Request-Id": "mine-1" } }).answer()
      const ids = named.lines.filter(([name]) => name === "x-request-id")
      expect([named.status, ids, named.headers["x-route"]]).toEqual([status, [["x-request-id", "mine-1"]], "app"])
      expect(named.headers["access-control-allow-origin"]).toBe("*")
      if (status !== 101 && status !== 403) expect(named.headers["content-type"]).toBe("application/json")
    }
    const unnamed = await rawUpgrade(server, "/101", { headers: { "X-Request-Id": "not sane" } }).answer()
    expect(unnamed.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/)
    expect((await well.link(1)).request.headers["x-request-id"]).toBe(unnamed.headers["x-request-id"])
    const outdated = await rawUpgrade(server, "/101", { headers: { "Sec-WebSocket-Version": "8", "X-Request-Id": "mine-2" } }).answer()
    expect([outdated.status, outdated.headers["x-request-id"], outdated.headers["x-route"]]).toEqual([426, "mine-2", "app"])
  })

  it("has them in plain HTTP too", async () => {
    const { server } = await answers()
    for (const status of [401, 502, 503]) {
      const { headers, status: given } = await fetch(`${server.url}/${status}`, { headers: { "X-Request-Id": "mine-1" } })
      expect([given, headers.get("x-request-id"), headers.get("x-route")]).toEqual([status, "mine-1", "app"])
      expect(headers.get("content-type")).toBe("application/json")
    }
  })
})

describe("the backend of a link", () => {
  /** The head of the request as the backend gets it. */
  const head = async (path: string, headers: Readonly<Record<string, string | ReadonlyArray<string>>>, route = {}, server = {}) => {
    const target = await rawBackend()
    const weft = await start({ ...server, proxy: [{ path: "/app/*", targets: [`${target.url}/base/`], ...route }] })
    const peer = await rawClient(weft, path, { headers })
    const { request } = await target.link(0)
    return { peer, request, headers: request.headers }
  }

  it("is told of the client as any backend behind a proxy is", async () => {
    const { headers, request } = await head("/app/x%2Fy?q=%C3%A9&a=b+c", {
      Host: "app.example.com:8443",
      Origin: "https://app.example.com",
      Cookie: ["a=1", "b=2"],
      "User-Agent": "a browser",
      "X-Forwarded-For": "6.6.6.6",
      "X-Forwarded-Proto": "https",
      Forwarded: "for=6.6.6.6",
      "X-Real-IP": "6.6.6.6",
      "X-Weft-Resumed": "1",
      "X-Weft-Connection": "mine",
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
      "X-Bytes": "caf\xc3\xa9 au lait",
      Connection: "keep-alive, Upgrade, X-Private",
      "X-Private": "for this hop",
      TE: "trailers"
    })
    expect(request.url).toBe("/base/app/x%2Fy?q=%C3%A9&a=b+c")
    expect(headers).toMatchObject({
      host: "app.example.com:8443",
      origin: "https://app.example.com",
      cookie: "a=1; b=2",
      "user-agent": "a browser",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "app.example.com:8443",
      "x-forwarded-port": "8443",
      forwarded: 'for=127.0.0.1;host="app.example.com:8443";proto=http',
      "x-bytes": "caf\xc3\xa9 au lait",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13"
    })
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    expect(headers["x-weft-connection"]).not.toBe("mine")
    for (const name of ["x-real-ip", "x-weft-resumed", "x-private", "te", "sec-websocket-extensions", "x-user-id"])
      expect(headers[name], name).toBeUndefined()
    expect(headers["sec-websocket-key"]).not.toBe("dGhlIHNhbXBsZSBub25jZQ==")
    // Each only once, however it was spelled.
    const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
  })

  it("is told what a trusted proxy says of the client, and by whom", async () => {
    const { headers } = await head(
      "/app/x",
      { "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Request-Id": "abc-1" },
      {},
      { server: { trusted_proxies: ["127.0.0.0/8"] } }
    )
    expect(headers).toMatchObject({ "x-forwarded-for": "203.0.113.9, 127.0.0.1", "x-forwarded-proto": "https", "x-request-id": "abc-1" })
  })

  it("gets the trace of the client, and the headers of the route", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const { headers } = await head(
      "/app/x",
      { traceparent, tracestate: "a=b", "X-Add": "the client's", "X-Drop": "gone" },
      { request_headers: { add: { "X-Add": "the route's" }, remove: ["X-Drop"] } }
    )
    expect(headers).toMatchObject({ traceparent, tracestate: "a=b", "x-add": "the route's" })
    expect(headers["x-drop"]).toBeUndefined()
  })

  it("sees the path without the route's prefix where that is to be stripped", async () => {
    expect((await head("/app/a/b?x=1", {}, { strip_prefix: true })).request.url).toBe("/base/a/b?x=1")
    expect((await head("/app/", {}, { strip_prefix: true })).request.url).toBe("/base/")
    expect((await head("/app/a", {})).request.url).toBe("/base/app/a")
  })

  // Each of these would be a line break if only the low byte of the character were written.
  const breaks = Buffer.from("\u010d\u010aHost: evil\u010d\u010a\u010d\u010a.", "utf8").toString("latin1")

  it("gets exactly one request, whatever letters the client puts into its headers", async () => {
    const { headers, peer } = await head("/app/x", { "X-Text": `a${breaks}` })
    expect([headers.host, headers["x-text"]]).toEqual(["127.0.0.1", `a${breaks}`])
    peer.sendClose(1000)
    expect((await peer.end()).closeFrame).toBe(true)
  })

  it("never sees letters in path or query that no request may have there", async () => {
    const target = await rawBackend()
    const server = await start({ proxy: [{ path: "/app/*", targets: [target.url] }] })
    for (const place of [`/app/${breaks.replaceAll(" ", "")}`, `/app/x?q=${breaks.replaceAll(" ", "")}`, "/app/x?q=\xe9"]) {
      const { status } = await rawUpgrade(server, place).answer()
      expect([400, 404], place).toContain(status)
    }
    expect(target.links).toEqual([])
  })
})

describe("a route that requires a token", () => {
  const route = { auth: { required: true }, connections_per_user: 2 }

  const guarded = async (settings = {}) => {
    const target = await rawBackend()
    const server = await start({ auth: { jwt: { secret } }, proxy: [{ path: "/app", targets: [target.url], ...route, ...settings }] })
    return { server, target }
  }

  it("tells the backend the user, by header and query, and never what the client says there", async () => {
    const { server, target } = await guarded()
    const token = await sign({ sub: "ada" })
    const ways: ReadonlyArray<readonly [path: string, headers: Record<string, string>]> = [
      ["/app?a=1&user_id=eve&b=2", { Authorization: `Bearer ${token}`, "X-User-Id": "eve", X_User_Id: "eve" }],
      [`/app?a=1&token=${token}&b=2&%75ser_id=eve`, { "x-user-id": "eve" }],
      ["/app?a=1&b=2", { "Sec-WebSocket-Protocol": `weft.token.${token}, chat` }]
    ]
    for (const [index, [path, headers]] of ways.entries()) {
      const peer = await rawClient(server, path, { headers })
      const { request } = await target.link(index)
      expect(request.url).toBe("/app?a=1&b=2&user_id=ada")
      expect(request.headers["x-user-id"]).toBe("ada")
      expect(JSON.stringify(request.rawHeaders)).not.toContain("eve")
      expect(JSON.stringify([request.rawHeaders, request.url])).not.toContain(token)
      peer.socket.destroy()
      await eventually(() => target.links[index]?.peer.ended)
    }
  })

  it("has no sessions: what is called so is the backend's, however long", async () => {
    const { server, target } = await guarded({ auth: { required: true, header: "", query: "" } })
    const long = "s".repeat(1000)
    const token = await sign({ sub: "ada" })
    await rawClient(server, `/app?session=${long}&token=${token}`, { headers: { "Sec-WebSocket-Protocol": `chat, weft.session.${long}` } })
    const { request } = await target.link(0)
    expect([request.url, request.headers["sec-websocket-protocol"]]).toEqual([`/app?session=${long}`, `chat, weft.session.${long}`])
  })

  it("passes the user as the route says, or not at all, in any script", async () => {
    const { server, target } = await guarded({ auth: { required: true, header: "X-Who", query: "" } })
    await rawClient(server, `/app?user_id=mine&token=${await sign({ sub: "Ådá 世界" })}`)
    const { request } = await target.link(0)
    expect(request.url).toBe("/app?user_id=mine")
    expect(Buffer.from(String(request.headers["x-who"]), "latin1").toString()).toBe("Ådá 世界")
  })

  it("refuses clients without a good one, and no backend hears of them", async () => {
    const { server, target } = await guarded()
    const expired = await sign({ sub: "ada", exp: 1 })
    for (const path of ["/app", "/app?token=nonsense", `/app?token=${expired}`]) {
      const refused = await client(server, path).refusal()
      expect([refused.status, refused.headers["www-authenticate"], JSON.parse(refused.body)]).toMatchObject([
        401,
        "Bearer",
        { code: "unauthorized" }
      ])
    }
    expect((await client(server, "/app?token=%zz").refusal()).status).toBe(400)
    expect(target.links).toEqual([])
  })

  it("holds each user to the route's number of connections, and counts those that have left no more", async () => {
    const { server, target } = await guarded()
    const [ada, bob] = [await sign({ sub: "ada" }), await sign({ sub: "bob" })]
    const first = await client(server, `/app?token=${ada}`).opened()
    await client(server, `/app?token=${ada}`).opened()
    const refused = await client(server, `/app?token=${ada}`).refusal()
    expect([refused.status, refused.headers["retry-after"], JSON.parse(refused.body)]).toMatchObject([429, "10", { code: "limit_reached" }])
    await client(server, `/app?token=${bob}`).opened()
    expect(target.links).toHaveLength(3)
    first.ws.close()
    await first.end()
    await client(server, `/app?token=${ada}`).opened()
  })
})

describe("the place of a request", () => {
  it("is found by host and path, exact ones before prefixes, and nothing is at the others", async () => {
    const names = ["exact", "prefix", "longer", "host", "anyhost"] as const
    const targets = await Promise.all(names.map((name) => rawBackend({ lines: `X-Name: ${name}\r\n` })))
    const [exact, prefix, longer, host, anyhost] = targets.map(({ url }) => url)
    const server = await start({
      proxy: [
        { path: "/a/*", targets: [prefix!] },
        { path: "/a/b", targets: [exact!] },
        { path: "/a/b/*", targets: [longer!] },
        { path: "/a/*", host: "one.example.com", targets: [host!] },
        { path: "/only/*", host: "*.example.com", targets: [anyhost!] }
      ]
    })
    const at = async (path: string, Host = "127.0.0.1"): Promise<string | number> => {
      const { headers, status } = await rawUpgrade(server, path, { headers: { Host } }).answer()
      return status === 101 ? (headers["x-name"] ?? "") : status
    }
    expect(await at("/a/b")).toBe("exact")
    expect(await at("/a/b?x")).toBe("exact")
    expect(await at("/a/c")).toBe("prefix")
    expect(await at("/a/b/c")).toBe("longer")
    expect(await at("/a/b", "one.example.com")).toBe("host")
    expect(await at("/a/b", "ONE.example.COM:8080")).toBe("host")
    expect(await at("/only/x", "two.example.com")).toBe("anyhost")
    expect(await at("/only/x")).toBe(404)
    expect(await at("/a")).toBe(404)
    expect(await at("/b")).toBe(404)
    // What a backend may read as another path has none.
    expect(await at("/a/../only/x")).toBe(404)
    expect(await at("/a/%2e%2e/b")).toBe(404)
  })

  it("may be the hub's, which goes on beside the routes", async () => {
    const echo = await backend()
    const server = await start({ proxy: [{ path: "/*", targets: [echo.url] }] })
    const ada = await connect(server)
    expect(await ada.request({ type: "echo", data: "hi" })).toMatchObject({ type: "echo", data: "hi" })
    const link = await client(server, "/anything").opened()
    link.ws.send("through")
    expect(await link.take(1)).toEqual(["through"])
    expect(await ada.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("has nobody to answer when all targets are away: 503, and when to come again", async () => {
    const dead = `http://127.0.0.1:${await freePort()}`
    const echo = await backend()
    const server = await start({
      proxy: [
        { path: "/disabled", targets: [{ url: echo.url, enabled: false }] },
        { path: "/circuit", targets: [dead], circuit_breaker: { failures: 1, open: 20 } },
        { path: "/well", targets: [echo.url] }
      ]
    })
    expect((await client(server, "/circuit").refusal()).status).toBe(502)
    for (const path of ["/disabled", "/circuit"]) {
      const refused = await client(server, path).refusal()
      expect([refused.status, JSON.parse(refused.body)]).toMatchObject([503, { code: "unavailable" }])
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0)
    }
    await client(server, "/well").opened()
  })
})

describe("TLS", () => {
  it("may be on both sides, and the backend is told of the client's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "weft-tls-"))
    const defaults = tls.getCACertificates("default")
    atEndOfTest(() => {
      rmSync(folder, { recursive: true })
      tls.setDefaultCACertificates(defaults)
    })
    tls.setDefaultCACertificates([certificate])
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }
    writeFileSync(files.cert, certificate)
    writeFileSync(files.key, privateKey)
    const https = createTlsServer({ cert: certificate, key: privateKey })
    const requests: Array<IncomingMessage> = []
    new WebSocketServer({ server: https }).on("connection", (ws, request) => {
      requests.push(request)
      ws.on("message", (data, binary) => ws.send(data, { binary }))
    })
    const address = await listening(https)
    const server = await start({ server: { tls: files }, proxy: [{ path: "/app", targets: [`wss://${address}`] }] })
    const ada = await client(server, "/app").opened()
    const block = Buffer.alloc(524_288, 7)
    for (let n = 0; n < 10; n++) ada.ws.send(block)
    await ada.take(10)
    expect(ada.received.every(({ data }) => data.equals(block))).toBe(true)
    expect(requests[0]?.headers).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-port": String(server.port) })
  })
})
