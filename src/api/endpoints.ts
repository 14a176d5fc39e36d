/** What endpoints of the server API are declared with. */
import { Context, Schema } from "effect"
import { OpenApi } from "effect/http-api"
import type { Scope } from "./Keys.ts"
import * as Problems from "./Problems.ts"

/** The scope that a key needs for an endpoint. One that does not say needs the strongest. */
export const RequiredScope = Context.Reference<Scope>("weft/api/RequiredScope", { defaultValue: () => "manage" })

/** Names and reasons travel to clients: half of a surrogate pair has no UTF-8 form. */
export const wellFormed = Schema.makeFilter((text: string) => (text.isWellFormed() ? undefined : "not well-formed Unicode"))
export const Name = Schema.String.check(Schema.isMinLength(1), wellFormed)
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
export const Milliseconds = Schema.Int.annotate({ description: "Milliseconds since 1970." })

/** What the hub or the gateway may answer instead. */
export const errors = [
  Problems.BadRequest,
  Problems.Forbidden,
  Problems.NotFound,
  Problems.Conflict,
  Problems.TooLarge,
  Problems.TooMany,
  Problems.Internal,
  Problems.Unavailable,
  Problems.Timeout
] as const

export const describe = (summary: string) => OpenApi.annotations({ summary })
