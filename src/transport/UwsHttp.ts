import type { HttpRequest, HttpResponse } from "uWebSockets.js"
import { type Answer, errorAnswer, type HttpArrival, type HttpHandler, type HttpRoute, type Relay } from "./HttpAnswer.ts"
import type { InFlight } from "./InFlight.ts"
import { receiveBody } from "./UwsHttpBody.ts"
import { Exchange } from "./UwsHttpExchange.ts"
import { type Head, type HeadOptions, readHead } from "./UwsHttpHead.ts"
import { writeAnswer, writeRelay, writeResponse } from "./UwsHttpWrite.ts"

export interface ServeHttpOptions extends HeadOptions {
  /** Bytes that the body of a request to the handler may have. More is answered 413. */
  readonly maxBody: number
  /** Asked first: who answers this request directly. Undefined: the handler does. */
  readonly route?: (arrival: HttpArrival) => HttpRoute | undefined
  /** Told once per request, when its answer begins. */
  readonly onAnswer?: (status: number) => void
  /** Told of each request, when it has come and when it is over. */
  readonly inFlight?: InFlight
  /** Told what the handler threw or its body failed with. The client is told nothing of it. */
  readonly onError?: (error: unknown, requestId: string) => void
}

/** The web `Request` of a handler. Undefined: the platform has no place for one of this method. */
const webRequest = (head: Head, body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined, exchange: Exchange): Request | undefined => {
  const gone = new AbortController()
  exchange.onGone(() => gone.abort())
  const { headers, method } = head
  const bodyless = body === undefined || method === "HEAD" || method === "GET"
  try {
    return new Request(head.url, {
      method,
      headers: [...headers],
      signal: gone.signal,
      ...(bodyless ? {} : { body, duplex: "half" })
    })
  } catch {
    return undefined
  }
}

/**
 * Serves one HTTP request of uWebSockets.js, by a route of its own or a handler of web `Request` and `Response`. To be called
 * in the route's callback. Bodies stream both ways with backpressure.
 *
 * Answers of its own, as JSON `{code, message}`: 400 and 501 for requests whose framing is not to be trusted and methods that
 * are not served, 413 for a body over the limit, 500 for a handler that throws. Every answer carries `X-Request-Id`.
 *
 * Pipelined requests are answered in order as long as the handler answers without a promise, and the answers to what came
 * in one piece fit in 16 KiB. A request that arrives while
 * another one of the same connection waits for its answer makes uWebSockets.js close the connection.
 */
export const serveHttp = (res: HttpResponse, req: HttpRequest, handler: HttpHandler, options: ServeHttpOptions): void => {
  const head = readHead(res, req, options)
  const { requestId } = head
  options.inFlight?.begin()
  const exchange = new Exchange(res, () => options.inFlight?.end())
  const writing = { head: head.method === "HEAD", requestId, onBegin: (status: number): void => options.onAnswer?.(status) }

  const answer = (given: Answer, close = false): void => {
    if (exchange.begun) exchange.cut()
    else writeAnswer(exchange, given, { ...writing, close })
  }
  // In a later turn: what has come behind on the connection would be served as a request before that closes. This way
  // uWebSockets.js closes it at once, with whatever is there.
  const refuse = (refusal: Answer): void => void setImmediate(() => answer(refusal, true))
  if (head.refusal !== undefined) return refuse(head.refusal)

  const fail = (error: unknown): void => {
    // What fails because the client has gone, or because its body was refused, is no fault.
    if (exchange.over) return
    options.onError?.(error, requestId)
    answer(errorAnswer("internal", "the server could not answer this request"))
  }
  const deliver = (given: Answer | Response | Relay): void => {
    if (given instanceof Response) writeResponse(exchange, given, writing).catch(fail)
    else if ("attach" in given) writeRelay(exchange, given, writing)
    else answer(given)
  }

  const route = options.route?.(head)
  if (route !== undefined) exchange.patience = route.patience
  const maxBody = route === undefined ? options.maxBody : route.maxBody === 0 ? Infinity : route.maxBody
  const tooLarge = errorAnswer("too_large", `the body is larger than ${maxBody} bytes`)
  // A client that waits for leave to send a body will now never send it: what follows on its connection is not to be guessed.
  if (head.hasBody && (head.contentLength ?? 0) > maxBody) return head.expectsContinue ? refuse(tooLarge) : answer(tooLarge)
  const overflow = (): void => {
    answer(tooLarge)
    exchange.abort()
  }
  const body = head.hasBody ? receiveBody(exchange, maxBody, overflow) : undefined

  let given: ReturnType<HttpHandler> | ReturnType<HttpRoute["handle"]>
  try {
    if (route !== undefined) given = route.handle({ body, onGone: (listener) => exchange.onGone(listener) })
    else {
      const request = webRequest(head, body, exchange)
      if (request === undefined)
        return answer(errorAnswer("invalid_message", `${head.method} is not served`, { status: 501 }), head.hasBody)
      given = handler(request, { address: head.address, requestId, target: head.target })
    }
  } catch (error) {
    return fail(error)
  }
  if (given instanceof Promise) given.then(deliver).catch(fail)
  else deliver(given)
}
