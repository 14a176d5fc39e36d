import { randomUUID } from "node:crypto"
import type { HttpRequest, HttpResponse } from "uWebSockets.js"
import { type Answer, errorAnswer } from "./HttpAnswer.ts"

/** The head of a request, read to the end: `HttpRequest` is dead once the route's callback has returned. */
export interface Head {
  /** As the client wrote it. */
  readonly method: string
  /** Path and query as the client wrote them. */
  readonly target: string
  readonly url: string
  readonly headers: Headers
  readonly address: string
  readonly requestId: string
  /** Whether the framing announces a body. */
  readonly hasBody: boolean
  /** The announced length in bytes; nothing for a chunked body. */
  readonly contentLength: number | undefined
  /** The client waits for leave before it sends the body. */
  readonly expectsContinue: boolean
  /** Why the request can not be served. Its framing is not to be trusted, so the connection has to close. */
  readonly refusal: Answer | undefined
}

const sane = /^[\w.:+/=@-]{1,128}$/

// uWebSockets.js reads header bytes as UTF-8, `Headers` takes one character per byte.
const nonAscii = /[^\x20-\x7e\t]/
const byteString = (value: string): string => (nonAscii.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value)

// A URL parser would end the path at the one and read the other as a slash.
const unsafeInPath = /[#\\]/g

const malformed = (message: string, status?: number): Answer =>
  errorAnswer("invalid_message", message, status === undefined ? {} : { status })

export interface HeadOptions {
  /** The listener speaks TLS: `Request.url` begins with `https:`. */
  readonly secure: boolean
  /** Finds out who is behind a trusted proxy. Default: the socket's address. */
  readonly client?: (peer: string, headers: Headers) => { readonly address: string; readonly secure: boolean }
}

/**
 * Reads everything there is to know of a request. Refused are requests that two servers in a row might frame differently
 * (RFC 9112, section 6.3), headers that are no field values, and a `Host` that makes no URL.
 */
export const readHead = (res: HttpResponse, req: HttpRequest, options: HeadOptions): Head => {
  // In this order: `getMethod` turns the name into lower case where it stands.
  const method = req.getCaseSensitiveMethod()
  const query = req.getQuery()
  const path = req.getUrl()
  const target = query === undefined || query === "" ? path : `${path}?${query}`
  const headers = new Headers()
  let refusal: Answer | undefined
  let contentLength: number | undefined
  let chunked = false
  req.forEach((name, value) => {
    if (name === "content-length") {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined
      if (length === undefined || (contentLength !== undefined && contentLength !== length)) refusal = malformed("bad Content-Length")
      contentLength = length
    } else if (name === "transfer-encoding") {
      chunked = true
      if (value.trim().toLowerCase() !== "chunked") refusal = malformed("no transfer coding but chunked is served", 501)
    }
    try {
      headers.append(name, byteString(value))
    } catch {
      refusal = malformed(`bad header ${name}`)
    }
  })
  const given = headers.get("x-request-id")
  const requestId = given !== null && sane.test(given) ? given : randomUUID()
  headers.set("x-request-id", requestId)
  const host = headers.get("host") ?? ""
  const peer = Buffer.from(res.getRemoteAddressAsText()).toString("latin1")
  const client = options.client?.(peer, headers) ?? { address: peer, secure: false }
  const origin = `${options.secure || client.secure ? "https" : "http"}://${host === "" ? "localhost" : host}`
  const url = origin + target.replace(unsafeInPath, encodeURIComponent)
  if (!URL.canParse(url) || !/^[\w.\-:[\]%]*$/.test(host)) refusal ??= malformed("bad Host")
  return {
    method,
    target,
    url,
    headers,
    address: client.address,
    requestId,
    hasBody: chunked || (contentLength ?? 0) > 0,
    contentLength: chunked ? undefined : contentLength,
    expectsContinue: headers.get("expect")?.toLowerCase() === "100-continue",
    refusal
  }
}
