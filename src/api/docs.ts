import { createHash } from "node:crypto"
import { HttpRouter } from "effect/http"
import { HttpApiSwagger } from "effect/http-api"
import type { Answer } from "../transport/HttpAnswer.ts"
import { AdminApi } from "./AdminApi.ts"

const inlineScript = /<script>([^]*?)<\/script>/g

const scriptHashes = (html: string): string =>
  Array.from(html.matchAll(inlineScript), ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`).join(" ")

/**
 * Swagger UI carries its script and styles within, so the page works without the internet. The policy holds it to that: it
 * runs these scripts only and talks to this server only.
 */
const build = async (): Promise<Answer> => {
  const { dispose, handler } = HttpRouter.toWebHandler(HttpApiSwagger.layer(AdminApi, { path: "/docs" }), { disableLogger: true })
  const html = await handler(new Request("http://localhost/docs")).then((response) => response.text())
  await dispose()
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": [
        "default-src 'none'",
        `script-src ${scriptHashes(html)}`,
        "style-src 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'"
      ].join("; "),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache"
    },
    body: Buffer.from(html)
  }
}

/** The browsable documentation of the server API. Two megabytes that few ask for: made at the first request, then kept. */
export const docsPage = (): (() => Promise<Answer>) => {
  let page: Promise<Answer> | undefined
  return () => (page ??= build())
}
