import { afterEach, describe, expect, it } from "vitest"
import { HubError } from "../../src/api/Hub.ts"
import type { HttpRoutesOptions } from "../../src/api/routes.ts"
import { type ApiServer, serveRoutes, settings } from "./fakeHub.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const serve = async (options?: Partial<HttpRoutesOptions>): Promise<ApiServer> => {
  const server = await serveRoutes(options)
  open.push(server.close)
  return server
}

const all = "key-for-everything"

const ask = (server: ApiServer, method: string, path: string, body?: unknown, key: string | undefined = all): Promise<Response> =>
  fetch(server.url + path, {
    method,
    headers: {
      ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
  })

const expectProblem = async (response: Response, status: number, code: string): Promise<string> => {
  const text = await response.text()
  expect([response.status, text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)])
  expect(response.headers.get("content-type")).toBe("application/problem+json")
  const problem = JSON.parse(text)
  expect(problem).toEqual({ type: "about:blank", title: expect.any(String), status, detail: expect.any(String), code })
  return problem.detail
}

const member = (connection: string) => ({ connection, since: 1_700_000_000_000 })

describe("publishing", () => {
  it("reaches a room", async () => {
    const server = await serve()
    const response = await ask(server, "POST", "/api/v1/publish", { room: "chat/é", data: { text: "hi", deep: [1, null] } })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({})
    expect(response.headers.get("cache-control")).toBe("no-store")
    expect(server.hub.calls).toEqual([["publish", "chat/é", { text: "hi", deep: [1, null] }]])
  })

  it.each([[null], [false], [0], [""], [[]], [{}], ["text"]])("takes %j as data", async (data) => {
    const server = await serve()
    expect((await ask(server, "POST", "/api/v1/publish", { room: "a", data })).status).toBe(200)
    expect(server.hub.calls).toEqual([["publish", "a", data]])
  })

  it("reaches many rooms, and tells for each what became of it", async () => {
    const server = await serve()
    server.hub.failures.set("b", new HubError({ code: "unavailable", message: "too much to do" }))
    const response = await ask(server, "POST", "/api/v1/publish/many", { rooms: ["a", "b", "c"], data: 1 })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      results: [{ room: "a" }, { room: "b", error: { code: "unavailable", message: "too much to do" } }, { room: "c" }]
    })
  })

  it("takes a hundred rooms at once and no more", async () => {
    const server = await serve()
    const rooms = (count: number) => ({ rooms: Array.from({ length: count }, (_, i) => `r${i}`), data: 1 })
    expect((await ask(server, "POST", "/api/v1/publish/many", rooms(100))).status).toBe(200)
    await expectProblem(await ask(server, "POST", "/api/v1/publish/many", rooms(101)), 400, "invalid_message")
    await expectProblem(await ask(server, "POST", "/api/v1/publish/many", rooms(0)), 400, "invalid_message")
  })

  it("reaches everyone", async () => {
    const server = await serve()
    expect(await (await ask(server, "POST", "/api/v1/broadcast", { data: 1 })).json()).toEqual({})
    expect(server.hub.calls).toEqual([["publishAll", 1]])
  })

  it("reaches a user and a connection, whose names are escaped in the path", async () => {
    const server = await serve()
    server.hub.connect("c/1", { user: "Ann & Bob/ü" })
    const user = await ask(server, "POST", `/api/v1/users/${encodeURIComponent("Ann & Bob/ü")}/send`, { data: 1 })
    expect(await user.json()).toEqual({ delivered: 1 })
    const connection = await ask(server, "POST", `/api/v1/connections/${encodeURIComponent("c/1")}/send`, { data: 2 })
    expect(await connection.json()).toEqual({ delivered: 1 })
    expect(server.hub.calls).toEqual([
      ["sendUser", "Ann & Bob/ü", 1],
      ["sendConnection", "c/1", 2]
    ])
  })

  it("to a user who is away delivers to nobody, to a connection that is gone is not_found", async () => {
    const server = await serve()
    expect(await (await ask(server, "POST", "/api/v1/users/nobody/send", { data: 1 })).json()).toEqual({ delivered: 0 })
    await expectProblem(await ask(server, "POST", "/api/v1/connections/gone/send", { data: 1 }), 404, "not_found")
  })

  it.each([
    ["unavailable", 503],
    ["forbidden", 403],
    ["limit_reached", 429],
    ["internal", 500],
    ["timeout", 504],
    ["conflict", 409],
    ["invalid_message", 400]
  ] as const)("that the hub answers with %s is a problem of status %i", async (code, status) => {
    const server = await serve()
    server.hub.failures.set("a", new HubError({ code, message: "why" }))
    expect(await expectProblem(await ask(server, "POST", "/api/v1/publish", { room: "a", data: 1 }), status, code)).toBe("why")
  })
})

