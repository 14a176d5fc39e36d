/** What every endpoint of the server API goes through: the key, and the form of errors. */
import { Cause, Context, Effect, Layer, SchemaIssue } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { type HttpApiError, HttpApiMiddleware } from "effect/http-api"
import { Authorization, RequestErrors } from "./AdminApi.ts"
import { RequiredScope } from "./endpoints.ts"
import { allows, type ApiKey, matchKey } from "./Keys.ts"
import * as Problems from "./Problems.ts"

/** RFC 9110, section 11.6.1: a 401 says how to authenticate. */
const challenge = HttpEffect.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", 'Bearer realm="weft"'))
)

/** Without keys nobody gets in. */
export const authorization = (keys: ReadonlyArray<ApiKey>): Layer.Layer<Authorization> => {
  const match = matchKey(keys)
  const middleware = Authorization.of({
    bearer: Effect.fnUntraced(function* (httpEffect, { credential, endpoint }) {
      const key = match(credential)
      if (key === undefined) {
        yield* challenge
        return yield* new Problems.Unauthorized({ code: "unauthorized", detail: "a valid API key is needed: Authorization: Bearer KEY" })
      }
      const scope = Context.get(endpoint.annotations, RequiredScope)
      if (!allows(key, scope)) return yield* new Problems.Forbidden({ code: "forbidden", detail: `this key has no scope "${scope}"` })
      return yield* Effect.annotateLogs(httpEffect, "api_key", key.name)
    })
  })
  return Layer.succeed(Authorization, middleware)
}

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

const places: Readonly<Record<HttpApiError.HttpApiSchemaError["kind"], string>> = {
  Payload: "body",
  Params: "path",
  Query: "query",
  Headers: "header",
  Body: "answer",
  ResponseHeaders: "answer header"
}

/** `body.room: Expected string`: where and what. What was sent, which may be long or secret, is not repeated. */
export const describeRequestError = (error: HttpApiError.HttpApiSchemaError): string => {
  const first = issues(error.cause.issue).issues[0]
  const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return `${[places[error.kind], ...path].join(".")}: ${first?.message ?? "not of the expected form"}`.slice(0, 300)
}

/** An answer of our own that does not fit its schema is a fault of ours, and no client's business. */
export const requestErrors: Layer.Layer<RequestErrors> = HttpApiMiddleware.layerSchemaErrorTransform(RequestErrors, (error) =>
  error.kind === "Body" || error.kind === "ResponseHeaders"
    ? Effect.failCause(Cause.die(error))
    : Effect.fail(new Problems.BadRequest({ code: "invalid_message", detail: describeRequestError(error) }))
)
