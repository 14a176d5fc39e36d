import type { HttpRequest, HttpResponse } from "uWebSockets.js"
import type { Client } from "./ClientAddress.ts"
import { addHeader } from "./Handshake.ts"
import { type Answer, errorAnswer, type HttpArrival } from "./HttpAnswer.ts"
import { requestIdFrom } from "./RequestId.ts"

/** The head of a request, read to the end: `HttpRequest` is dead once the route's callback has returned. */
export interface Head extends HttpArrival {
  readonly headers: Map<string, string>
  readonly url: string
  /** The announced length in bytes; nothing for a chunked body. */
  readonly contentLength: number | undefined
  /** The client waits for leave before it sends the body. */
  readonly expectsContinue: boolean
  /** Why the request can not be served. Its framing is not to be trusted, so the connection has to close. */
  readonly refusal: Answer | undefined
}

/** RFC 9110, sections 5.1, 5.5 and 9.1. uWebSockets.js takes methods that are none, and some names. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex
const notInValue = /[\u0000-\u0008\u000a-\u001f\u007f]/

// uWebSockets.js reads header bytes as UTF-8; here a value has one character per byte.
const nonAscii = /[^\x20-\x7e\t]/
const byteString = (value: string): string => (nonAscii.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value)

// A URL parser would end the path at the one and read the other as a slash.
const unsafeInPath = /[#\\]/g

const malformed = (message: string, status?: number): Answer =>
  errorAnswer("invalid_message", message, status === undefined ? {} : { status })

/** Methods that reach no resource: one of a proxy, and two that show a client's own headers to scripts. */
const unserved: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"])

export interface HeadOptions {
  /** The listener speaks TLS: `Request.url` begins with `https:`. */
  readonly secure: boolean
  /** Finds out who is behind a trusted proxy. Default: the socket's address. */
  readonly client?: (peer: string, headers: ReadonlyMap<string, string>) => Client
}

/**
 * Reads everything there is to know of a request. Refused are requests that two servers in a row might frame differently
 * (RFC 9112, section 6.3), methods and headers that are none, and a `Host` that is absent or makes no URL.
 */
export const readHead = (res: HttpResponse, req: HttpRequest, options: HeadOptions): Head => {
  // In this order: `getMethod` turns the name into lower case where it stands.
  const method = req.getCaseSensitiveMethod()
  const query = req.getQuery()
  const path = req.getUrl()
  const target = query === undefined || query === "" ? path : `${path}?${query}`
  const headers = new Map<string, string>()
  let refusal: Answer | undefined
  let contentLength: number | undefined
  let chunked = false
  req.forEach((name, value) => {
    if (!token.test(name) || notInValue.test(value)) {
      refusal = malformed("bad header")
    } else if (name === "content-length") {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined
      if (length === undefined || (contentLength !== undefined && contentLength !== length)) refusal = malformed("bad Content-Length")
      contentLength = length
      headers.set(name, value)
    } else {
      if (name === "transfer-encoding") {
        if (value.trim().toLowerCase() !== "chunked") refusal = malformed("no transfer coding but chunked is served", 501)
        else if (chunked) refusal = malformed("bad Transfer-Encoding")
        chunked = true
      }
      addHeader(headers, name, byteString(value))
    }
  })
  if (chunked && contentLength !== undefined) refusal ??= malformed("both Content-Length and Transfer-Encoding")
  if (!token.test(method)) refusal = malformed("bad method")
  if (unserved.has(method.toUpperCase())) refusal ??= malformed(`${method} is not served`, 501)
  const requestId = requestIdFrom(headers.get("x-request-id"))
  headers.set("x-request-id", requestId)
  const host = headers.get("host") ?? ""
  const peer = Buffer.from(res.getRemoteAddressAsText()).toString("latin1")
  const client = options.client?.(peer, headers) ?? { address: peer, secure: false, peer, trusted: false }
  const secure = options.secure || client.secure
  const origin = `${secure ? "https" : "http"}://${host === "" ? "localhost" : host}`
  const url = origin + target.replace(unsafeInPath, encodeURIComponent)
  if (!headers.has("host") || !/^[\w.\-:[\]%]*$/.test(host) || !URL.canParse(url)) refusal ??= malformed("bad Host")
  return {
    method,
    target,
    url,
    headers,
    address: client.address,
    peer: client.peer,
    trusted: client.trusted,
    secure,
    requestId,
    hasBody: chunked || (contentLength ?? 0) > 0,
    contentLength: chunked ? undefined : contentLength,
    expectsContinue: headers.get("expect")?.toLowerCase() === "100-continue",
    refusal
  }
}
