/** `weft token`: a token for development, signed with the configuration's own secret. */
import { Clock, Console, Effect, Option, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { Settings } from "../config/Settings.ts"
import { failure, loadOrFail } from "./Failure.ts"
import * as flags from "./flags.ts"

/** What the token shall say; a list that is empty is left out of it. */
export interface Claims {
  readonly user: string
  /** Seconds until it expires. */
  readonly ttl: number
  readonly info?: unknown
  readonly rooms: Readonly<Record<"join" | "publish" | "presence" | "history", ReadonlyArray<string>>>
  readonly server: ReadonlyArray<string>
}

type Jwt = NonNullable<Settings["auth"]["jwt"]>

/** The payload of a token (RFC 7519 names, and Weft's `info`, `rooms` and `server`); `now` in milliseconds. */
export const payload = (claims: Claims, jwt: Pick<Jwt, "issuer" | "audience">, now: number): Readonly<Record<string, unknown>> => {
  const rooms = Object.entries(claims.rooms).filter(([, patterns]) => patterns.length > 0)
  const seconds = Math.floor(now / 1000)
  return {
    sub: claims.user,
    iat: seconds,
    exp: seconds + claims.ttl,
    ...(jwt.issuer === undefined ? {} : { iss: jwt.issuer }),
    ...(jwt.audience === undefined ? {} : { aud: jwt.audience }),
    ...(claims.info === undefined ? {} : { info: claims.info }),
    ...(rooms.length === 0 ? {} : { rooms: Object.fromEntries(rooms) }),
    ...(claims.server.length === 0 ? {} : { server: claims.server })
  }
}

/** Signs with the secret of `jwt`, with HS256 or the first algorithm that the configuration takes. */
const mint = Effect.fnUntraced(function* (claims: Claims, jwt: Jwt, secret: Redacted.Redacted<string>) {
  const now = yield* Clock.currentTimeMillis
  const alg = jwt.algorithms === undefined || jwt.algorithms.includes("HS256") ? "HS256" : (jwt.algorithms[0] ?? "HS256")
  // Loaded only here: the other commands start without it.
  const { SignJWT } = yield* Effect.promise(() => import("jose"))
  return yield* Effect.tryPromise({
    try: () =>
      new SignJWT(payload(claims, jwt, now)).setProtectedHeader({ alg, typ: "JWT" }).sign(new TextEncoder().encode(Redacted.value(secret))),
    catch: () => failure("the secret can not be used to sign a token")
  })
})

const patterns = (name: string, what: string) =>
  Flag.String(name).pipe(Flag.withMetavar("PATTERN"), Flag.withDescription(`Rooms ${what}; may be given again`), Flag.atLeast(0))

const parseInfo = (text: string) =>
  Effect.fromResult(Schema.decodeResult(Schema.fromJsonString(Schema.Unknown))(text)).pipe(
    Effect.mapError(() => failure('--info must be JSON, such as \'{"name":"Ann"}\''))
  )

export const token = Command.make(
  "token",
  {
    user: Flag.String("user").pipe(
      Flag.withAlias("u"),
      Flag.filter(
        (name) => name !== "",
        () => "must not be empty"
      ),
      Flag.withMetavar("NAME"),
      Flag.withDescription("The user that the token is for (claim `sub`)")
    ),
    ttl: Flag.Int("ttl").pipe(
      Flag.filter(
        (seconds) => seconds > 0,
        () => "must be more than 0"
      ),
      Flag.withMetavar("SECONDS"),
      Flag.withDescription("Seconds until the token expires"),
      Flag.withDefault(3600)
    ),
    join: patterns("room-join", "that it may join"),
    publish: patterns("room-publish", "that it may publish to"),
    presence: patterns("room-presence", "whose members it may see"),
    history: patterns("room-history", "whose history it may read"),
    server: Flag.String("server").pipe(
      Flag.withMetavar("PERMISSION"),
      Flag.withDescription("A permission on the whole server, such as `broadcast`; may be given again"),
      Flag.atLeast(0)
    ),
    info: Flag.String("info").pipe(Flag.withMetavar("JSON"), Flag.withDescription("What others see about the user"), Flag.optional),
    config: flags.config,
    secret: Flag.Redacted("secret").pipe(
      Flag.withMetavar("SECRET"),
      Flag.withDescription("Instead of `auth.jwt.secret`. Others on this machine can see it; WEFT_AUTH_JWT_SECRET is not seen"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ config, history, info, join, presence, publish, secret, server, ttl, user }) {
    const given = flags.setting("--secret", "auth.jwt.secret", Option.map(secret, Redacted.value))
    const { settings } = yield* loadOrFail({ ...flags.fileOption(config), flags: given })
    const jwt = settings.auth.jwt
    if (jwt?.secret === undefined)
      return yield* failure("no secret to sign with: set auth.jwt.secret in the file of --config, or WEFT_AUTH_JWT_SECRET, or --secret")
    const value = Option.isSome(info) ? yield* parseInfo(info.value) : undefined
    const claims: Claims = { user, ttl, info: value, rooms: { join, publish, presence, history }, server }
    yield* Console.log(yield* mint(claims, jwt, jwt.secret))
  })
).pipe(
  Command.withDescription(
    "Mint a token for development: an HS256 JSON Web Token, signed with `auth.jwt.secret`. Only the token is written to standard output."
  ),
  Command.withShortDescription("Mint a token for development"),
  Command.withExamples([
    { command: "weft token --config weft.toml --user ann", description: "A token for an hour" },
    { command: "weft token -c weft.toml --user ann --room-join 'team-*' --server broadcast", description: "With permissions" }
  ])
)
