import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/**
 * A small answer whose body is already there. The transport sends it in one piece, without the stream that every web
 * `Response` with a body has. Header names are in lower case.
 */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** What the transport knows of a request beside the web `Request`. */
export interface HttpInfo {
  /** The client's address as text. */
  readonly address: string
  /** The client's own `X-Request-Id` if it is sane, else a new one. It is in the request's headers too, and in the answer's. */
  readonly requestId: string
  /** Path and query as the client sent them: the URL of a `Request` has its dot segments removed. */
  readonly target: string
}

/**
 * Answers one request. `Request.signal` aborts when the client is gone. A handler that answers at once, without a promise,
 * is answered in the same turn. One that throws or rejects is answered 500.
 */
export type HttpHandler = (request: Request, info: HttpInfo) => Answer | Response | Promise<Answer | Response>

/** `body` as JSON. */
export const jsonAnswer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

/** The JSON `{code, message}` that every refusal outside of the server API has. `status` is the code's own unless given. */
export const errorAnswer = (
  code: ErrorCode,
  message: string,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
): Answer => jsonAnswer(options.status ?? errorCodes[code].status, { code, message }, options.headers)
