import type { ProxyRoute } from "../../src/config/proxy.ts"

/** A route with the defaults of the configuration. A target may be given as its URL. */
export const proxyRoute = (
  targets: ReadonlyArray<string | { readonly url: string; readonly weight?: number; readonly enabled?: boolean }>,
  options: Partial<Omit<ProxyRoute, "targets">> = {}
): ProxyRoute => ({
  name: "/chat/*",
  path: "/chat/*",
  strategy: "round_robin",
  timeout: 300,
  connect_timeout: 5,
  max_message: 16_777_216,
  buffer: 1_048_576,
  max_body: 0,
  strip_prefix: false,
  connections_per_user: 0,
  slow_start: 0,
  deregistration_delay: 300,
  all_down: "refuse",
  request_headers: { add: {}, remove: [] },
  response_headers: { add: {}, remove: [] },
  failover: { mode: "close", deadline: 30, buffer: 1_048_576, preamble: 0, ping_timeout: 5 },
  auth: { required: false, header: "X-User-Id", query: "user_id" },
  ...options,
  targets: targets.map((target) =>
    typeof target === "string" ? { url: target, weight: 1, enabled: true } : { weight: 1, enabled: true, ...target }
  )
})

/** URLs of `count` targets. */
export const urls = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `http://10.0.0.${index + 1}:9000`)

export const circuitBreaker = { failures: 3, rate: 0.5, min: 20, window: 10, open: 30, tests: 1, successes: 1 }

export const webSocketHealth = { interval: 30, timeout: 5, path: "/", up: 2, down: 3 }
