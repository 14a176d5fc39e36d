/** The errors of the server API as problem bodies (RFC 9457): the codes of the protocol, each with its HTTP status. */
import { Effect, Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { type ErrorCode, errorCodes } from "../wire/Codes.ts"
import type { HubError } from "./Hub.ts"

type CodesOf<Status extends number> = {
  [Code in ErrorCode]: (typeof errorCodes)[Code]["status"] extends Status ? Code : never
}[ErrorCode]

const codesOf = <const Status extends number>(status: Status): Schema.Literals<ReadonlyArray<CodesOf<Status>>> =>
  Schema.Literals(
    (Object.keys(errorCodes) as ReadonlyArray<ErrorCode>).filter((code): code is CodesOf<Status> => errorCodes[code].status === status)
  )

/** `code` tells what went wrong, `detail` where. The type says no more than the status does, hence `about:blank`. */
const members = <const Status extends number>(status: Status) => ({ detail: Schema.String, code: codesOf(status) })

const declare = <const Status extends number>(status: Status, title: string) => ({ type: ProblemDetails.blankType, status, title }) as const

export class BadRequest extends HttpApiError.Problem<BadRequest>()("BadRequest", declare(400, "Bad Request"), members(400)) {}
export class Unauthorized extends HttpApiError.Problem<Unauthorized>()("Unauthorized", declare(401, "Unauthorized"), members(401)) {}
export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", declare(403, "Forbidden"), members(403)) {}
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", declare(404, "Not Found"), members(404)) {}
export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", declare(409, "Conflict"), members(409)) {}
export class TooLarge extends HttpApiError.Problem<TooLarge>()("TooLarge", declare(413, "Content Too Large"), members(413)) {}
export class TooMany extends HttpApiError.Problem<TooMany>()("TooMany", declare(429, "Too Many Requests"), members(429)) {}
export class Internal extends HttpApiError.Problem<Internal>()("Internal", declare(500, "Internal Server Error"), members(500)) {}
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", declare(503, "Service Unavailable"), members(503)) {}
export class Timeout extends HttpApiError.Problem<Timeout>()("Timeout", declare(504, "Gateway Timeout"), members(504)) {}

export type Problem = BadRequest | Unauthorized | Forbidden | NotFound | Conflict | TooLarge | TooMany | Internal | Unavailable | Timeout

/** An error of the protocol as the problem that has its status. */
export const problemOf = (code: ErrorCode, detail: string): Problem => {
  switch (code) {
    case "invalid_message":
    case "unknown_type":
      return new BadRequest({ code, detail })
    case "unauthorized":
      return new Unauthorized({ code, detail })
    case "forbidden":
    case "not_in_room":
      return new Forbidden({ code, detail })
    case "not_found":
      return new NotFound({ code, detail })
    case "conflict":
      return new Conflict({ code, detail })
    case "too_large":
      return new TooLarge({ code, detail })
    case "rate_limited":
    case "limit_reached":
      return new TooMany({ code, detail })
    case "internal":
      return new Internal({ code, detail })
    case "unavailable":
      return new Unavailable({ code, detail })
    case "timeout":
      return new Timeout({ code, detail })
  }
}

/** What the hub or the gateway answers, its errors as problems. */
export const asked = <A>(effect: Effect.Effect<A, HubError>): Effect.Effect<A, Problem> =>
  Effect.mapError(effect, ({ code, message }) => problemOf(code, message))

export const notFound = (what: string): NotFound => new NotFound({ code: "not_found", detail: `no such ${what}` })