describe("a request that is not as declared", () => {
  it.each([
    ["a missing field", { data: 1 }, "body.room"],
    ["missing data", { room: "a" }, "body.data"],
    ["a field of another type", { room: 5, data: 1 }, "body.room"],
    ["an empty name", { room: "", data: 1 }, "body.room"],
    ["no map", [1], "body"],
    ["null", "null", "body"],
    ["no JSON", "{room", "body"],
    ["nothing", undefined, "body"]
  ])("has %s: the problem names the field", async (_, body, field) => {
    const server = await serve()
    const detail = await expectProblem(await ask(server, "POST", "/api/v1/publish", body), 400, "invalid_message")
    expect(detail).toMatch(new RegExp(`^${field}: .`))
    expect(server.hub.calls).toEqual([])
  })

  it("has an empty name in its path: the problem names it", async () => {
    const server = await serve()
    const detail = await expectProblem(await ask(server, "GET", "/api/v1/rooms/"), 400, "invalid_message")
    expect(detail).toMatch(/^path\.room: /)
  })

  it("does not get its values repeated in the problem", async () => {
    const server = await serve()
    const detail = await expectProblem(
      await ask(server, "POST", "/api/v1/publish", { room: ["my secret"], data: 1 }),
      400,
      "invalid_message"
    )
    expect(detail).not.toContain("secret")
  })

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])("has a body of %s: 415", async (type) => {
    const server = await serve()
    const headers = { authorization: `Bearer ${all}`, "content-type": type }
    await expectProblem(await fetch(`${server.url}/api/v1/publish`, { method: "POST", headers, body: "{}" }), 415, "invalid_message")
  })

  it("may name a charset with its JSON", async () => {
    const server = await serve()
    const headers = { authorization: `Bearer ${all}`, "content-type": "Application/JSON; charset=utf-8" }
    const response = await fetch(`${server.url}/api/v1/publish`, { method: "POST", headers, body: `{"room":"a","data":1}` })
    expect(response.status).toBe(200)
  })

  it.each(["0", "1001", "-1", "1.5", "x", ""])("asks for %s connections: the problem names the limit", async (limit) => {
    const server = await serve()
    const detail = await expectProblem(await ask(server, "GET", `/api/v1/connections?limit=${limit}`), 400, "invalid_message")
    expect(detail).toMatch(/^query\.limit: /)
  })

  it("has data that no client's message may have", async () => {
    const server = await serve()
    const publish = (data: string): Promise<Response> => ask(server, "POST", "/api/v1/publish", `{"room":"a","data":${data}}`)
    // The message is the first of 64 levels.
    expect((await publish("[".repeat(63) + "]".repeat(63))).status).toBe(200)
    await expectProblem(await publish("[".repeat(64) + "]".repeat(64)), 400, "invalid_message")
    await expectProblem(await publish("[".repeat(200_000) + "]".repeat(200_000)), 400, "invalid_message")
    await expectProblem(await publish(`{"a":${`{"a":`.repeat(100_000)}1${"}".repeat(100_000)}}`), 400, "invalid_message")
    await expectProblem(await publish(`{"x":{"__proto__":{}}}`), 400, "invalid_message")
    await expectProblem(await publish(`{"x":{"__pr\\u006fto__":{}}}`), 400, "invalid_message")
    await expectProblem(await publish(`"x\\ud800y"`), 400, "invalid_message")
    await expectProblem(await publish(`{"a":[{"\\ude00":1}]}`), 400, "invalid_message")
    await expectProblem(await publish("1e999"), 400, "invalid_message")
    expect((await publish(`"${"x".repeat(524_286)}"`)).status).toBe(200)
    await expectProblem(await publish(`"${"x".repeat(524_287)}"`), 413, "too_large")
    expect(server.hub.calls).toHaveLength(2)
  })

  it.each([
    ["/api/v1/publish", { room: "a", data: 1 }],
    ["/api/v1/publish/many", { rooms: ["a"], data: 1 }],
    ["/api/v1/broadcast", { data: 1 }],
    ["/api/v1/users/u/send", { data: 1 }],
    ["/api/v1/connections/c/send", { data: 1 }],
    ["/api/v1/users/u/disconnect", {}],
    ["/api/v1/connections/c/disconnect", { reason: "why" }]
  ])("has a field that is not known: %s names it, and does nothing", async (path, body) => {
    const server = await serve()
    server.hub.connect("c", { user: "u" })
    for (const field of ["exclude_self", "Data", "__proto__"]) {
      const text = JSON.stringify(body).replace(/\{?\}$/, (end) => `${end === "{}" ? "{" : ","}"${field}":"my secret"}`)
      const detail = await expectProblem(await ask(server, "POST", path, text), 400, "invalid_message")
      expect(detail).toMatch(new RegExp(`^body\\.${field}: .`))
      expect(detail).not.toContain("secret")
    }
    expect(server.hub.calls).toEqual([])
    expect((await ask(server, "POST", path, body)).status).toBe(200)
  })

  it("may have fields of its own in data", async () => {
    const server = await serve()
    const data = { key: "k", room: "b", data: [{ more: 1 }] }
    expect((await ask(server, "POST", "/api/v1/publish", { room: "a", data })).status).toBe(200)
    expect(server.hub.calls).toEqual([["publish", "a", data]])
  })

  it("asks to publish once: that is unavailable, and nothing is published", async () => {
    const server = await serve()
    await expectProblem(await ask(server, "POST", "/api/v1/publish", { room: "a", data: 1, key: "k" }), 503, "unavailable")
    for (const key of ["", "k".repeat(129), 5, null])
      await expectProblem(await ask(server, "POST", "/api/v1/publish", { room: "a", data: 1, key }), 400, "invalid_message")
    await expectProblem(await ask(server, "POST", "/api/v1/publish/many", { rooms: ["a"], data: 1, key: "k" }), 400, "invalid_message")
    expect(server.hub.calls).toEqual([])
  })

  it.each([
    ["/api/v1/publish", `{"room":"a\\ud800","data":1}`, "body.room"],
    ["/api/v1/publish/many", `{"rooms":["a","\\ud800"],"data":1}`, "body.rooms.1"],
    ["/api/v1/users/u/disconnect", `{"reason":"\\ud800"}`, "body.reason"]
  ])("has a text without a UTF-8 form: %s names the field", async (path, body, field) => {
    const server = await serve()
    expect(await expectProblem(await ask(server, "POST", path, body), 400, "invalid_message")).toBe(`${field}: not well-formed Unicode`)
    expect(server.hub.calls).toEqual([])
  })

  it("has a body over the limit of the transport", async () => {
    const server = await serve()
    const response = await ask(server, "POST", "/api/v1/publish", `{"room":"a","data":"${"x".repeat(1024 * 1024)}"}`)
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: "too_large" })
  })
})

