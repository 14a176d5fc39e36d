/** What the keys of the gateway must be to each other. */
import { Redacted } from "effect"
import { plainName } from "../gateway/ForwardHeaders.ts"
import { builtInAt, routeKey } from "../gateway/Routes.ts"
import { type Finding, mistake, warning } from "./Finding.ts"
import { routeName } from "./proxy.ts"
import { targetAddress } from "./proxyRules.ts"
import { isLoopback } from "./rules.ts"
import type { SettingsFile } from "./Settings.ts"

type Route = SettingsFile["proxy"][number]

const AUTHENTICATION = ["auth.jwt", "auth.http"] as const

/** One finding for each item that is the same as one before it. `at` names the key of an item. */
const repeated = <A>(
  items: ReadonlyArray<A>,
  same: (one: A, other: A) => boolean,
  at: (index: number) => Finding["keys"],
  reason: (before: number, item: A) => string
): ReadonlyArray<Finding> =>
  items.flatMap((item, index) => {
    const before = items.findIndex((other) => same(other, item))
    return before < index ? [mistake([...at(index), ...at(before)], reason(before, item))] : []
  })

const samePlace = (one: Route, other: Route): boolean => routeKey(one) === routeKey(other)

const places = (routes: ReadonlyArray<Route>): ReadonlyArray<Finding> => [
  ...routes.flatMap(({ path }, index) => {
    const own = builtInAt(path)
    if (own === undefined) return []
    const reason = own.endsWith("/") ? `lies under "${own}", which is Weft's own` : "is a path of Weft's own"
    return [mistake([`proxy[${index}].path`], `${JSON.stringify(path)} ${reason}`)]
  }),
  ...repeated(
    routes,
    samePlace,
    (index) => [`proxy[${index}].path`, `proxy[${index}].host`],
    (before, { host, path }) =>
      `${JSON.stringify(path)} is the path of proxy[${before}] already, for ${host === undefined ? "any host" : `the host ${JSON.stringify(host)}`}`
  ),
  // Routes at the same place have the same default name: that is told above.
  ...repeated(
    routes,
    (one, other) => one === other || (routeName(one) === routeName(other) && !samePlace(one, other)),
    (index) => [`proxy[${index}].name`, `proxy[${index}].path`, `proxy[${index}].host`],
    (before, route) => `${JSON.stringify(routeName(route))} is the name of proxy[${before}] already`
  )
]

const targets = ({ strategy, targets }: Route, path: string): ReadonlyArray<Finding> => {
  const enabled = targets.filter((target) => target.enabled)
  const weights = new Set(enabled.map(({ weight }) => weight).filter((weight) => weight > 0))
  return [
    ...repeated(
      targets,
      (one, other) => targetAddress(one.url) === targetAddress(other.url),
      (index) => [`${path}.targets[${index}].url`, `${path}.targets[${index}]`],
      (before) => `is the address of targets[${before}] already; weight gives one a larger share`
    ),
    ...(enabled.length === 0 ? [warning([`${path}.targets`], "has no target that is enabled: every request gets 503")] : []),
    ...(enabled.length > 0 && enabled.every(({ weight }) => weight === 0)
      ? [mistake([`${path}.targets`], "gives every enabled target the weight 0: none could ever get a client")]
      : []),
    ...(strategy === "round_robin" && weights.size > 1
      ? [
          warning(
            [`${path}.targets`, `${path}.strategy`],
            "has weights of which round_robin takes no notice; weighted_round_robin and the other strategies do"
          )
        ]
      : [])
  ]
}

/** A backend at this server's own address: a request would come back. */
const circles = ({ targets }: Route, path: string, { host, port }: SettingsFile["server"]): ReadonlyArray<Finding> =>
  targets.flatMap(({ url }, index) => {
    const target = new URL(url)
    const targetPort = Number(target.port === "" ? (/^(?:https|wss):$/.test(target.protocol) ? 443 : 80) : target.port)
    const here = target.hostname === host || (isLoopback(target.hostname) && (isLoopback(host) || host === "0.0.0.0" || host === "::"))
    return here && port !== 0 && targetPort === port
      ? [
          warning(
            [`${path}.targets[${index}].url`, `${path}.targets[${index}]`, "server.port", "server.host"],
            "is the address of this server itself: requests would go round in circles"
          )
        ]
      : []
  })

/** Only a route that asks for tokens looks at them. */
const strangers = ({ auth, connections_per_user: most, sticky_sessions: sticky }: Route, path: string): ReadonlyArray<Finding> => {
  if (auth.required) return []
  const found = (key: string): ReadonlyArray<Finding> => [
    warning([key, `${path}.auth.required`], "has no effect: no client of this route has a user, for it asks for no token (auth.required)")
  ]
  return [...(sticky?.by === "user" ? found(`${path}.sticky_sessions.by`) : []), ...(most > 0 ? found(`${path}.connections_per_user`) : [])]
}

const users = (route: Route, path: string, authenticated: boolean): ReadonlyArray<Finding> => {
  if (authenticated) return strangers(route, path)
  const unknown = "and neither auth.jwt nor auth.http is configured"
  return [
    ...(route.auth.required
      ? [mistake([`${path}.auth.required`, ...AUTHENTICATION], `needs tokens that can be checked, ${unknown}: no request could pass`)]
      : []),
    ...(route.sticky_sessions?.by === "user"
      ? [mistake([`${path}.sticky_sessions.by`, ...AUTHENTICATION], `needs users, ${unknown}: no client has one`)]
      : []),
    ...(route.connections_per_user > 0
      ? [warning([`${path}.connections_per_user`, ...AUTHENTICATION], `has no effect: it needs users, ${unknown}`)]
      : [])
  ]
}

