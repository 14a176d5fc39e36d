import { Redacted } from "effect"
import { hkdfSync } from "node:crypto"

/** Configured secrets that may sign a route's cookies, the first that is there. */
export interface CookieSecrets {
  /** `sticky_sessions.secret` of the route. */
  readonly route: Redacted.Redacted<string> | undefined
  /** `gateway.secret`. */
  readonly gateway: Redacted.Redacted<string> | undefined
  /** `auth.jwt.secret`. */
  readonly jwt: Redacted.Redacted<string> | undefined
}

/**
 * The key that signs a route's cookies, 32 bytes: derived (HKDF-SHA256, RFC 5869) from the first secret that is configured,
 * so that no key serves two purposes. Undefined: none is, and a random one has to do, with which cookies do not outlive the
 * process.
 */
export const cookieSecret = ({ gateway, jwt, route }: CookieSecrets): Uint8Array | undefined => {
  const secret = route ?? gateway ?? jwt
  return secret === undefined ? undefined : new Uint8Array(hkdfSync("sha256", Redacted.value(secret), "", "weft gateway cookie", 32))
}
