import fc from "fast-check"

/** Configurations as a file may hold them, all in order. Keys are present or absent at random. */

const some = <T extends Record<string, fc.Arbitrary<unknown>>>(model: T) => fc.record(model, { requiredKeys: [] })

const text = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).filter((value) => value.isWellFormed())
const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const token = fc.stringMatching(/^[!-~]{16,40}$/)
const count = fc.nat({ max: 100_000 })
const positive = fc.integer({ min: 1, max: 100_000 })
const seconds = fc.oneof(positive, fc.double({ min: 0.001, max: 1000, noNaN: true }))

const origin = fc.oneof(
  fc.constant("*"),
  fc.domain().map((host) => `https://${host}`),
  fc.domain().map((host) => `https://*.${host}:8443`)
)
const network = fc.oneof(
  fc.ipV4(),
  fc.tuple(fc.nat(255), fc.integer({ min: 8, max: 32 })).map(([octet, bits]) => `${octet}.0.0.0/${bits}`),
  fc.constant("fd00::/8")
)
const url = fc.domain().map((host) => `https://${host}/x`)
const lists = (item: fc.Arbitrary<string>) => fc.array(item, { maxLength: 3 })

const room = fc.record(
  {
    pattern: text,
    join: fc.constantFrom("anyone", "users", "token", "none"),
    publish: fc.constantFrom("members", "anyone", "users", "token", "none", true, false),
    presence: fc.constantFrom("members", "anyone", "none", true, false),
    join_leave: fc.boolean(),
    members: count,
    history: some({ size: positive, ttl: seconds })
  },
  { requiredKeys: ["pattern"] }
)

const heartbeat = fc
  .tuple(seconds, seconds)
  .filter(([one, other]) => one !== other)
  .map((pair) => ({ interval: Math.min(...pair), timeout: Math.max(...pair) }))

const limits = some({
  message: fc.integer({ min: 1, max: 1_048_576 }),
  room_name: fc.integer({ min: 1, max: 1024 }),
  rooms: count,
  depth: fc.integer({ min: 1, max: 512 }),
  connections: count,
  rate: positive,
  rate_per_user: positive,
  burst: fc.integer({ min: 1, max: 60 }),
  buffer: fc.integer({ min: 1_048_576, max: 10_000_000 }),
  calls: positive,
  call_timeout: seconds,
  mailbox: positive
})

const jwt = fc.record(
  { secret: text, issuer: text, audience: text, leeway: seconds, algorithms: fc.constantFrom(["HS256"], ["HS512", "HS384"]) },
  { requiredKeys: ["secret"] }
)

const apiKeys = fc.uniqueArray(
  fc.record({ name: text, key: token, scopes: fc.subarray(["read", "publish", "manage", "*"], { minLength: 1 }) }),
  {
    maxLength: 3,
    comparator: (one, other) => one.name === other.name || one.key === other.key
  }
)

const path = fc
  .tuple(fc.array(fc.stringMatching(/^[a-z0-9.~%!$@:=-]{0,8}[a-z]$/), { maxLength: 3 }), fc.constantFrom("", "/", "/*"))
  .map(([names, end]) => `/r${names.map((name) => `/${name.replaceAll("%", "%C3")}`).join("")}${end}`)

const target = fc.domain().map((host) => `http://${host}/x`)
const targets = fc.uniqueArray(
  fc.oneof(target, fc.record({ url: target, weight: fc.integer({ min: 1, max: 1000 }), enabled: fc.boolean() }, { requiredKeys: ["url"] })),
  {
    minLength: 1,
    maxLength: 3,
    selector: (target) => (typeof target === "string" ? target : target.url)
  }
)

const sticky = fc.oneof(
  fc.boolean(),
  some({ by: fc.constantFrom("cookie", "ip", "header:X-Room", "query:room"), cookie: name, ttl: seconds, secret: token })
)

const header = fc.stringMatching(/^A-[A-Za-z0-9]{1,10}$/)
const headers = some({
  add: fc.uniqueArray(fc.tuple(header, token), { maxLength: 3, selector: ([name]) => name.toLowerCase() }).map(Object.fromEntries),
  remove: lists(header)
})
const health = { interval: seconds, timeout: seconds, path: fc.constantFrom("/", "/health?full=1"), up: positive, down: positive }

const route = fc.record(
  {
    path,
    host: fc.oneof(
      fc.domain(),
      fc.domain().map((host) => `*.${host}`)
    ),
    targets,
    strategy: fc.constantFrom("round_robin", "weighted_round_robin", "random", "least_connections", "power_of_two", "consistent_hash"),
    timeout: seconds,
    max_message: positive,
    max_body: count,
    strip_prefix: fc.boolean(),
    slow_start: count,
    all_down: fc.constantFrom("refuse", "use_all"),
    sticky_sessions: sticky,
    request_headers: headers,
    response_headers: headers,
    websocket_health: some({ ...health, ping_message: text }),
    http_health: some({ ...health, status: fc.constantFrom("200", "200-299, 401") }),
    circuit_breaker: some({ failures: positive, rate: fc.double({ min: 0, max: 1, noNaN: true }), min: positive, window: seconds }),
    failover: some({ mode: fc.constantFrom("close", "reconnect"), deadline: seconds, preamble: count }),
    auth: some({ required: fc.constant(false), header: fc.constantFrom("", "X-User"), query: fc.constantFrom("", "u") })
  },
  { requiredKeys: ["path", "targets"] }
)

export const configuration = some({
  node: fc.record({ id: name }),
  server: some({
    host: fc.constantFrom("127.0.0.1", "::1", "localhost"),
    port: fc.integer({ min: 0, max: 65_535 }),
    origins: lists(origin),
    trusted_proxies: lists(network),
    compression: fc.boolean(),
    allow_anonymous: fc.boolean()
  }),
  auth: some({
    timeout: seconds,
    anonymous: fc.boolean(),
    anonymous_server: lists(text),
    jwt,
    http: fc.record({ url, timeout: seconds, cache: count }, { requiredKeys: ["url"] })
  }),
  api: fc.record({ keys: apiKeys }),
  limits,
  heartbeat,
  session: fc.record({ ttl: count }),
  drain: fc.record({ period: count }),
  cluster: fc.record({ name }),
  room: fc.array(room, { maxLength: 4 }),
  gateway: some({ secret: token }),
  proxy: fc.uniqueArray(route, { maxLength: 3, selector: ({ path }) => path }),
  log: some({
    level: fc.constantFrom("trace", "debug", "info", "warn", "error", "fatal", "none"),
    format: fc.constantFrom("auto", "pretty", "json")
  })
})
