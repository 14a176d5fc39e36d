import { STATUS_CODES } from "node:http"
import { Context, Effect, Layer, type Scope } from "effect"
import { FindMyWay, HttpRouter, HttpServer, HttpServerRequest } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import type { Answer } from "../transport/HttpAnswer.ts"
import type { ErrorCode } from "../wire/Codes.ts"
import { AdminApi } from "./AdminApi.ts"
import { adminHandlers, NodeInfo } from "./AdminHandlers.ts"
import { authorization, requestErrors } from "./AdminMiddleware.ts"
import { Backends } from "./Backends.ts"
import { Hub } from "./Hub.ts"
import type { ApiKey } from "./Keys.ts"

/** Characters of a path parameter as it is written: 1024 bytes of name, each escaped. */
const routerConfig = { maxParamLength: 3072, caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false }

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

/** Which methods a path of the API has; none: no such path. */
const allowedMethods = (): ((path: string) => ReadonlyArray<string>) => {
  const router = FindMyWay.make<true>(routerConfig)
  HttpApi.reflect(AdminApi, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => router.on(endpoint.method, endpoint.path as `/${string}`, true)
  })
  router.on("GET", openApiPath, true)
  return (path) => {
    const found: ReadonlyArray<string> = methods.filter((method) => router.find(method, path) !== undefined)
    return found.includes("GET") ? ["HEAD", ...found] : found
  }
}

export const openApiPath = "/api/openapi.json"

/** A problem body (RFC 9457) for what no endpoint answers. */
export const problemAnswer = (status: number, code: ErrorCode, detail: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  body: JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail, code })
})

/** What the router and the request's decoder answer without a body of ours. */
const unadorned = (status: number, path: string, allowed: ReadonlyArray<string>): Answer => {
  if (status === 404 && allowed.length > 0)
    return problemAnswer(405, "invalid_message", `${path} takes ${allowed.join(", ")}`, { allow: allowed.join(", ") })
  if (status === 404) return problemAnswer(404, "not_found", `nothing is at ${path}`)
  if (status === 415) return problemAnswer(415, "invalid_message", "the body has to be JSON, with Content-Type: application/json")
  return problemAnswer(500, "internal", "the server could not answer this request")
}

/** Names the request in log lines, and tells of defects, which the client is told nothing of. */
const logging = HttpRouter.middleware(
  (httpEffect) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      httpEffect.pipe(
        Effect.tapDefect((defect) => Effect.logError("the server API failed", defect)),
        Effect.annotateLogs("request", request.headers["x-request-id"] ?? "")
      )
    ),
  { global: true }
)

/**
 * Everything under `/api` but the documentation page. All errors are problem bodies: 404 for what is not there, 405 with
 * `Allow`, 415 for a body that is no JSON.
 */
export const adminRoutes = (
  keys: ReadonlyArray<ApiKey>
): Effect.Effect<(request: Request) => Promise<Answer | Response>, never, Backends | Hub | NodeInfo | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Backends | Hub | NodeInfo>()
    const endpoints = HttpApiBuilder.layer(AdminApi, { openapiPath: openApiPath }).pipe(
      Layer.provide(adminHandlers),
      Layer.provide([authorization(keys), requestErrors]),
      Layer.provide(Layer.succeedContext(Context.pick(Backends, Hub, NodeInfo)(context))),
      Layer.provide(HttpServer.layerServices)
    )
    const { dispose, handler } = HttpRouter.toWebHandler(Layer.merge(endpoints, logging), { disableLogger: true, routerConfig })
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const allowed = allowedMethods()

    return async (request) => {
      const response = await handler(request, context)
      const path = new URL(request.url).pathname
      if (response.status >= 400 && !response.headers.get("content-type")?.startsWith("application/problem+json"))
        return unadorned(response.status, path, allowed(path))
      response.headers.set("cache-control", "no-store")
      return response
    }
  })
