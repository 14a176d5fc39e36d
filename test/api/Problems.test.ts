import { Effect } from "effect"
import { HttpServerRespondable, HttpServerResponse } from "effect/http"
import { describe, expect, it } from "vitest"
import { problemOf } from "../../src/api/Problems.ts"
import { type ErrorCode, errorCodes } from "../../src/wire/Codes.ts"

describe("every error code of the protocol", () => {
  it.each(Object.keys(errorCodes) as Array<ErrorCode>)("is a problem with the status of the code: %s", async (code) => {
    const problem = problemOf(code, "why")
    const response = HttpServerResponse.toWeb(await Effect.runPromise(HttpServerRespondable.toResponse(problem)))
    expect(response.status).toBe(errorCodes[code].status)
    expect(response.headers.get("content-type")).toBe("application/problem+json")
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: expect.stringMatching(/^[A-Z][A-Za-z ]+$/),
      status: errorCodes[code].status,
      detail: "why",
      code
    })
  })
})
