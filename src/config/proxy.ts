/** The routes of the gateway: the keys of `[[proxy]]` and what they decode to. */
import { Option, Schema, SchemaGetter } from "effect"
import { optional, optionalSection, required, section, tables, withDefault } from "./Key.ts"
import {
  cookieNameRule,
  headerNameRule,
  headerValueRule,
  normaliseTarget,
  probePathRule,
  queryNameRule,
  requestHeaderRule,
  routeHostRule,
  routeNameRule,
  routePathRule,
  statusesRule,
  stickyByRule,
  targetRule,
  userHeaderRule
} from "./proxyRules.ts"
import {
  bytes,
  choice,
  count,
  list,
  optionalSecret,
  optionalText,
  type Rule,
  seconds,
  secondsOrZero,
  share,
  string,
  stringInfo,
  text,
  textOrEmpty,
  toggle
} from "./values.ts"

const transformed = (rule: Rule, transform: (value: string) => string) =>
  string(rule).pipe(Schema.decodeTo(Schema.String, { decode: SchemaGetter.transform(transform), encode: SchemaGetter.passthrough() }))

const TargetUrl = transformed(targetRule, normaliseTarget)

const targetFields = {
  url: required(
    TargetUrl,
    stringInfo(
      "Address of the backend: an http, https, ws or wss URL, with or without a base path. `ws` means the same as `http`, `wss` the same as `https`: both take WebSocket and HTTP.",
      { hidden: true }
    )
  ),
  weight: count(1, "Its share, next to the weights of the others. 0: no new clients.", 0, 1000),
  enabled: toggle(true, "`false`: it takes no clients and is not probed.")
}
const TargetTable = Schema.Struct(targetFields)

/** A target may be written as its URL alone. */
const Target = Schema.Union([
  TargetTable,
  TargetUrl.pipe(
    Schema.decodeTo(TargetTable, { decode: SchemaGetter.transform((url) => ({ url })), encode: SchemaGetter.transform(({ url }) => url) })
  )
])

const MAX_TARGETS = 1000

const Targets = Schema.Array(Target).check(
  Schema.makeFilter((targets) =>
    targets.length === 0
      ? "is empty: there is no backend to send anything to"
      : targets.length > MAX_TARGETS
        ? `has ${targets.length} targets, ${MAX_TARGETS} at most are possible`
        : undefined
  )
)

const By = Schema.Union([
  Schema.Literals(["cookie", "ip", "user"]),
  Schema.TemplateLiteral(["header:", Schema.String]),
  Schema.TemplateLiteral(["query:", Schema.String])
]).check(Schema.makeFilter(stickyByRule))

const stickyFields = {
  by: withDefault(By, "cookie", {
    kind: "string",
    type: '"cookie", "ip", "user", "header:NAME", "query:NAME"',
    expected: 'one of "cookie", "ip", "user", "header:NAME", "query:NAME"',
    doc: "What a client is known by again: a cookie that Weft sets; its address; its user, which takes `auth.required`; a header or query parameter of its request. All but the cookie choose by consistent hashing."
  }),
  cookie: text("weft_backend", "Name of the cookie.", { rule: cookieNameRule }),
  ttl: seconds(86_400, "How long the cookie is good for."),
  secret: optionalSecret("Signs the cookie. The same on all nodes. Default: `gateway.secret`.")
}
const StickyTable = Schema.Struct(stickyFields)

/** `true` is written for the table with its defaults, and `false` for none. */
const Sticky = Schema.optionalKey(Schema.Union([Schema.Boolean, Schema.toEncoded(StickyTable)])).pipe(
  Schema.decodeTo(Schema.optionalKey(StickyTable), {
    decode: SchemaGetter.transformOptional(
      Option.flatMap((sticky) => (sticky === false ? Option.none() : Option.some(sticky === true ? {} : sticky)))
    ),
    encode: SchemaGetter.passthroughSubtype()
  })
)

