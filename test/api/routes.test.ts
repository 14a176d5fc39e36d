import { readFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { parsePrometheus, sampleOf } from "../observe/prometheusText.ts"
import { RawClient } from "../transport/httpServer.ts"
import { type ApiServer, serveRoutes } from "./fakeHub.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const serve = async (options?: Parameters<typeof serveRoutes>[0]): Promise<ApiServer> => {
  const server = await serveRoutes(options)
  open.push(server.close)
  return server
}

describe("health", () => {
  it.each(["/health", "/health/live", "/health/ready", "/health/websocket"])("is told at %s", async (path) => {
    const server = await serve()
    server.hub.connect("c")
    const response = await fetch(server.url + path)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ status: "ok", node: "node-1" })
    expect(response.headers.get("X-WebSocket-Local-Connections")).toBe("1")
    expect(response.headers.get("X-WebSocket-Worker-ID")).toBe("node-1")
    expect(response.headers.get("X-WebSocket-Total-Sessions")).toBe("1")
    expect(response.headers.get("X-WebSocket-Total-Workers")).toBe("1")
  })

  it("turns 503 for readiness while draining, and stays 200 for liveness", async () => {
    const server = await serve()
    server.hub.draining = true
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(503)
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
  })

  it("takes GET and HEAD only", async () => {
    const server = await serve()
    const post = await fetch(`${server.url}/health`, { method: "POST", body: "x" })
    expect([post.status, post.headers.get("allow"), await post.json()]).toEqual([
      405,
      "GET, HEAD",
      { code: "invalid_message", message: "/health takes GET" }
    ])
    const head = await fetch(`${server.url}/health`, { method: "HEAD" })
    expect([head.status, await head.text()]).toEqual([200, ""])
  })

  it("is answered at once, so that pipelined probes get their answers in order", async () => {
    const server = await serve()
    const client = new RawClient(server.port)
    open.push(() => client.socket.destroy())
    client.send(["/health/live", "/health/nothing", "/health/ready"].map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""))
    const received = await client.until((text) => text.split("HTTP/1.1 ").length === 4 && text.endsWith("}"))
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"])
  })
})

describe("metrics", () => {
  it("are Prometheus text with the hub's gauges and the requests answered so far", async () => {
    const server = await serve()
    server.hub.connect("c")
    server.hub.members.set("r", [])
    await fetch(`${server.url}/nothing`)
    const response = await fetch(`${server.url}/metrics`)
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const families = parsePrometheus(await response.text())
    expect(sampleOf(families, "weft_connections")).toBe(1)
    expect(sampleOf(families, "weft_rooms")).toBe(1)
    expect(sampleOf(families, "weft_cluster_nodes")).toBe(1)
    expect(sampleOf(families, "weft_http_requests_total", { status: "404" })).toBe(1)
  })
})

describe("the hub's paths", () => {
  it.each(["/ws", "/websocket"])("ask for an upgrade: %s", async (path) => {
    const server = await serve()
    const client = new RawClient(server.port)
    open.push(() => client.socket.destroy())
    const received = await client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).until((text) => text.endsWith("}"))
    expect(received).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n/)
    expect(received.toLowerCase()).toContain("\r\nupgrade: websocket\r\n")
    expect(JSON.parse(received.slice(received.indexOf("\r\n\r\n")))).toEqual({
      code: "invalid_message",
      message: `${path} takes WebSocket connections`
    })
  })
})

describe("the example page", () => {
  it("answers what it knows; the rest is 404", async () => {
    const server = await serve({
      page: (request) =>
        new URL(request.url).pathname === "/" ? new Response("<p>hello", { headers: { "content-type": "text/html" } }) : undefined
    })
    const page = await fetch(`${server.url}/?x`)
    expect([page.status, await page.text()]).toEqual([200, "<p>hello"])
    const nothing = await fetch(`${server.url}/nothing`)
    expect([nothing.status, await nothing.json()]).toEqual([404, { code: "not_found", message: "nothing is at /nothing" }])
    expect(nothing.headers.get("content-type")).toBe("application/json")
  })
})

describe("every answer", () => {
  it.each(["/", "/health", "/metrics", "/api/v1/rooms", "/api/v1/nothing", "/api/openapi.json", "/ws"])(
    "carries the request's id: %s",
    async (path) => {
      const server = await serve()
      const response = await fetch(server.url + path, { headers: { "x-request-id": "abc" } })
      expect(response.headers.get("x-request-id")).toBe("abc")
      expect((await fetch(server.url + path)).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/)
    }
  )
})

/** Every `$ref` of a document. */
const references = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" && typeof inner === "string" ? [inner] : references(inner)))
}

describe("the description of the API", () => {
  it("is an OpenAPI document whose references lead somewhere and whose operations need a key", async () => {
    const server = await serve()
    const response = await fetch(`${server.url}/api/openapi.json`)
    expect(response.headers.get("content-type")).toMatch(/^application\/json/)
    const document = await response.json()
    expect(document.openapi).toBe("3.1.0")
    expect(document.components.securitySchemes).toEqual({ bearer: { type: "http", scheme: "Bearer" } })
    for (const reference of references(document)) {
      const found = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce((value: Readonly<Record<string, never>> | undefined, key) => value?.[key], document)
      expect([reference, typeof found]).toEqual([reference, "object"])
    }
    for (const operations of Object.values<Readonly<Record<string, { readonly security: unknown; readonly summary: unknown }>>>(
      document.paths
    ))
      for (const { security, summary } of Object.values(operations)) {
        expect(security).toEqual([{ bearer: [] }])
        expect(summary).toEqual(expect.any(String))
      }
  })

  it("names the endpoints that the documentation names", async () => {
    const server = await serve()
    const { paths } = await (await fetch(`${server.url}/api/openapi.json`)).json()
    const declared = Object.entries<object>(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    )
    const text = readFileSync(new URL("../../docker/operations.md", import.meta.url), "utf8")
    const documented = Array.from(text.matchAll(/^\| `([A-Z]+ \/api\/\S+)` +\|/gm), ([, endpoint]) => endpoint)
    expect(documented.toSorted()).toEqual(declared.toSorted())
  })

  it("says which bodies may be left out", async () => {
    const server = await serve()
    const { paths } = await (await fetch(`${server.url}/api/openapi.json`)).json()
    expect(paths["/api/v1/users/{user}/disconnect"].post.requestBody).toMatchObject({
      required: false,
      content: { "application/json": {} }
    })
    expect(paths["/api/v1/publish"].post.requestBody.required).toBe(true)
  })

  it("can be browsed on a page that loads nothing from elsewhere", async () => {
    const server = await serve()
    const response = await fetch(`${server.url}/api/docs`)
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8")
    const policy = response.headers.get("content-security-policy") ?? ""
    expect(policy).toMatch(/default-src 'none'; script-src 'sha256-[^;]+'; /)
    expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/)
    const html = await response.text()
    expect(html).toContain("SwaggerUIBundle")
    expect(html).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="?(?:https?:)?\/\//)
    const again = await fetch(`${server.url}/api/docs`)
    expect(await again.text()).toBe(html)
  })
})
