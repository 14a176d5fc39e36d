import { Redacted, Schema } from "effect"
import { describe, expect, test } from "vitest"
import type { ProxyRoute } from "../../src/config/proxy.ts"
import { parseStatuses } from "../../src/config/proxyRules.ts"
import { SettingsFile, type SettingsInput } from "../../src/config/Settings.ts"
import { mistakesIn, settingsOf, warningsIn } from "./loading.ts"

const secret = "0123456789abcdef0123456789abcdef"
const jwt = `[auth.jwt]\nsecret = "${secret}"\n`

/** A route with a path and a target, and `more` keys; the tables of `more` come last in it. */
const route = (more = "", path = "/a/*", targets = '["http://h:1"]') => `[[proxy]]\npath = "${path}"\ntargets = ${targets}\n${more}\n`

const routeOf = (toml: string): ProxyRoute => {
  const [first] = settingsOf({ toml }).proxy
  if (first === undefined) throw new Error("no route")
  return first
}

const defaults: ProxyRoute = {
  name: "/a/*",
  path: "/a/*",
  targets: [{ url: "http://h:1", weight: 1, enabled: true }],
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
  auth: { required: false, header: "X-User-Id", query: "user_id" }
}

test("a route needs a path and a target, everything else has a default", () => {
  expect(routeOf(route())).toEqual(defaults)
})

test("the tables of a route are there only if the file has them, and then have their defaults", () => {
  const toml = route("[proxy.websocket_health]\n[proxy.http_health]\n[proxy.circuit_breaker]\n[proxy.sticky_sessions]\n[gateway]")
  expect(routeOf(toml)).toEqual({
    ...defaults,
    sticky_sessions: { by: "cookie", cookie: "weft_backend", ttl: 86_400 },
    websocket_health: { interval: 30, timeout: 5, path: "/", up: 2, down: 3 },
    http_health: { interval: 30, timeout: 5, path: "/", up: 2, down: 3, status: "200-399" },
    circuit_breaker: { failures: 5, rate: 0.5, min: 20, window: 10, open: 10, tests: 1, successes: 1 }
  })
})

test("a target may be written as its URL alone", () => {
  const targets = (text: string) => routeOf(route("", "/a", text)).targets
  const plain = { weight: 1, enabled: true }
  expect(targets('["http://h:1", { url = "http://h:2", weight = 3 }, { url = "http://h:3", enabled = false }]')).toEqual([
    { ...plain, url: "http://h:1" },
    { ...plain, url: "http://h:2", weight: 3 },
    { ...plain, url: "http://h:3", enabled: false }
  ])
})

test.each([
  ["http://H:80", "http://h"],
  ["HTTPS://h:443/", "https://h"],
  ["ws://h:8080/base/", "ws://h:8080/base"],
  ["wss://[::1]:1/a/b", "wss://[::1]:1/a/b"],
  ["http://h/a/../b", "http://h/b"],
  ["http://127.1", "http://127.0.0.1"]
])("the target %s is %s", (written, url) => {
  expect(routeOf(route("", "/a", `["${written}"]`)).targets[0]?.url).toBe(url)
  expect(routeOf(route("", "/a", `[{ url = "${written}" }]`)).targets[0]?.url).toBe(url)
})

test.each([
  ["sticky_sessions = true", { by: "cookie", cookie: "weft_backend", ttl: 86_400 }],
  ["sticky_sessions = false", undefined],
  ["", undefined],
  ['sticky_sessions = { by = "ip", ttl = 60 }', { by: "ip", cookie: "weft_backend", ttl: 60 }],
  ['sticky_sessions = { by = "header:X-Room" }', { by: "header:X-Room", cookie: "weft_backend", ttl: 86_400 }],
  ['sticky_sessions = { by = "query:room" }', { by: "query:room", cookie: "weft_backend", ttl: 86_400 }]
])("stickiness by %j", (toml, sticky) => {
  expect(routeOf(route(toml)).sticky_sessions).toEqual(sticky)
})

test.each([
  ["", "/a/*"],
  ['host = "Chat.Example.com"', "chat.example.com/a/*"],
  ['host = "*.example.com"', "*.example.com/a/*"],
  ['name = "a chat"\nhost = "h"', "a chat"]
])("the name of a route with %j is %s", (toml, name) => {
  expect(routeOf(route(toml)).name).toBe(name)
})