describe("rooms", () => {
  it("are listed with their members, page by page", async () => {
    const server = await serve()
    for (const name of ["b", "a", "d", "c"]) server.hub.members.set(name, [member("1")])
    expect(await (await ask(server, "GET", "/api/v1/rooms")).json()).toEqual({
      rooms: ["a", "b", "c", "d"].map((room) => ({ room, members: 1 }))
    })
    const first = await (await ask(server, "GET", "/api/v1/rooms?limit=3")).json()
    expect(first).toEqual({ rooms: ["a", "b", "c"].map((room) => ({ room, members: 1 })), next: "c" })
    expect(await (await ask(server, "GET", `/api/v1/rooms?limit=3&after=${first.next}`)).json()).toEqual({
      rooms: [{ room: "d", members: 1 }]
    })
  })

  it.each(["plain", "a/b/c", "@user", "100%", "ü€😀", "a b", "a//b", "a?b#c", "x".repeat(128), "é".repeat(64), "%2F", "a;b=c", "A"])(
    "are found by name, escaped: %s",
    async (room) => {
      const server = await serve()
      server.hub.members.set(room, [member("1"), member("2")])
      const response = await ask(server, "GET", `/api/v1/rooms/${encodeURIComponent(room)}`)
      expect(await response.json()).toEqual({ room, members: 2 })
      const presence = await ask(server, "GET", `/api/v1/rooms/${encodeURIComponent(room)}/presence`)
      expect(await presence.json()).toEqual({ room, members: [member("1"), member("2")] })
    }
  )

  it("tell who is there with all that is known", async () => {
    const server = await serve()
    const ann = { connection: "1", user: "ann", info: { name: "Ann", tags: [1, { a: null }] }, since: 1_700_000_000_000 }
    server.hub.members.set("r", [ann])
    expect(await (await ask(server, "GET", "/api/v1/rooms/r/presence")).json()).toEqual({ room: "r", members: [ann] })
  })

  it("that nobody is in are not found", async () => {
    const server = await serve()
    await expectProblem(await ask(server, "GET", "/api/v1/rooms/empty"), 404, "not_found")
    expect(await (await ask(server, "GET", "/api/v1/rooms/empty/presence")).json()).toEqual({ room: "empty", members: [] })
  })

  it.each(["GET", "DELETE"])("have no history yet: %s is unavailable", async (method) => {
    const server = await serve()
    await expectProblem(await ask(server, method, "/api/v1/rooms/r/history"), 503, "unavailable")
  })
})

