/** What a single value must look like. Each rule says what is wrong, or undefined. */
import { Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import { jwksAlgorithms, secretAlgorithms } from "../auth/JwtKeys.ts"

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?(?:[^\s/?#@:*[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/i

/** `scheme://host[:port]`, where the host may begin with `*.` for every name below a domain; `*` alone for any origin. */
export const originRule = (origin: string): string | undefined => {
  if (origin === "*") return undefined
  const match = ORIGIN.exec(origin)
  return match !== null && Number(match[1] ?? 0) <= 65_535
    ? undefined
    : `${JSON.stringify(origin)} is not an origin: scheme://host[:port] without a path, such as "https://app.example.com", or "*"`
}

/** An IP network in CIDR notation, or a single address. */
export const networkRule = (text: string): string | undefined => {
  const cidr = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`
  return Result.match(IpNetwork.fromString(cidr), {
    onSuccess: () => undefined,
    onFailure: (error) => `${JSON.stringify(text)} is not an IP network, such as "10.0.0.0/8": ${error.message}`
  })
}

/** Whether a listening address can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" ||
  Result.match(NetAddress.ipFromString(host.replace(/^\[(.*)\]$/, "$1")), {
    onSuccess: NetAddress.isLoopback,
    onFailure: () => false
  })

/** An http or https address without user and password. The text of a mistake does not repeat it. */
export const urlRule = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return "is not an http or https URL"
  return url.username === "" && url.password === "" ? undefined : "must not hold a user or password"
}

/** A name that can be one token of a NATS subject and a header's value. */
export const tokenRule = (name: string): string | undefined =>
  /^[A-Za-z0-9_-]{1,64}$/.test(name) ? undefined : `${JSON.stringify(name)} may hold letters, digits, "-" and "_" only, 64 at most`

const algorithms = [...secretAlgorithms, ...jwksAlgorithms]

/** A JSON Web Signature algorithm that is served (RFC 7518, RFC 8037); "none" is not among them. */
export const algorithmRule = (name: string): string | undefined =>
  algorithms.includes(name) ? undefined : `${JSON.stringify(name)} is not one of ${algorithms.join(", ")}`

/** What an API key may be allowed; "*" is everything. */
export const scopes = ["read", "publish", "manage", "*"]

export const scopeRule = (scope: string): string | undefined =>
  scopes.includes(scope) ? undefined : `${JSON.stringify(scope)} is not one of ${scopes.map((name) => `"${name}"`).join(", ")}`

/** Shortest key of the server API, in characters. */
export const API_KEY_LENGTH = 16

export const apiKeyRule = (key: string): string | undefined =>
  key.length >= API_KEY_LENGTH && !/[^\x21-\x7e]/.test(key)
    ? undefined
    : key.length < API_KEY_LENGTH
      ? `is shorter than ${API_KEY_LENGTH} characters`
      : "may hold printable ASCII without spaces only, since it travels in a header"

/** Text that is a key itself and not the path of a file with one. */
export const isPem = (text: string): boolean => text.includes("-----BEGIN ")
