/** What a JWT's payload, the HTTP validator's answer and a function of the embedder have in common. */
import { Result, Schema, SchemaIssue } from "effect"
import { CodecError } from "../wire/Codec.ts"
import { toWireValue } from "../wire/Value.ts"
import type { Identity } from "./Auth.ts"

/** Bytes of UTF-8 in `sub` and in each pattern. */
const MAX_NAME = 128
const MAX_PATTERNS = 64
/** Bytes of `info` as JSON: it is sent along with every presence entry. */
const MAX_INFO = 4096
const MAX_INFO_DEPTH = 32
/** The last second that a Date can name (ECMA-262, 21.4.1.1). */
const MAX_SECONDS = 8_640_000_000_000

const serverPermissions: ReadonlyArray<string> = ["broadcast"]

const utf8 = new TextEncoder()

// C0, DEL and C1: names end up in topics, headers and log lines.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

const nameProblem = (name: string): string | undefined => {
  if (name.length === 0) return "is empty"
  if (name.length > MAX_NAME || utf8.encode(name).length > MAX_NAME) return `is longer than ${MAX_NAME} bytes`
  if (control.test(name)) return "holds control characters"
  return name.isWellFormed() ? undefined : "is not well-formed Unicode"
}

const infoProblem = (info: unknown): string | undefined => {
  // It gets into messages, and so has to be what a message may hold.
  const held = Result.try({
    try: () => toWireValue(info, MAX_INFO_DEPTH),
    catch: (error) => (error instanceof CodecError ? error.message : "is not a JSON value")
  })
  if (Result.isFailure(held)) return held.failure
  const json = Result.try(() => JSON.stringify(info))
  if (Result.isFailure(json) || json.success === undefined) return "is not a JSON value"
  return json.success.length > MAX_INFO || utf8.encode(json.success).length > MAX_INFO
    ? `is longer than ${MAX_INFO} bytes as JSON`
    : undefined
}

const optional = Schema.optionalKey
const Name = Schema.String.check(Schema.makeFilter(nameProblem))
const Patterns = Schema.Array(Name).check(
  Schema.makeFilter((list) => (list.length > MAX_PATTERNS ? `has more than ${MAX_PATTERNS} entries` : undefined))
)

/**
 * The claims that Weft reads; others are ignored. Bounds: `sub` 1 to 128 bytes without control characters, `exp` in
 * seconds since 1970, `info` at most 4 KiB as JSON, each list of `rooms` at most 64 patterns of at most 128 bytes.
 */
export const Claims = Schema.Struct({
  sub: optional(Name),
  exp: optional(
    Schema.Number.check(Schema.makeFilter((exp) => (exp >= 0 && exp <= MAX_SECONDS ? undefined : "is not a time in seconds since 1970")))
  ),
  info: optional(Schema.Unknown.check(Schema.makeFilter(infoProblem))),
  rooms: optional(
    Schema.Struct({ join: optional(Patterns), publish: optional(Patterns), presence: optional(Patterns), history: optional(Patterns) })
  ),
  server: optional(
    Schema.Array(Schema.String).check(
      Schema.makeFilter((list) => (list.length > MAX_PATTERNS ? `has more than ${MAX_PATTERNS} entries` : undefined))
    )
  )
})
export type Claims = typeof Claims.Type

const decode = Schema.decodeUnknownResult(Claims)
const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** `rooms.join: is longer than 128 bytes`: where and what, without the value. */
const describe = (issue: SchemaIssue.Issue): string => {
  const first = issues(issue).issues[0]
  if (first === undefined) return "the claims are not of the expected form"
  const path = (first.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  return path === "" ? `the claims: ${first.message}` : `the claim ${path}: ${first.message}`
}

/**
 * The identity that claims give, or what is wrong with them in a text fit for a client. `leeway` (seconds) is added to
 * the end of validity, as the one who checks `exp` adds it too. Permissions that Weft does not know are left out.
 */
export const identityFrom = (claims: unknown, leeway = 0): Result.Result<Identity, string> =>
  Result.match(decode(claims), {
    onFailure: (error) => Result.fail(describe(error.issue)),
    onSuccess: ({ exp, info, rooms, server, sub }) =>
      Result.succeed({
        ...(sub === undefined ? {} : { user: sub }),
        ...(info === undefined ? {} : { info }),
        ...(exp === undefined ? {} : { expiresAt: Math.min((exp + leeway) * 1000, MAX_SECONDS * 1000) }),
        ...(rooms === undefined ? {} : { rooms }),
        ...(server === undefined ? {} : { server: knownPermissions(server) })
      })
  })

/** Without duplicates and without what this version does not know. */
export const knownPermissions = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  serverPermissions.filter((permission) => names.includes(permission))