/** Header names and what they are set to. Which of two spellings of one name counts could not be told. */
const headersToAdd = (nameRule: Rule, doc: string) =>
  withDefault(
    Schema.Record(Schema.String, Schema.String).check(
      Schema.makeFilter((headers) => {
        const seen = new Set<string>()
        return Object.entries(headers).flatMap(([name, value]) => {
          const lower = name.toLowerCase()
          const issue =
            nameRule(name) ?? headerValueRule(value) ?? (seen.has(lower) ? "is given twice; case makes no difference" : undefined)
          seen.add(lower)
          return issue === undefined ? [] : [{ path: [name], issue }]
        })
      })
    ),
    {},
    { kind: "map", type: "table of strings", expected: "a table of header names with their values", item: "a string", doc, hidden: true }
  )

const headers = (nameRule: Rule, direction: string, sender: string, doc: string) =>
  section(
    {
      add: headersToAdd(nameRule, `Headers that every ${direction} gets, in place of those of the same name.`),
      remove: list([], `Headers of ${sender} that do not pass.`, { rule: nameRule })
    },
    doc
  )

const UP = "Good probes in a row after which a target that was down is up again."
const DOWN =
  "Bad probes in a row after which a target is down. One that stays silent for `timeout` is tried so often within it, up to 5 times, and is down then."

const probe = {
  interval: seconds(30, "Time between two probes of a target, at most."),
  timeout: seconds(5, "Time for an answer."),
  path: text("/", "Path that is asked for, below the target's base path.", { rule: probePathRule }),
  up: count(2, UP, 1),
  down: count(3, DOWN, 1)
}

const webSocketHealth = optionalSection(
  { ...probe, ping_message: optionalText("Text message to which any message is a good answer. Left out: a ping of the protocol.") },
  "Probe the targets by connecting to them as a WebSocket client. With `http_health` beside it, both must go well."
)

const httpHealth = optionalSection(
  {
    ...probe,
    status: text("200-399", "Statuses of a good answer: single ones and ranges, with commas between them.", { rule: statusesRule })
  },
  "Probe the targets by a GET request."
)

const circuitBreaker = optionalSection(
  {
    failures: count(5, "Failures in a row that open the circuit. 0: none do."),
    rate: share(0.5, "Share of failures within `window` that opens the circuit. 0: none does."),
    min: count(20, "Attempts within `window` before the share counts.", 1),
    window: seconds(10, "Time over which the share is taken."),
    open: seconds(10, "How long the circuit stays open before it is tested."),
    tests: count(1, "Attempts at one time while it is tested.", 1),
    successes: count(1, "Successful tests that close it.", 1)
  },
  "Keep clients away from a target that fails. Left out: no circuit."
)

const failover = section(
  {
    mode: choice(
      ["close", "reconnect"],
      "close",
      'What a WebSocket client sees when its backend is lost: "close", a close with 4503; "reconnect", nothing: its link moves to another backend.'
    ),
    deadline: seconds(30, "Time to find a new backend, after which the client is closed (4503)."),
    buffer: bytes(
      1_048_576,
      "Frames of one client that may wait while no backend is there, beside what was on its way; while one is there, `buffer` and one `max_message` more. What does not fit closes the client."
    ),
    preamble: count(0, "This many frames from the beginning of the connection, such as a login, are sent to the new backend first."),
    ping_timeout: seconds(5, "A backend that does not answer a ping for this long is lost.")
  },
  "When a backend is lost."
)

const routeAuth = section(
  {
    required: toggle(false, "Only clients with a valid token pass."),
    header: textOrEmpty("X-User-Id", 'Header in which the backend gets the user. `""`: none.', userHeaderRule),
    query: textOrEmpty("user_id", 'Query parameter in which the backend gets the user. `""`: none.', queryNameRule)
  },
  "Who may pass, and how the backend gets to know the user. What a client itself sends in these places is taken out."
)

