/** Which part answers which HTTP request. */
import { Clock, Effect, type Scope } from "effect"
import type { Settings } from "../config/Settings.ts"
import { Metrics } from "../observe/Metrics.ts"
import { metricsAnswer } from "../observe/Prometheus.ts"
import { type Answer, errorAnswer, type HttpHandler } from "../transport/HttpAnswer.ts"
import { NodeInfo } from "./AdminHandlers.ts"
import { adminRoutes, problemAnswer } from "./adminRoutes.ts"
import type { Backends } from "./Backends.ts"
import { docsPage } from "./docs.ts"
import { healthAnswer, livenessAnswer, type NodeHealth, readinessAnswer, webSocketHealthAnswer } from "./Health.ts"
import { Hub } from "./Hub.ts"

export interface HttpRoutesOptions {
  readonly settings: Pick<Settings, "api" | "heartbeat" | "limits" | "server">
  readonly version: string
  /** Where WebSocket clients connect. */
  readonly hubPaths: ReadonlyArray<string>
  /** The example client. Undefined: the path is not of the page. */
  readonly page: (request: Request) => Response | undefined
}

const readOnly =
  (path: string, answer: () => Answer | Promise<Answer>): HttpHandler =>
  (request) =>
    request.method === "GET" || request.method === "HEAD"
      ? answer()
      : errorAnswer("invalid_message", `${path} takes GET`, { status: 405, headers: { allow: "GET, HEAD" } })

/** The transport hands over as plain requests what it does not take for a WebSocket handshake. */
const notUpgraded = (path: string, request: Request): Answer =>
  request.headers.get("upgrade")?.toLowerCase() === "websocket"
    ? errorAnswer("invalid_message", "Sec-WebSocket-Key must be 16 bytes in base64")
    : upgradeRequired(path)

const upgradeRequired = (path: string): Answer =>
  errorAnswer("invalid_message", `${path} takes WebSocket connections`, { status: 426, headers: { upgrade: "websocket" } })

/**
 * The one handler for everything that is no WebSocket connection. Health and metrics are answered at once. What is unknown
 * is 404 with `{code, message}`, under `/api` with a problem body.
 */
export const httpRoutes = (options: HttpRoutesOptions): Effect.Effect<HttpHandler, never, Backends | Hub | Metrics | Scope.Scope> =>
  Effect.gen(function* () {
    const { hubPaths, page, settings, version } = options
    const hub = yield* Hub
    const metrics = yield* Metrics
    const clock = yield* Clock.Clock
    const startedAt = clock.currentTimeMillisUnsafe()
    metrics.gauges(() => {
      const { connections, rooms } = hub.counts()
      return { connections, rooms, nodes: 1 }
    })
    const admin = yield* adminRoutes(settings.api.keys).pipe(
      Effect.provideService(NodeInfo, { version, startedAt, counters: metrics.counters, limits: settings.limits })
    )

    const health = (): NodeHealth => ({
      node: hub.node,
      version,
      uptime: (clock.currentTimeMillisUnsafe() - startedAt) / 1000,
      draining: hub.draining(),
      ...hub.counts(),
      workers: 1
    })
    const webSocket = {
      paths: hubPaths,
      heartbeat: settings.heartbeat,
      compression: settings.server.compression,
      limits: { message: settings.limits.message, room_name: settings.limits.room_name, rooms: settings.limits.rooms }
    }
    const plain: ReadonlyArray<readonly [path: string, answer: () => Answer | Promise<Answer>]> = [
      ["/health", () => healthAnswer(health())],
      ["/health/live", () => livenessAnswer(health())],
      ["/health/ready", () => readinessAnswer(health())],
      ["/health/websocket", () => webSocketHealthAnswer(health(), webSocket)],
      ["/metrics", () => metricsAnswer(metrics)],
      ["/api/docs", docsPage()]
    ]
    const fixed: ReadonlyMap<string, HttpHandler> = new Map([
      ...plain.map(([path, answer]): [string, HttpHandler] => [path, readOnly(path, answer)]),
      ...hubPaths.map((path): [string, HttpHandler] => [
        path,
        (request, info) => readOnly(path, () => notUpgraded(path, request))(request, info)
      ])
    ])

    return (request, info) => {
      const path = new URL(request.url).pathname
      const handler = fixed.get(path)
      if (handler !== undefined) return handler(request, info)
      if (path.startsWith("/api/")) return admin(request)
      if (path === "/api") return problemAnswer(404, "not_found", "the server API is under /api/v1, its documentation at /api/docs")
      return page(request) ?? errorAnswer("not_found", `nothing is at ${path}`)
    }
  })
