import { STATUS_CODES } from "node:http"
import type { HttpResponse } from "uWebSockets.js"
import type { Answer, HeaderLines, Relay } from "./HttpAnswer.ts"
import { corked, framing, headSize, later, mayWrite, roomBeside } from "./UwsHttpCork.ts"
import type { Exchange } from "./UwsHttpExchange.ts"
import { RelayWriter, type RelayWriterOptions } from "./UwsHttpRelay.ts"

/**
 * What does not pass from a handler to the client: hop-by-hop headers (RFC 9110, section 7.6.1), and those that
 * uWebSockets.js writes itself.
 */
const own: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-request-id"
])

// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/g

/** A field value that can not end its line. uWebSockets.js would write characters above ASCII as UTF-8. */
const fieldValue = (value: string): string | Uint8Array => {
  const clean = value.replace(control, "")
  for (let i = 0; i < clean.length; i++) if (clean.charCodeAt(i) > 0x7e) return Buffer.from(clean, "latin1")
  return clean
}

export interface WriteOptions {
  /** Answer as to `HEAD`: no body, but its length where it is known. */
  readonly head: boolean
  readonly requestId: string
  /** Close the connection after the answer, if its body is short. */
  readonly close?: boolean
  /** Called when status and headers are written. */
  readonly onBegin: (status: number) => void
}

/** Writes status and headers. Must run once. */
const begin = (exchange: Exchange, status: number, headers: HeaderLines, options: WriteOptions): void => {
  const { res } = exchange
  exchange.begun = true
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? "Status"}`)
  for (const [name, value] of headers) {
    if (!own.has(name)) res.writeHeader(name, fieldValue(value))
    else if (name === "upgrade" && status === 426) res.writeHeader("connection", "upgrade").writeHeader("upgrade", fieldValue(value))
  }
  res.writeHeader("x-request-id", options.requestId)
  options.onBegin(status)
}

/**
 * Ends an answer that has no body, with the length that it would have had. The length is written by hand: after
 * `endWithoutBody(length)` uWebSockets.js waits for that body and closes the connection at its next request, which is
 * what is wanted only where the connection is to close.
 */
const endEmpty = (res: HttpResponse, length: number | undefined, close = false): void => {
  if (close) {
    res.endWithoutBody(length ?? 0, true)
    return
  }
  if (length !== undefined) res.writeHeader("content-length", String(length))
  res.endWithoutBody()
}

const ignore = (): void => undefined

const hasNoBody = (status: number): boolean => status === 204 || status === 304

/** Status and headers, to be written: how long they are, and the writing. */
type Opening = Pick<RelayWriterOptions, "begin" | "head">

const openingOf = (exchange: Exchange, status: number, headers: HeaderLines, options: WriteOptions): Opening => ({
  head: headSize(headers),
  begin: () => begin(exchange, status, headers, options)
})

/** Begins and ends the answer in one write. `end` is its last call, and writes `length` bytes. */
const writeOnce = (exchange: Exchange, opening: Opening, length: number, end: (res: HttpResponse) => void): void => {
  if (exchange.over) return
  const size = opening.head + length + framing
  if (!mayWrite(size)) return later(() => writeOnce(exchange, opening, length, end))
  exchange.ending()
  corked(exchange.res, size, () => {
    opening.begin()
    end(exchange.res)
  })
  exchange.ended()
}

/** Sends an answer whose body is there. A short one goes out in one write; a long one is held, not copied, while the client reads. */
export const writeAnswer = (exchange: Exchange, { body, headers, status }: Answer, options: WriteOptions): void => {
  if (exchange.over) return
  const opening = openingOf(exchange, status, Object.entries(headers), options)
  const length = Buffer.byteLength(body)
  if (options.head || hasNoBody(status))
    return writeOnce(exchange, opening, 0, (res) => endEmpty(res, hasNoBody(status) ? undefined : length, options.close))
  if (length <= roomBeside(opening.head)) return writeOnce(exchange, opening, length, (res) => void res.end(body, options.close))
  const writer = new RelayWriter(exchange, { ...opening, length, instead: ignore, onDrain: ignore })
  writer.write(typeof body === "string" ? Buffer.from(body) : body)
}

/** Sends an answer whose body is pushed as it comes. */
export const writeRelay = (exchange: Exchange, relay: Relay, options: WriteOptions): void => {
  if (exchange.over) return
  const { headers, length, status } = relay
  const opening = openingOf(exchange, status, headers, options)
  if (options.head || hasNoBody(status))
    return writeOnce(exchange, opening, 0, (res) => endEmpty(res, options.head ? length : undefined, options.close))
  const source = { onDrain: ignore }
  const writer: RelayWriter = new RelayWriter(exchange, {
    ...opening,
    length,
    instead: (answer) => writeAnswer(exchange, answer, options),
    onDrain: () => source.onDrain()
  })
  writer.together(() => {
    const { onDrain } = relay.attach(writer)
    source.onDrain = onDrain
  })
  writer.open(relay.opening)
}

const contentLength = (headers: Headers): number | undefined => {
  const value = headers.get("content-length")
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

/**
 * Sends a web `Response`, reading its body no faster than the client does. Rejects if the body fails or does not
 * have the length that its header says: if nothing was written yet another answer can be given, else the connection has to
 * be cut. `Content-Length` must be that of the body as it is read: after `fetch` has decompressed one, it is not.
 */
export const writeResponse = async (exchange: Exchange, response: Response, options: WriteOptions): Promise<void> => {
  const { body, headers, status } = response
  if (exchange.over) {
    body?.cancel().catch(ignore)
    return
  }
  const length = contentLength(headers)
  const opening = openingOf(exchange, status, headers, options)
  if (body === null || options.head || hasNoBody(status)) {
    body?.cancel().catch(ignore)
    return writeOnce(exchange, opening, 0, (res) => {
      if (options.head || hasNoBody(status)) endEmpty(res, options.head ? length : undefined)
      else res.end()
    })
  }
  if (length !== undefined && length <= roomBeside(opening.head)) {
    const bytes = new Uint8Array(await response.arrayBuffer())
    return writeOnce(exchange, opening, bytes.length, (res) => void res.end(bytes))
  }
  return pump(exchange, body, opening, length)
}

/** Moves the body to the client chunk by chunk. */
const pump = async (exchange: Exchange, body: ReadableStream<Uint8Array>, opening: Opening, length: number | undefined): Promise<void> => {
  const reader = body.getReader()
  const cancel = (): void => void reader.cancel().catch(ignore)
  let goOn = ignore
  const writer = new RelayWriter(exchange, { ...opening, length, instead: ignore, onDrain: () => goOn() })
  exchange.onGone(() => {
    cancel()
    goOn()
  })
  let sent = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (exchange.over) return
      if (done) break
      sent += value.length
      if (length !== undefined && sent > length) break
      const took = new Promise<void>((resolve) => (goOn = resolve))
      if (!writer.write(value)) await took
      if (exchange.over) return
    }
    if (length !== undefined && sent !== length) throw new Error(`the body does not have the ${length} bytes that its Content-Length says`)
  } finally {
    cancel()
  }
  writer.end()
}