test("secrets of the gateway are redacted", () => {
  const toml = `${route(`sticky_sessions = { secret = "${secret}" }`)}[gateway]\nsecret = "${secret}"`
  const settings = settingsOf({ toml })
  expect(JSON.stringify(settings)).not.toContain(secret)
  expect(settings.gateway.secret && Redacted.value(settings.gateway.secret)).toBe(secret)
  expect(settings.proxy[0]?.sticky_sessions?.secret).toEqual(settings.gateway.secret)
  expect(settingsOf({ environment: { WEFT_GATEWAY_SECRET: secret } }).gateway).toEqual(settings.gateway)
})

test("a program may write what a file may", () => {
  const proxy: SettingsInput["proxy"] = [
    { path: "/a", targets: ["http://h", { url: "http://i", weight: 2 }], sticky_sessions: true, request_headers: { add: { A: "b" } } },
    { path: "/b", targets: ["http://h"], sticky_sessions: { by: "ip" }, failover: { mode: "reconnect" } }
  ]
  const settings = settingsOf({ values: { proxy } })
  expect(settings.proxy).toMatchObject([
    { name: "/a", sticky_sessions: { by: "cookie" }, request_headers: { add: { A: "b" }, remove: [] } },
    { name: "/b", sticky_sessions: { by: "ip" }, failover: { mode: "reconnect", deadline: 30 } }
  ])
  expect(settingsOf({ values: Schema.encodeSync(SettingsFile)(settings) }).proxy).toEqual(settings.proxy)
})

