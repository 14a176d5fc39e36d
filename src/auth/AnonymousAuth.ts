import type { Identity } from "./Auth.ts"
import { knownPermissions } from "./Claims.ts"

export interface AnonymousOptions {
  /** Whether a client may connect without a token. */
  readonly anonymous: boolean
  /** The server permissions of such a client. */
  readonly anonymous_server: ReadonlyArray<string>
}

/** Who a client without a token is, or undefined where it may not come in. */
export const anonymousIdentity = (options: AnonymousOptions): Identity | undefined => {
  if (!options.anonymous) return undefined
  const server = knownPermissions(options.anonymous_server)
  return server.length === 0 ? {} : { server }
}