export const Proxy = tables(
  "[[proxy]]",
  {
    name: optionalText("Name of the route, in logs and metrics and the API. Unique. Default: the host and path.", { rule: routeNameRule }),
    path: required(string(routePathRule), {
      ...stringInfo(
        "Path that the route is for: `/exact`, or `/prefix/*` for everything that begins with `/prefix/`; `/*` is everything.",
        {}
      ),
      placeholder: "/unreadable"
    }),
    host: optional(
      transformed(routeHostRule, (host) => host.toLowerCase()),
      stringInfo("Host that the route is for; `*.example.com` is every name below the domain. Left out: any.", {})
    ),
    targets: required(Targets, {
      kind: "tables",
      type: "array of tables",
      expected: "a list of URLs or tables",
      item: "a URL or a table",
      doc: 'The backends. A target may also be written as its URL alone: `targets = ["http://127.0.0.1:9001"]`. 1000 at most.',
      placeholder: ["https://unreadable.invalid/"],
      hidden: true,
      fields: targetFields
    }),
    strategy: choice(
      ["round_robin", "weighted_round_robin", "random", "least_connections", "power_of_two", "consistent_hash"],
      "round_robin",
      "How a target is chosen for a new client. In turn; in turn, by weight; by chance; the one with the fewest connections; of two by chance the one with fewer; by a hash of the client's address. All but `round_robin` heed the weights."
    ),
    timeout: seconds(300, "A WebSocket connection without a frame either way, or an HTTP answer without a byte, for this long is ended."),
    connect_timeout: seconds(5, "Time to connect to a backend, handshakes included."),
    max_message: bytes(16_777_216, "Largest WebSocket message, either way. A larger one closes the connection (1009)."),
    buffer: bytes(1_048_576, "Bytes that may wait for one side of a connection, beside one message."),
    max_body: count(0, "Largest body of an HTTP request, bytes. A larger one is refused (413). 0: unlimited."),
    strip_prefix: toggle(false, "The backend sees the path without the prefix: for `/chat/*`, `/chat/a` is `/a`."),
    connections_per_user: count(0, "WebSocket connections of one user on this route and node; it takes `auth.required`. 0: unlimited."),
    slow_start: secondsOrZero(0, "Time over which a target that came back grows to its full share. 0: at once."),
    deregistration_delay: secondsOrZero(300, "How long a target that is drained keeps its connections."),
    all_down: choice(
      ["refuse", "use_all"],
      "refuse",
      'When no target is healthy: "refuse" answers 503, "use_all" takes all of them as if they were.'
    ),
    sticky_sessions: Sticky.pipe(
      Schema.annotateKey({
        configKey: {
          kind: "table",
          type: "table",
          expected: "true, false or a table",
          doc: "Keep a client with its target while that can take it. `sticky_sessions = true` is this table with its defaults; `false`, or nothing, is no stickiness.",
          fields: stickyFields
        }
      })
    ),
    request_headers: headers(requestHeaderRule, "request to a backend", "the client", "Headers on the way to a backend."),
    response_headers: headers(headerNameRule, "answer to a client", "the backend", "Headers on the way to the client."),
    websocket_health: webSocketHealth,
    http_health: httpHealth,
    circuit_breaker: circuitBreaker,
    failover,
    auth: routeAuth
  },
  "Routes of the gateway. Not settable by environment or flag."
)

export const Gateway = section(
  {
    secret: optionalSecret(
      "Signs the cookies of `sticky_sessions`. The same on all nodes, 32 bytes or more. Default: derived from `auth.jwt.secret`, else random: then clients lose their target at a restart."
    )
  },
  "What the routes of the gateway share."
)

type ProxyTable = (typeof Proxy.Type)[number]

/** A route as it is served. */
export interface ProxyRoute extends Omit<ProxyTable, "name"> {
  readonly name: string
}

/** The name of a route that has none of its own. */
export const routeName = ({ host = "", name, path }: Pick<ProxyTable, "host" | "name" | "path">): string => name ?? host + path

/** Fills in what depends on other keys. */
export const resolveRoute = (route: ProxyTable): ProxyRoute => ({ ...route, name: routeName(route) })