/** A mistake in the file: what it holds, and the lines that are printed, without the file's name. */
const mistakes: ReadonlyArray<readonly [name: string, toml: string, ...lines: ReadonlyArray<string>]> = [
  // Keys and types
  ["a route without anything", "[[proxy]]", "proxy[0].path: is missing", "proxy[0].targets: is missing"],
  ["a table for the routes", '[proxy]\npath = "/a"', "proxy: expected an array of tables, each headed [[proxy]], found a table"],
  ["an unknown key", route("stickiness = true"), "proxy[0].stickiness: unknown key"],
  ["a misspelt key", route("[proxy.failover]\nmod = 1"), "proxy[0].failover.mod: unknown key; did you mean mode?"],
  [
    "a misspelt key of a target",
    route("", "/a", '["http://a", { url = "http://b", wieght = 1 }]'),
    "proxy[0].targets[1].wieght: unknown key; did you mean weight?"
  ],
  [
    "an unknown strategy",
    route('strategy = "best"'),
    'proxy[0].strategy: expected one of "round_robin", "weighted_round_robin", "random", "least_connections", "power_of_two", "consistent_hash", found "best"'
  ],
  // Paths and hosts
  ["a path without a slash", route("", "a"), 'proxy[0].path: "a" is not a path: it must begin with "/"'],
  ["a star within a path", route("", "/a/*/b"), 'proxy[0].path: "/a/*/b" has "*" elsewhere than at the end, after "/"'],
  ["a star within a name", route("", "/a*"), 'proxy[0].path: "/a*" has "*" elsewhere than at the end, after "/"'],
  [
    "a path with a query",
    route("", "/a?b"),
    'proxy[0].path: "/a?b" is not a path: characters other than letters, digits and those of -._~!$&\'()+,;=:@/ are written as %XX'
  ],
  [
    "a path outside of ASCII",
    route("", "/café"),
    'proxy[0].path: "/café" is not a path: characters other than letters, digits and those of -._~!$&\'()+,;=:@/ are written as %XX'
  ],
  ["two slashes in a path", route("", "/a//*"), 'proxy[0].path: "/a//*" has two slashes in a row'],
  ["an escaped slash in a path", route("", "/a%2fb"), 'proxy[0].path: "/a%2fb" has an encoded slash, backslash or zero'],
  ["a dot segment in a path", route("", "/a/../b"), 'proxy[0].path: "/a/../b" has a dot segment'],
  ["an escaped dot segment in a path", route("", "/a/%2E%2e;x/*"), 'proxy[0].path: "/a/%2E%2e;x/*" has a dot segment'],
  [
    "a host with a port",
    route('host = "a:1"'),
    'proxy[0].host: "a:1" is not a host, such as "chat.example.com" or "*.example.com": no port, other letters than a to z in their ASCII form (xn--)'
  ],
  [
    "a name that no line of a log could hold",
    route('name = "a\\nb"'),
    'proxy[0].name: "a\\nb" may hold 200 printable characters at most, without blanks around them'
  ],
  // Targets
  ["no target", route("", "/a", "[]"), "proxy[0].targets: is empty: there is no backend to send anything to"],
  [
    "too many targets",
    route("", "/a", `[${Array.from({ length: 1001 }, (_, index) => `"http://h:${index + 1}"`).join()}]`),
    "proxy[0].targets: has 1001 targets, 1000 at most are possible"
  ],
  ["a target that is no list", route("", "/a", '"http://h"'), "proxy[0].targets: expected a list of URLs or tables, found a string"],
  ["a target of another type", route("", "/a", '["http://h", 5]'), "proxy[0].targets[1]: expected a URL or a table, found a number"],
  ["a target that is no URL", route("", "/a", '["http://h", "h:80"]'), "proxy[0].targets[1]: is not an http, https, ws or wss URL"],
  ["a target of another scheme", route("", "/a", '["ftp://h"]'), "proxy[0].targets[0]: is not an http, https, ws or wss URL"],
  ["a target without a port to connect to", route("", "/a", '["http://h:0"]'), "proxy[0].targets[0]: is not an http, https, ws or wss URL"],
  [
    "a bad URL in a table",
    route("", "/a", '["http://h", { url = "http://a b" }]'),
    "proxy[0].targets[1].url: is not an http, https, ws or wss URL"
  ],
  ["a target without a URL", route("", "/a", "[{ weight = 1 }]"), "proxy[0].targets[0].url: is missing"],
  [
    "a target with a password",
    route("", "/a", '["http://u:hush@h"]'),
    "proxy[0].targets[0]: must not hold a user or password; request_headers.add can set Authorization"
  ],
  ["a target with a query", route("", "/a", '["http://h/?a=b"]'), "proxy[0].targets[0]: must not hold a query or fragment"],
  [
    "a weight that is none",
    route("", "/a", '[{ url = "http://h", weight = -1 }]'),
    "proxy[0].targets[0].weight: expected a whole number from 0 to 1000, found -1"
  ],
  [
    "a target given twice",
    route("", "/a", '["http://h", "http://H:80/"]'),
    "proxy[0].targets[1]: is the address of targets[0] already; weight gives one a larger share"
  ],
  [
    "a target given twice by two schemes",
    route("", "/a", '["http://h", { url = "ws://h" }]'),
    "proxy[0].targets[1].url: is the address of targets[0] already; weight gives one a larger share"
  ],
  [
    "weights that let nothing through",
    route("", "/a", '[{ url = "http://h", weight = 0 }, { url = "http://i", enabled = false }]'),
    "proxy[0].targets: gives every enabled target the weight 0: none could ever get a client"
  ],
  // Stickiness
  [
    "stickiness by nothing known",
    route('sticky_sessions = { by = "cokie" }'),
    'proxy[0].sticky_sessions.by: expected one of "cookie", "ip", "user", "header:NAME", "query:NAME", found "cokie"'
  ],
  [
    "stickiness that is neither a word nor a table",
    route("sticky_sessions = 5"),
    "proxy[0].sticky_sessions: expected true, false or a table, found a number"
  ],
  ["stickiness by no header", route('sticky_sessions = { by = "header:" }'), 'proxy[0].sticky_sessions.by: "" is not a header name'],
  [
    "stickiness by no parameter",
    route('sticky_sessions = { by = "query:a&b" }'),
    'proxy[0].sticky_sessions.by: "a&b" may hold letters, digits, "-", ".", "_" and "~" only'
  ],
  [
    "mistakes within stickiness",
    route('sticky_sessions = { cookie = "a b", ttl = 0, sercet = "x" }'),
    "proxy[0].sticky_sessions.sercet: unknown key; did you mean secret?",
    'proxy[0].sticky_sessions.cookie: "a b" is not a cookie name',
    "proxy[0].sticky_sessions.ttl: expected a number of seconds, more than 0 and at most a year, found 0"
  ],
  [
    "stickiness by user where there are none",
    route('sticky_sessions = { by = "user" }'),
    "proxy[0].sticky_sessions.by: needs users, and neither auth.jwt nor auth.http is configured: no client has one"
  ],
  // Headers
  [
    "headers that are none",
    route('request_headers.add = { "a b" = "x", "__proto__" = "x", a = "\\r\\n", ok = "" }'),
    'proxy[0].request_headers.add."a b": "a b" is not a header name',
    'proxy[0].request_headers.add.__proto__: "__proto__" is not a header name',
    "proxy[0].request_headers.add.a: may hold printable ASCII only, without blanks around it",
    "proxy[0].request_headers.add.ok: may hold printable ASCII only, without blanks around it"
  ],
  [
    "a header's value that is no text",
    route("response_headers.add = { A = 5 }"),
    "proxy[0].response_headers.add.A: expected a string, found a number"
  ],
  [
    "headers that are no table",
    route('response_headers.add = ["A"]'),
    "proxy[0].response_headers.add: expected a table of header names with their values, found a list"
  ],
  [
    "a header in two spellings",
    route('request_headers.add = { X-A = "x", x-a = "y" }'),
    "proxy[0].request_headers.add.x-a: is given twice; case makes no difference"
  ],
  [
    "hop-by-hop headers",
    route(
      'request_headers.add = { TE = "x" }\nrequest_headers.remove = ["Accept", "Connection"]\nresponse_headers.remove = ["Sec-WebSocket-Accept"]'
    ),
    'proxy[0].request_headers.add.TE: "TE" is between Weft and its neighbours, a route has no say in it',
    'proxy[0].request_headers.remove[1]: "Connection" is between Weft and its neighbours, a route has no say in it',
    'proxy[0].response_headers.remove[0]: "Sec-WebSocket-Accept" is between Weft and its neighbours, a route has no say in it'
  ],
  [
    "a header that is Weft's",
    route('request_headers.add = { X-Weft-Resumed = "1" }'),
    'proxy[0].request_headers.add.X-Weft-Resumed: "X-Weft-Resumed" begins with X-Weft-, which is for what Weft itself says'
  ],
  [
    "the user's header said otherwise",
    route('request_headers = { add = { x_user_id = "1" }, remove = ["X-User-ID"] }'),
    'proxy[0].request_headers.add: has "X-User-Id", which auth.header sets',
    'proxy[0].request_headers.remove: has "X-User-Id", which auth.header sets'
  ],
  // Health, circuit, failover, users
  [
    "a probe of no path",
    route('websocket_health.path = "health"\nhttp_health.path = "/a b"'),
    'proxy[0].websocket_health.path: "health" is not a path: it must begin with "/" and hold printable ASCII without blanks and "#" only',
    'proxy[0].http_health.path: "/a b" is not a path: it must begin with "/" and hold printable ASCII without blanks and "#" only'
  ],
  [
    "statuses that are none",
    route('http_health.status = "399-200"'),
    'proxy[0].http_health.status: "399-200" is no list of statuses, such as "200-399" or "200,204"'
  ],
  ["a share above the whole", route("circuit_breaker.rate = 50"), "proxy[0].circuit_breaker.rate: expected a number from 0 to 1, found 50"],
  [
    "a circuit that nothing opens",
    route("circuit_breaker = { failures = 0, rate = 0 }"),
    "proxy[0].circuit_breaker.failures: failures and rate are both 0: the circuit would never open"
  ],
  ["an unknown mode", route('failover.mode = "stay"'), 'proxy[0].failover.mode: expected one of "close", "reconnect", found "stay"'],
  [
    "names under which the user can not be passed",
    route('auth = { header = "Host", query = "a=b" }'),
    'proxy[0].auth.header: "Host" is for something else than the user',
    'proxy[0].auth.query: "a=b" may hold letters, digits, "-", ".", "_" and "~" only'
  ],
  [
    "a user that is needed where there are none",
    route("auth.required = true"),
    "proxy[0].auth.required: needs tokens that can be checked, and neither auth.jwt nor auth.http is configured: no request could pass"
  ],
  // Between routes
  ["a path of Weft's own", route("", "/ws"), 'proxy[0].path: "/ws" is a path of Weft\'s own'],
  ["a path of Weft's own, escaped", route("", "/%61dmin"), 'proxy[0].path: "/%61dmin" is a path of Weft\'s own'],
  ["a path below Weft's own", route("", "/api/v2/*"), 'proxy[0].path: "/api/v2/*" lies under "/api/", which is Weft\'s own'],
  ["a path below Weft's health", route("", "/health/db"), 'proxy[0].path: "/health/db" lies under "/health/", which is Weft\'s own'],
  [
    "a path given twice",
    route() + route("", "/b") + route("", "/%61/*"),
    'proxy[2].path: "/%61/*" is the path of proxy[0] already, for any host'
  ],
  [
    "a path given twice for a host",
    route('host = "h.example"') + route() + route('host = "H.example"'),
    'proxy[2].path: "/a/*" is the path of proxy[0] already, for the host "h.example"'
  ],
  ["a name given twice", route('name = "a"') + route('name = "a"', "/b"), 'proxy[1].name: "a" is the name of proxy[0] already'],
  [
    "a name that another route has by default",
    route() + route('name = "/a/*"', "/b"),
    'proxy[1].name: "/a/*" is the name of proxy[0] already'
  ],
  [
    "mistakes of every kind, all told",
    route("timeot = 1", "/ws") +
      route("max_body = -1\nsticky_sessions = { by = 1 }", "b", '["x", { url = 1 }]') +
      route("auth.required = true", "/c", '["http://h", "http://h"]'),
    "proxy[0].timeot: unknown key; did you mean timeout?",
    'proxy[1].path: "b" is not a path: it must begin with "/"',
    "proxy[1].targets[0]: is not an http, https, ws or wss URL",
    "proxy[1].targets[1].url: expected a non-empty string, found a number",
    "proxy[1].max_body: expected a whole number, 0 or more, found -1",
    'proxy[1].sticky_sessions.by: expected one of "cookie", "ip", "user", "header:NAME", "query:NAME", found 1',
    'proxy[0].path: "/ws" is a path of Weft\'s own',
    "proxy[2].targets[1]: is the address of targets[0] already; weight gives one a larger share",
    "proxy[2].auth.required: needs tokens that can be checked, and neither auth.jwt nor auth.http is configured: no request could pass"
  ]
]