describe("connections and users", () => {
  it("are listed in the order of arrival, page by page, all or of one user", async () => {
    const server = await serve()
    for (let i = 0; i < 5; i++) server.hub.connect(`c${i}`, i % 2 === 0 ? { user: "ann" } : { encoding: "msgpack", rooms: ["r"] })
    const ids = (page: { readonly connections: ReadonlyArray<{ readonly connection: string }> }) =>
      page.connections.map((each) => each.connection)
    const whole = await (await ask(server, "GET", "/api/v1/connections")).json()
    expect(ids(whole)).toEqual(["c0", "c1", "c2", "c3", "c4"])
    expect(whole.next).toBeUndefined()
    expect(whole.connections[1]).toEqual({
      connection: "c1",
      address: "192.0.2.1",
      encoding: "msgpack",
      connected_at: 1_700_000_000_000,
      rooms: ["r"],
      node: "node-1"
    })
    const first = await (await ask(server, "GET", "/api/v1/connections?limit=2")).json()
    expect([ids(first), first.next]).toEqual([["c0", "c1"], "c1"])
    const last = await (await ask(server, "GET", "/api/v1/connections?limit=3&after=c1")).json()
    expect([ids(last), last.next]).toEqual([["c2", "c3", "c4"], undefined])
    expect(ids(await (await ask(server, "GET", "/api/v1/connections?user=ann")).json())).toEqual(["c0", "c2", "c4"])
  })

  it("say so when the connection that marks the page has gone", async () => {
    const server = await serve()
    server.hub.connect("c0")
    await expectProblem(await ask(server, "GET", "/api/v1/connections?after=gone"), 404, "not_found")
  })

  it("are found one by one", async () => {
    const server = await serve()
    server.hub.connect("c0", { user: "ann" })
    expect(await (await ask(server, "GET", "/api/v1/connections/c0")).json()).toMatchObject({ connection: "c0", user: "ann" })
    await expectProblem(await ask(server, "GET", "/api/v1/connections/c1"), 404, "not_found")
    expect(await (await ask(server, "GET", "/api/v1/users")).json()).toEqual({ users: [{ user: "ann", connections: 1 }] })
  })

  it("are sent away, with a reason or without a body at all", async () => {
    const server = await serve()
    server.hub.connect("c0", { user: "ann" })
    expect(await (await ask(server, "POST", "/api/v1/connections/c0/disconnect", { reason: "maintenance" })).json()).toEqual({})
    expect(await (await ask(server, "POST", "/api/v1/connections/c0/disconnect")).json()).toEqual({})
    expect(await (await ask(server, "POST", "/api/v1/users/ann/disconnect", {})).json()).toEqual({ disconnected: 1 })
    expect(server.hub.calls).toEqual([
      ["disconnectConnection", "c0", "maintenance"],
      ["disconnectConnection", "c0", undefined],
      ["disconnectUser", "ann", undefined]
    ])
    await expectProblem(await ask(server, "POST", "/api/v1/connections/gone/disconnect"), 404, "not_found")
  })

  it("are sent away with a reason that fits a close frame", async () => {
    const server = await serve()
    const long = await ask(server, "POST", "/api/v1/users/ann/disconnect", { reason: "é".repeat(62) })
    expect(await expectProblem(long, 400, "invalid_message")).toMatch(/^body\.reason: /)
    expect((await ask(server, "POST", "/api/v1/users/ann/disconnect", { reason: "é".repeat(61) })).status).toBe(200)
  })
})

