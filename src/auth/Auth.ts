/** The port to whoever knows the users. Everything else of the server sees identities only, never tokens. */
import { Context, Data, type Effect, type Redacted } from "effect"

/** Room name patterns (`*` stands for any run of characters) for each right. A list that is absent says nothing. */
export interface RoomGrants {
  readonly join?: ReadonlyArray<string>
  readonly publish?: ReadonlyArray<string>
  readonly presence?: ReadonlyArray<string>
  readonly history?: ReadonlyArray<string>
}

/** Who a connection is. Without `user` it is anonymous. */
export interface Identity {
  readonly user?: string
  /** What other members are shown beside the user: any JSON value. */
  readonly info?: unknown
  /** Milliseconds since 1970. From then on the identity is not valid any more. Absent: no end. */
  readonly expiresAt?: number
  readonly rooms?: RoomGrants
  /** Permissions on the whole server, such as "broadcast" (to everyone). */
  readonly server?: ReadonlyArray<string>
}

/** What is known of a client that asks to connect. Header names are in lower case; headers and query may hold the token. */
export interface AuthRequest {
  readonly token: Redacted.Redacted<string> | undefined
  readonly address: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
}

/**
 * Why nobody was let in. `unauthorized`: no token, or one that is not valid. `forbidden`: known, but not welcome.
 * `unavailable`: nobody could tell; the same token may be good later. `message` is fit for the client and never holds
 * the token.
 */
export class AuthError extends Data.TaggedError("AuthError")<{
  readonly code: "unauthorized" | "forbidden" | "unavailable"
  readonly message: string
}> {}

/** Authentication cannot work as it is configured. `key` names the setting. Raised when the server starts. */
export class AuthSetupError extends Data.TaggedError("AuthSetupError")<{
  readonly key: string
  readonly message: string
}> {}

/**
 * Authentication. Every failure, of whatever part, refuses: nobody is let in because a check could not be made. Both calls
 * end within the configured time limit.
 */
export class Auth extends Context.Service<
  Auth,
  {
    /** Some authentication is configured. */
    readonly configured: boolean
    /** At the upgrade. Without a token: the anonymous identity if that is allowed, else `unauthorized`. */
    readonly authenticate: (request: AuthRequest) => Effect.Effect<Identity, AuthError>
    /** For the message `auth`: the identity that a new token gives. Whether it is the same user is for the caller to compare. */
    readonly refresh: (token: Redacted.Redacted<string>) => Effect.Effect<Identity, AuthError>
  }
>()("weft/auth/Auth") {}