/** The header for the user is set by authentication alone. */
const userHeader = ({ auth, request_headers: { add, remove } }: Route, path: string): ReadonlyArray<Finding> => {
  const isUser = (name: string): boolean => plainName(name) === plainName(auth.header)
  const reason = `has ${JSON.stringify(auth.header)}, which auth.header sets`
  return [
    ...(Object.keys(add).some(isUser)
      ? [mistake([`${path}.request_headers.add`, `${path}.auth.header`], reason, `${path}.request_headers.add`)]
      : []),
    ...(remove.some(isUser)
      ? [mistake([`${path}.request_headers.remove`, `${path}.auth.header`], reason, `${path}.request_headers.remove`)]
      : [])
  ]
}

const cookieSecret = ({ sticky_sessions: sticky }: Route, path: string, { auth, gateway }: SettingsFile): ReadonlyArray<Finding> =>
  sticky?.by !== "cookie" || (sticky.secret ?? gateway.secret ?? auth.jwt?.secret) !== undefined
    ? []
    : [
        warning(
          [`${path}.sticky_sessions`, "gateway.secret", "auth.jwt.secret"],
          "nothing is configured to sign the cookie with, so clients lose their target when this server restarts and on other nodes: set gateway.secret"
        )
      ]

const without = (route: Route, path: string): ReadonlyArray<Finding> => {
  const { circuit_breaker: breaker, connect_timeout, failover } = route
  return [
    ...(route.strip_prefix && !route.path.endsWith("/*")
      ? [warning([`${path}.strip_prefix`, `${path}.path`], 'has no effect: the path has no "*"')]
      : []),
    ...(breaker !== undefined && breaker.failures === 0 && breaker.rate === 0
      ? [
          mistake(
            [`${path}.circuit_breaker.failures`, `${path}.circuit_breaker.rate`],
            "failures and rate are both 0: the circuit would never open"
          )
        ]
      : []),
    ...(failover.mode === "close" && failover.preamble > 0
      ? [warning([`${path}.failover.preamble`, `${path}.failover.mode`], 'has no effect: mode is "close"')]
      : []),
    ...(failover.mode === "reconnect" && connect_timeout >= failover.deadline
      ? [
          warning(
            [`${path}.connect_timeout`, `${path}.failover.deadline`],
            `a single attempt (connect_timeout, ${connect_timeout}) may take all of failover.deadline (${failover.deadline})`
          )
        ]
      : []),
    ...(failover.mode === "reconnect" && breaker !== undefined && breaker.open >= failover.deadline
      ? [
          warning(
            [`${path}.circuit_breaker.open`, `${path}.failover.deadline`],
            `a circuit stays open (${breaker.open}) for as long as clients wait for a backend (failover.deadline, ${failover.deadline})`
          )
        ]
      : [])
  ]
}

const cookieOf = ({ sticky_sessions: sticky }: Route): string | undefined => (sticky?.by === "cookie" ? sticky.cookie : undefined)

const urlsOf = ({ targets }: Route): string =>
  targets
    .map(({ url }) => targetAddress(url))
    .sort()
    .join(" ")

/** Routes with the same targets share a cookie, which is well; with others each would forget what the other one said. */
const sharedCookies = (routes: ReadonlyArray<Route>): ReadonlyArray<Finding> =>
  routes.flatMap((route, index) => {
    const cookie = cookieOf(route)
    const before = routes.findIndex(
      (other) =>
        cookie !== undefined && cookieOf(other) === cookie && urlsOf(other) !== urlsOf(route) && (other.host ?? "") === (route.host ?? "")
    )
    return before === -1 || before > index
      ? []
      : [
          warning(
            [`proxy[${index}].sticky_sessions`, `proxy[${before}].sticky_sessions`],
            `its cookie ${JSON.stringify(cookie)} is that of proxy[${before}] too, which has other targets: a client of both would lose its target each time; name one of them in sticky_sessions.cookie`
          )
        ]
  })

const SECRET_BYTES = 32

const shortSecret = (secret: Redacted.Redacted<string> | undefined, key: string): ReadonlyArray<Finding> =>
  secret !== undefined && Buffer.byteLength(Redacted.value(secret)) < SECRET_BYTES
    ? [warning([key], `is shorter than ${SECRET_BYTES} bytes: whoever guesses it can choose a target`)]
    : []

/** `authenticated` says whether there is a way to authenticate clients. */
export const gateway = (settings: SettingsFile, authenticated: boolean): ReadonlyArray<Finding> => [
  ...shortSecret(settings.gateway.secret, "gateway.secret"),
  ...places(settings.proxy),
  ...sharedCookies(settings.proxy),
  ...settings.proxy.flatMap((route, index) => {
    const path = `proxy[${index}]`
    return [
      ...targets(route, path),
      ...circles(route, path, settings.server),
      ...users(route, path, authenticated),
      ...userHeader(route, path),
      ...cookieSecret(route, path, settings),
      ...shortSecret(route.sticky_sessions?.secret, `${path}.sticky_sessions.secret`),
      ...without(route, path)
    ]
  })
]