describe("the server's figures", () => {
  it("are told per node and per user", async () => {
    const server = await serve()
    server.hub.connect("c0", { user: "ann" })
    server.hub.connect("c1", { user: "ann" })
    server.hub.connect("c2")
    server.hub.members.set("r", [])
    server.hub.draining = true
    server.counters.received("json")
    server.counters.error("forbidden")
    const node = { node: "node-1", connections: 3, rooms: 1, users: 1, draining: true }
    expect(await (await ask(server, "GET", "/api/v1/nodes")).json()).toEqual({ nodes: [node] })
    const stats = await (await ask(server, "GET", "/api/v1/stats")).json()
    expect(stats).toMatchObject({
      ...node,
      version: "1.2.3",
      sessions: 3,
      messages: { in: 1, out: 0 },
      deliveries: 0,
      dropped: 0,
      errors: 1
    })
    expect(stats.uptime).toBeGreaterThanOrEqual(0)
    expect(stats.memory).toBeGreaterThan(1_000_000)
    expect(await (await ask(server, "GET", "/api/websocket/stats")).json()).toEqual({
      connections: 3,
      nodes: [{ node: "node-1", connections: 3 }],
      users: [{ user: "ann", connections: 2 }]
    })
  })
})

describe("keys", () => {
  const endpoints = [
    ["read", "GET", "/api/v1/rooms"],
    ["read", "GET", "/api/v1/rooms/r"],
    ["read", "GET", "/api/v1/rooms/r/presence"],
    ["read", "GET", "/api/v1/rooms/r/history"],
    ["manage", "DELETE", "/api/v1/rooms/r/history"],
    ["read", "GET", "/api/v1/connections"],
    ["read", "GET", "/api/v1/connections/c"],
    ["read", "GET", "/api/v1/users"],
    ["read", "GET", "/api/v1/nodes"],
    ["read", "GET", "/api/v1/stats"],
    ["read", "GET", "/api/websocket/stats"],
    ["publish", "POST", "/api/v1/publish"],
    ["publish", "POST", "/api/v1/publish/many"],
    ["publish", "POST", "/api/v1/broadcast"],
    ["publish", "POST", "/api/v1/users/u/send"],
    ["publish", "POST", "/api/v1/connections/c/send"],
    ["manage", "POST", "/api/v1/users/u/disconnect"],
    ["manage", "POST", "/api/v1/connections/c/disconnect"],
    ["read", "GET", "/api/v1/backends"],
    ["read", "GET", "/api/v1/backends/chat"],
    ["manage", "POST", "/api/v1/backends/drain"],
    ["manage", "POST", "/api/v1/backends/undrain"],
    ["manage", "POST", "/api/v1/backends/enable"],
    ["manage", "POST", "/api/v1/backends/disable"]
  ] as const

  it.each(endpoints)("need the scope %s for %s %s", async (scope, method, path) => {
    const server = await serve()
    const body = method === "POST" ? { room: "r", rooms: ["r"], data: 1 } : undefined
    const missing = await ask(server, method, path, body, "")
    expect(missing.headers.get("www-authenticate")).toBe('Bearer realm="weft"')
    await expectProblem(missing, 401, "unauthorized")
    for (const [key, scopes] of [
      ["key-for-reading", "read"],
      ["key-for-publishing", "publish"],
      ["key-for-managing", "manage"]
    ] as const) {
      const response = await ask(server, method, path, body, key)
      if (scopes !== scope) await expectProblem(response, 403, "forbidden")
      else expect([401, 403]).not.toContain(response.status)
    }
    expect([401, 403]).not.toContain((await ask(server, method, path, body, all)).status)
  })

  it("cover every endpoint of the OpenAPI document", async () => {
    const server = await serve()
    const document = await (await fetch(`${server.url}/api/openapi.json`)).json()
    const declared = Object.entries<object>(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    )
    const tried = endpoints.map(([, method, path]) =>
      `${method} ${path}`
        .replace(/\/rooms\/r/, "/rooms/{room}")
        .replace(/\/users\/u/, "/users/{user}")
        .replace(/\/connections\/c/, "/connections/{id}")
        .replace(/\/backends\/chat/, "/backends/{route}")
    )
    expect(declared.toSorted()).toEqual(tried.toSorted())
  })

  it.each([
    ["wrong", "Bearer nonsense"],
    ["another scheme", "Basic a2V5LWZvci1ldmVyeXRoaW5n"],
    ["no scheme", all],
    ["empty", "Bearer "],
    ["a prefix of a key", "Bearer key-for-everythin"],
    ["a key and more", "Bearer key-for-everything2"]
  ])("that are %s are refused", async (_, authorization) => {
    const server = await serve()
    await expectProblem(await fetch(`${server.url}/api/v1/rooms`, { headers: { authorization } }), 401, "unauthorized")
  })

  it("are matched whatever the case of the scheme", async () => {
    const server = await serve()
    expect((await fetch(`${server.url}/api/v1/rooms`, { headers: { authorization: `bearer ${all}` } })).status).toBe(200)
  })

  it("that are not configured let nobody in", async () => {
    const server = await serve({ settings: { ...settings, api: { keys: [] } } })
    for (const authorization of [undefined, "Bearer ", "Bearer x"])
      await expectProblem(
        await fetch(`${server.url}/api/v1/rooms`, { headers: authorization === undefined ? {} : { authorization } }),
        401,
        "unauthorized"
      )
  })

  it("are checked before the body is looked at", async () => {
    const server = await serve()
    await expectProblem(await ask(server, "POST", "/api/v1/publish", "{nonsense", "wrong"), 401, "unauthorized")
  })
})