describe("a mistake in a route is named with its key and the reason:", () => {
  test.each(mistakes)("%s", (_, toml, ...lines) => {
    expect(mistakesIn({ toml })).toEqual(lines.map((line) => `weft.toml: ${line}`))
  })
})

/** What works, but hardly as it was meant. */
const warnings: ReadonlyArray<readonly [name: string, toml: string, line: string]> = [
  [
    "a cookie that does not outlive the process",
    route("sticky_sessions = true"),
    "proxy[0].sticky_sessions: warning: nothing is configured to sign the cookie with, so clients lose their target when this server restarts and on other nodes: set gateway.secret"
  ],
  [
    "a short secret",
    '[gateway]\nsecret = "short"',
    "gateway.secret: warning: is shorter than 32 bytes: whoever guesses it can choose a target"
  ],
  [
    "a short secret of a route",
    route('sticky_sessions = { secret = "short" }'),
    "proxy[0].sticky_sessions.secret: warning: is shorter than 32 bytes: whoever guesses it can choose a target"
  ],
  [
    "no target that is enabled",
    route("", "/a", '[{ url = "http://h", enabled = false }]'),
    "proxy[0].targets: warning: has no target that is enabled: every request gets 503"
  ],
  [
    "weights that nothing heeds",
    route("", "/a", '["http://h", { url = "http://i", weight = 3 }]'),
    "proxy[0].targets: warning: has weights of which round_robin takes no notice; weighted_round_robin and the other strategies do"
  ],
  [
    "a prefix where there is none",
    route("strip_prefix = true", "/a"),
    'proxy[0].strip_prefix: warning: has no effect: the path has no "*"'
  ],
  ["a preamble that nobody gets", route("failover.preamble = 1"), 'proxy[0].failover.preamble: warning: has no effect: mode is "close"'],
  [
    "an attempt that takes all the time there is",
    route('connect_timeout = 30\nfailover.mode = "reconnect"'),
    "proxy[0].connect_timeout: warning: a single attempt (connect_timeout, 30) may take all of failover.deadline (30)"
  ],
  [
    "a circuit that is open for as long as anybody waits",
    route('failover.mode = "reconnect"\ncircuit_breaker.open = 30'),
    "proxy[0].circuit_breaker.open: warning: a circuit stays open (30) for as long as clients wait for a backend (failover.deadline, 30)"
  ],
  [
    "a cookie of two routes with different targets",
    `[gateway]\nsecret = "${"s".repeat(32)}"\n${route("sticky_sessions = true")}${route("sticky_sessions = true", "/b", '["http://other"]')}`,
    'proxy[1].sticky_sessions: warning: its cookie "weft_backend" is that of proxy[0] too, which has other targets: a client of both would lose its target each time; name one of them in sticky_sessions.cookie'
  ],
  [
    "a limit for users where there are none",
    route("connections_per_user = 1"),
    "proxy[0].connections_per_user: warning: has no effect: it needs users, and neither auth.jwt nor auth.http is configured"
  ],
  [
    "a limit for users on a route that looks at no tokens",
    route("connections_per_user = 1") + jwt,
    "proxy[0].connections_per_user: warning: has no effect: no client of this route has a user, for it asks for no token (auth.required)"
  ],
  [
    "users to come back on a route that looks at no tokens",
    route('sticky_sessions = { by = "user" }') + jwt,
    "proxy[0].sticky_sessions.by: warning: has no effect: no client of this route has a user, for it asks for no token (auth.required)"
  ],
  [
    "a route to this server itself",
    route("", "/a", '["http://localhost:8080"]'),
    "proxy[0].targets[0]: warning: is the address of this server itself: requests would go round in circles"
  ]
]

