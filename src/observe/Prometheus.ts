import type { Answer } from "../transport/HttpAnswer.ts"
import type { Metrics } from "./Metrics.ts"

/** The answer to `GET /metrics`. */
export const metricsAnswer = (metrics: Metrics["Service"]): Answer => ({
  status: 200,
  headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
  body: metrics.render()
})