describe("what is not there", () => {
  it.each(["/api/v1/nothing", "/api/v2/rooms", "/api/", "/api", "/api/v1/rooms/%zz", "/API/v1/rooms", "/api/V1/rooms"])(
    "is 404: %s",
    async (path) => {
      const server = await serve()
      const response = await ask(server, "GET", path)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ code: "not_found" })
      if (path.startsWith("/api")) expect(response.headers.get("content-type")).toBe("application/problem+json")
    }
  )

  it.each([
    ["GET", "/api/v1/publish", "POST"],
    ["DELETE", "/api/v1/rooms", "HEAD, GET"],
    ["POST", "/api/v1/rooms/r/history", "HEAD, GET, DELETE"],
    ["PUT", "/api/openapi.json", "HEAD, GET"],
    ["OPTIONS", "/api/v1/users/u/send", "POST"]
  ])("as a method is 405: %s %s, which takes %s", async (method, path, allow) => {
    const server = await serve()
    const response = await ask(server, method, path)
    expect(response.headers.get("allow")).toBe(allow)
    await expectProblem(response, 405, "invalid_message")
  })

  it("takes HEAD where it takes GET", async () => {
    const server = await serve()
    const response = await ask(server, "HEAD", "/api/v1/rooms")
    expect([response.status, await response.text()]).toEqual([200, ""])
    expect(response.headers.get("content-length")).toBe(String(JSON.stringify({ rooms: [] }).length))
  })
})

describe("a fault of the server", () => {
  it("is a problem that tells nothing of it, and a line in the log that tells all", async () => {
    const server = await serve()
    server.hub.members.get = () => {
      throw new Error("secret detail")
    }
    const response = await ask(server, "GET", "/api/v1/rooms/r")
    expect(await expectProblem(response, 500, "internal")).not.toContain("secret")
    expect(server.logs.map(({ message }) => message)).toEqual([
      ["the server API failed", expect.objectContaining({ message: "secret detail" })]
    ])
  })
})