describe("what works, but hardly as meant, is a warning:", () => {
  test.each(warnings)("%s", (_, toml, line) => {
    expect(mistakesIn({ toml })).toEqual([])
    expect(warningsIn({ toml })).toEqual([`weft.toml: ${line}`])
  })
})

describe("no mistake and no warning:", () => {
  const inOrder: ReadonlyArray<readonly [name: string, toml: string]> = [
    ["a cookie with a secret of its own", route(`sticky_sessions = { secret = "${secret}" }`)],
    ["a cookie with the gateway's secret", `${route("sticky_sessions = true")}[gateway]\nsecret = "${secret}"`],
    ["a cookie with a key from that of the tokens", route("sticky_sessions = true") + jwt],
    ["users where tokens are checked", route('auth.required = true\nsticky_sessions = { by = "user" }\nconnections_per_user = 1') + jwt],
    ["one target that clients come back to", route('failover.mode = "reconnect"')],
    ["a user who is not passed on", route('auth = { header = "", query = "" }')],
    ["paths beside Weft's own", route("", "/ws/*") + route("", "/healthy") + route("", "/admin/*") + route("", "/*")],
    ["one path for several hosts", route() + route('host = "a.example"') + route('host = "*.example"')],
    ["one prefix and one path", route("", "/a/") + route("", "/a/*") + route("", "/a")],
    ["one target in two routes", route() + route("", "/b")],
    ["a target that takes no new clients", route("", "/a", '["http://h", { url = "http://i", weight = 0 }]')],
    [
      "hosts of every kind",
      ["a", "a.example", "xn--bcher-kva.example", "*.a_b.example", "127.0.0.1", "[::1]"].map((host) => route(`host = "${host}"`)).join("")
    ]
  ]
  test.each(inOrder)("%s", (_, toml) => {
    expect(mistakesIn({ toml })).toEqual([])
    expect(warningsIn({ toml })).toEqual([])
  })
})

test("a function that authenticates counts", () => {
  const toml = route('auth.required = true\nsticky_sessions = { by = "user" }\nconnections_per_user = 1')
  expect(mistakesIn({ toml, authenticated: true })).toEqual([])
  expect(warningsIn({ toml, authenticated: true })).toEqual([])
})

test.each([
  ["200", [{ from: 200, to: 200 }]],
  ["200-399", [{ from: 200, to: 399 }]],
  [
    "200-299, 301 ,401",
    [
      { from: 200, to: 299 },
      { from: 301, to: 301 },
      { from: 401, to: 401 }
    ]
  ],
  ["", undefined],
  ["2xx", undefined],
  ["200,", undefined],
  ["099", undefined],
  ["200-600", undefined],
  ["300-200", undefined]
])("the statuses %j", (text, ranges) => {
  expect(parseStatuses(text)).toEqual(ranges)
})
