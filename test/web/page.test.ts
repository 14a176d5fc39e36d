import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { webHandler } from "../../src/web/page.ts"

const ask = (path: string, options: RequestInit = {}) => webHandler(new Request(`http://127.0.0.1${path}`, options))

const get = (path: string, options: RequestInit = {}): Response => {
  const response = ask(path, options)
  if (response === undefined) throw new Error(`${path} is not served`)
  return response
}

/** What a page refers to, by the attributes and import lines that make a browser fetch it. */
const references = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/(?:src|href)="(\/[^"]*)"|from "\.\/([^"]+)"/g)].map(([, absolute, relative]) => absolute ?? `/assets/${relative}`)

describe("the page's files", () => {
  it.each([
    ["/", "text/html; charset=utf-8"],
    ["/assets/app.js", "text/javascript; charset=utf-8"],
    ["/assets/msgpack.js", "text/javascript; charset=utf-8"],
    ["/assets/style.css", "text/css; charset=utf-8"],
    ["/favicon.svg", "image/svg+xml"],
    ["/favicon.ico", "image/svg+xml"]
  ])("%s is %s", async (path, type) => {
    const response = get(path)
    expect(response.status).toBe(200)
    expect(response.headers.get("content-type")).toBe(type)
    expect(response.headers.get("content-length")).toBe(String((await response.arrayBuffer()).byteLength))
  })

  it("are all there that the page and its scripts refer to", async () => {
    const seen = new Set<string>()
    const pending = ["/"]
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      const response = ask(path)
      expect([path, response?.status]).toEqual([path, 200])
      if (path !== "/assets/msgpack.js") pending.push(...references((await response?.text()) ?? ""))
    }
    expect(seen.size).toBeGreaterThan(10)
  })

  it("may be asked for with a query", () => expect(get("/?from=readme").status).toBe(200))

  it("come with a policy that lets in nothing from elsewhere and nothing inline", () => {
    const policy = get("/").headers.get("content-security-policy") ?? ""
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("connect-src 'self' ws: wss:")
    expect(policy).not.toContain("unsafe")
    expect(get("/assets/app.js").headers.get("x-content-type-options")).toBe("nosniff")
  })

  it("carry the MessagePack library as it is installed, without the name of a source map that is not served", async () => {
    const installed = readFileSync(createRequire(import.meta.url).resolve("@msgpack/msgpack/dist.umd/msgpack.min.js"), "utf8")
    const served = await get("/assets/msgpack.js").text()
    expect(installed).toContain("sourceMappingURL")
    expect(served).not.toContain("sourceMappingURL")
    expect(installed.startsWith(served.trimEnd())).toBe(true)
  })
})

describe("a client that has a file already", () => {
  const etag = get("/").headers.get("etag") ?? ""

  it("has an ETag to say so, of each file its own", () => {
    expect(etag).toMatch(/^"[\w-]{16,}"$/)
    expect(get("/").headers.get("etag")).toBe(etag)
    expect(get("/assets/app.js").headers.get("etag")).not.toBe(etag)
    expect(get("/").headers.get("cache-control")).toBe("no-cache")
  })

  it.each([etag, `W/${etag}`, `"other", ${etag}`, "*"])("gets 304 without a body for If-None-Match: %s", async (tags) => {
    const response = get("/", { headers: { "if-none-match": tags } })
    expect(response.status).toBe(304)
    expect(await response.text()).toBe("")
    expect(response.headers.get("etag")).toBe(etag)
    expect(response.headers.has("content-length")).toBe(false)
  })

  it("gets the file when its version is another", () => expect(get("/", { headers: { "if-none-match": '"other"' } }).status).toBe(200))
})

describe("other requests", () => {
  it("HEAD has the headers of GET and no body", async () => {
    const response = get("/", { method: "HEAD" })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe("")
    expect([...response.headers]).toEqual([...get("/").headers])
  })

  it("another method gets 405 and is told the ones there are", () => {
    const response = get("/", { method: "POST", body: "x" })
    expect(response.status).toBe(405)
    expect(response.headers.get("allow")).toBe("GET, HEAD")
  })

  it.each(["/index.html", "/assets/", "/assets/page.ts", "/assets/../page.ts", "/assets/%2e%2e/page.ts", "/ws", "/admin", "/constructor"])(
    "%s is not of this page",
    (path) => expect(ask(path)).toBeUndefined()
  )
})
