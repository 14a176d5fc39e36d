import type { HttpRequest, HttpResponse } from "uWebSockets.js"
import { type Answer, errorAnswer, type HttpHandler } from "./HttpAnswer.ts"
import { receiveBody } from "./UwsHttpBody.ts"
import { Exchange } from "./UwsHttpExchange.ts"
import { type HeadOptions, readHead } from "./UwsHttpHead.ts"
import { writeAnswer, writeResponse } from "./UwsHttpWrite.ts"

export interface ServeHttpOptions extends HeadOptions {
  /** Bytes that a request's body may have. More is answered 413. */
  readonly maxBody: number
  /** Told once per request, when its answer begins. */
  readonly onAnswer?: (status: number) => void
  /** Told what the handler threw or its body failed with. The client is told nothing of it. */
  readonly onError?: (error: unknown, requestId: string) => void
}

/**
 * Serves one HTTP request of uWebSockets.js with a handler of web `Request` and `Response`. To be called in the route's
 * callback. Bodies stream both ways with backpressure. A client that goes away aborts `Request.signal`.
 *
 * Answers of its own, as JSON `{code, message}`: 400 and 501 for requests whose framing is not to be trusted, 413 for a
 * body over `maxBody`, 500 for a handler that throws. Every answer carries `X-Request-Id`.
 *
 * Pipelined requests are answered in order as long as the handler answers without a promise. A request that arrives while
 * another one of the same connection waits for its answer makes uWebSockets.js close the connection.
 */
export const serveHttp = (res: HttpResponse, req: HttpRequest, handler: HttpHandler, options: ServeHttpOptions): void => {
  const head = readHead(res, req, options)
  const { requestId } = head
  const isHead = head.method === "HEAD"
  const exchange = new Exchange(res)
  const writing = { head: isHead, requestId, onBegin: (status: number): void => options.onAnswer?.(status) }

  const answer = (given: Answer, close = false): void => {
    if (exchange.begun) exchange.cut()
    else writeAnswer(exchange, given, { ...writing, close })
  }
  const fail = (error: unknown): void => {
    // What fails because the client has gone, or because its body was refused, is no fault.
    if (exchange.over) return
    options.onError?.(error, requestId)
    answer(errorAnswer("internal", "the server could not answer this request"))
  }
  const tooLarge = (close: boolean): void => answer(errorAnswer("too_large", `the body is larger than ${options.maxBody} bytes`), close)
  const deliver = (given: Answer | Response): void => {
    if (given instanceof Response) writeResponse(exchange, given, writing).catch(fail)
    else answer(given)
  }

  if (head.refusal !== undefined) return answer(head.refusal, true)
  // A client that waits for leave to send a body will now never send it: what follows on its connection is not to be guessed.
  if (head.hasBody && (head.contentLength ?? 0) > options.maxBody) return tooLarge(head.expectsContinue)

  const bodyless = isHead || head.method === "GET"
  const overflow = (): void => {
    tooLarge(false)
    exchange.gone.abort()
  }
  const body = head.hasBody && !bodyless ? receiveBody(exchange, options.maxBody, overflow) : null
  let request: Request
  try {
    request = new Request(head.url, {
      method: head.method,
      headers: head.headers,
      signal: exchange.gone.signal,
      body,
      ...(body === null ? {} : { duplex: "half" })
    })
  } catch {
    // CONNECT, TRACE and TRACK: the platform's `Request` has no place for them.
    return answer(errorAnswer("invalid_message", `${head.method} is not served`, { status: 501 }), head.hasBody)
  }

  let given: ReturnType<HttpHandler>
  try {
    given = handler(request, { address: head.address, requestId, target: head.target })
  } catch (error) {
    return fail(error)
  }
  if (given instanceof Promise) given.then(deliver).catch(fail)
  else deliver(given)
}
