/** Serves the example client: a handful of files, read once. */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const types = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml"
} as const

const scripts = [
  "app",
  "codec",
  "composerView",
  "conversations",
  "dom",
  "format",
  "framesView",
  "latency",
  "link",
  "membersView",
  "reconnect",
  "session",
  "settings",
  "sideView",
  "statusView",
  "talkView"
]

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Which file answers a path. The library's file lies where the package is installed. */
const files: ReadonlyMap<string, () => string> = new Map([
  ["/", () => beside("index.html")],
  ["/favicon.svg", () => beside("favicon.svg")],
  ["/favicon.ico", () => beside("favicon.svg")],
  ["/assets/style.css", () => beside("style.css")],
  ["/assets/msgpack.js", () => createRequire(import.meta.url).resolve("@msgpack/msgpack/dist.umd/msgpack.min.js")],
  ...scripts.map((name): [string, () => string] => [`/assets/${name}.js`, () => beside(`${name}.js`)])
])

/**
 * Everything comes from this server and nothing is made from text. `ws:` and `wss:` stand beside 'self' because not
 * every browser takes 'self' to include them.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

interface Asset {
  readonly body: Uint8Array<ArrayBuffer>
  readonly headers: Readonly<Record<string, string>>
}

const typeOf = (file: string): string => {
  const found = Object.entries(types).find(([extension]) => file.endsWith(`.${extension}`))
  if (found === undefined) throw new Error(`no content type for ${file}`)
  return found[1]
}

/** A source map is not served, so a script must not name one. */
const withoutSourceMap = (text: string): string => text.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, "\n")

const read = (file: string): Asset => {
  const text = readFileSync(file, "utf8")
  const body = new TextEncoder().encode(file.endsWith(".js") ? withoutSourceMap(text) : text)
  const digest = createHash("sha256").update(body).digest("base64url").slice(0, 22)
  return {
    body,
    headers: {
      "content-type": typeOf(file),
      "content-length": String(body.length),
      etag: `"${digest}"`,
      "cache-control": "no-cache",
      "content-security-policy": contentSecurityPolicy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin"
    }
  }
}

const assets = new Map<string, Asset>()

const assetAt = (path: string): Asset | undefined => {
  const known = assets.get(path)
  const file = files.get(path)
  if (known !== undefined || file === undefined) return known
  const asset = read(file())
  assets.set(path, asset)
  return asset
}

/** Whether the client has this very version (RFC 9110, 13.1.2: weak comparison, a list, or `*`). */
const isCurrent = (ifNoneMatch: string | null, etag: string): boolean =>
  ifNoneMatch !== null && ifNoneMatch.split(",").some((tag) => ["*", etag, `W/${etag}`].includes(tag.trim()))

/**
 * Answers a request for the example client: `/`, `/assets/*`, the icon. Undefined: the path is not of this page.
 * GET and HEAD are served, 304 without a body to a client that has the file, any other method gets 405. A file is read
 * when it is first asked for; that it can not be read is a defect of the installation and throws.
 */
export const webHandler = (request: Request): Response | undefined => {
  const asset = assetAt(new URL(request.url).pathname)
  if (asset === undefined) return undefined
  const { body, headers } = asset
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } })
  const { "content-length": _, "content-type": __, ...unchanged } = headers
  if (isCurrent(request.headers.get("if-none-match"), headers["etag"] ?? "")) return new Response(null, { status: 304, headers: unchanged })
  return new Response(request.method === "HEAD" ? null : body, { headers })
}
