/** What the keys of a configuration must be to each other. Pure: files were looked at before. */
import { Redacted, Result } from "effect"
import { jwksAlgorithms, narrowAlgorithms, secretAlgorithms } from "../auth/JwtKeys.ts"
import type { FileProblems } from "./files.ts"
import { type Finding, mistake, warning } from "./Finding.ts"
import { gateway } from "./proxyChecks.ts"
import { isLoopback, isPem } from "./rules.ts"
import type { SettingsFile } from "./Settings.ts"

/** The keys on which a problem with a file may lie, and what else it hangs on. */
const fileKeys = ["server.tls.cert", "server.tls.key", "auth.jwt.public_key", "auth.jwt.algorithms"] as const

const files = (problems: FileProblems): ReadonlyArray<Finding> =>
  fileKeys.flatMap((key) => {
    const problem = problems.get(key)
    return problem === undefined ? [] : [mistake([key], problem)]
  })

const listener = ({ server: { allow_anonymous, host } }: SettingsFile, authenticated: boolean): ReadonlyArray<Finding> => {
  if (authenticated)
    return allow_anonymous
      ? [
          warning(
            ["server.allow_anonymous", "auth.jwt", "auth.http"],
            "has no effect, since authentication is configured; auth.anonymous lets in clients without a token"
          )
        ]
      : []
  return isLoopback(host) || allow_anonymous
    ? []
    : [
        mistake(
          ["server.host", "server.allow_anonymous", "auth.jwt", "auth.http"],
          `${JSON.stringify(host)} is reachable from other machines and no authentication is configured: set [auth.jwt] or [auth.http], or allow it with --allow-anonymous`
        )
      ]
}

const authentication = ({ auth: { anonymous, http, timeout } }: SettingsFile, authenticated: boolean): ReadonlyArray<Finding> => {
  return [
    ...(anonymous === false && !authenticated
      ? [
          warning(
            ["auth.anonymous", "auth.jwt", "auth.http"],
            "auth.anonymous is false and neither auth.jwt nor auth.http is configured: no client can connect"
          )
        ]
      : []),
    ...(http !== undefined && http.timeout > timeout
      ? [
          warning(
            ["auth.http.timeout", "auth.timeout"],
            `auth.http.timeout (${http.timeout}) is longer than auth.timeout (${timeout}), which ends the wait before`
          )
        ]
      : [])
  ]
}

const KEY_SOURCES = ["secret", "public_key", "jwks_url"] as const

const jwt = (settings: SettingsFile): ReadonlyArray<Finding> => {
  const { jwt } = settings.auth
  if (jwt === undefined) return []
  const given = KEY_SOURCES.filter((name) => jwt[name] !== undefined)
  const sources = ["auth.jwt.secret", "auth.jwt.public_key", "auth.jwt.jwks_url"] as const
  if (given.length === 0) return [mistake([...sources], "auth.jwt needs one of secret, public_key and jwks_url", "auth.jwt")]
  if (given.length > 1) return [mistake([...sources], `auth.jwt has ${given.join(" and ")}, but only one of them can count`, "auth.jwt")]
  const { algorithms, secret } = jwt
  const possible = secret === undefined ? jwksAlgorithms : secretAlgorithms
  const narrowed = narrowAlgorithms(possible, algorithms)
  return [
    ...(jwt.public_key === undefined && Result.isFailure(narrowed)
      ? [mistake(["auth.jwt.algorithms", ...sources], narrowed.failure, "auth.jwt.algorithms")]
      : []),
    ...(secret === undefined ? [] : secretQuality(Redacted.value(secret)))
  ]
}

const secretQuality = (secret: string): ReadonlyArray<Finding> => {
  // A public key taken for a shared secret: then everybody could sign.
  if (isPem(secret)) return [mistake(["auth.jwt.secret"], "is a key in PEM form; public keys go to auth.jwt.public_key")]
  return Buffer.byteLength(secret) < 32 ? [warning(["auth.jwt.secret"], "is shorter than the 32 bytes that RFC 7518 asks for")] : []
}

const apiKeys = (settings: SettingsFile): ReadonlyArray<Finding> =>
  settings.api.keys.flatMap((key, index) => {
    const path = `api.keys[${index}]`
    const name = settings.api.keys.findIndex((other) => other.name === key.name)
    const same = settings.api.keys.findIndex((other) => Redacted.value(other.key) === Redacted.value(key.key))
    return [
      ...(name < index
        ? [mistake([`${path}.name`, `api.keys[${name}].name`], `${JSON.stringify(key.name)} is the name of api.keys[${name}] already`)]
        : []),
      ...(same < index ? [mistake([`${path}.key`, `api.keys[${same}].key`], `is the key of api.keys[${same}] already`)] : []),
      ...(key.scopes.length === 0 ? [mistake([`${path}.scopes`], "is empty: the key could do nothing")] : [])
    ]
  })

const times = (settings: SettingsFile): ReadonlyArray<Finding> => {
  const { interval, timeout } = settings.heartbeat
  return timeout > interval
    ? []
    : [
        mistake(
          ["heartbeat.timeout", "heartbeat.interval"],
          `heartbeat.timeout (${timeout}) must be more than heartbeat.interval (${interval})`
        )
      ]
}

const limits = (settings: SettingsFile): ReadonlyArray<Finding> => {
  const { buffer, burst, message } = settings.limits
  const rates = (["rate", "rate_per_user", "rate_per_address"] as const).filter((name) => {
    const rate = settings.limits[name]
    return rate > 0 && rate * burst < 1
  })
  return [
    ...(buffer < message
      ? [
          mistake(
            ["limits.buffer", "limits.message"],
            `limits.buffer (${buffer}) must hold one message at least: limits.message is ${message}`
          )
        ]
      : []),
    ...rates.map((name) =>
      mistake(
        [`limits.${name}`, "limits.burst"],
        `limits.${name} and limits.burst (${burst}) together allow less than one message at once: nothing could ever be sent`
      )
    )
  ]
}

const rooms = (settings: SettingsFile): ReadonlyArray<Finding> =>
  settings.room.flatMap((block, index) => {
    const path = `room[${index}]`
    const before = settings.room.findIndex((other) => other.pattern === block.pattern || /^\*+$/.test(other.pattern))
    return [
      ...(before < index
        ? [
            warning(
              [`${path}.pattern`, `room[${before}].pattern`],
              `is never reached: room[${before}] fits the same names and stands before it`
            )
          ]
        : []),
      ...(block.history === undefined
        ? []
        : [warning([`${path}.history`], "is not served by this version: the rooms work, requests for their history get unavailable")])
    ]
  })

const unserved = (settings: SettingsFile): ReadonlyArray<Finding> => [
  ...(settings.nats.servers.length > 0 ? [mistake(["nats.servers"], "not served by this version: a node can not join a cluster")] : []),
  ...(settings.store.data === undefined ? [] : [mistake(["store.data"], "not served by this version: everything is kept in memory")])
]

/**
 * Everything that the keys have against each other, and what this version does not serve. `authenticated` says whether
 * there is a way to authenticate clients.
 */
export const crossChecks = (settings: SettingsFile, problems: FileProblems, authenticated: boolean): ReadonlyArray<Finding> => [
  ...listener(settings, authenticated),
  ...authentication(settings, authenticated),
  ...jwt(settings),
  ...apiKeys(settings),
  ...times(settings),
  ...limits(settings),
  ...rooms(settings),
  ...gateway(settings, authenticated),
  ...files(problems),
  ...unserved(settings)
]
