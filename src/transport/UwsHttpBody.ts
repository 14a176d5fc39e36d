import type { Exchange } from "./UwsHttpExchange.ts"

/** Bytes of a body that are held for a handler which does not read; then the client is told to wait. */
const highWater = 64 * 1024

/**
 * The body of a request as a stream. The socket is paused while the handler lags behind, so what is held stays within
 * `highWater` and one read of the socket. A body longer than `limit` errors the stream and calls `tooLarge` once.
 * When the stream is cancelled or the answer ends first, the rest is read and thrown away: the connection stays usable.
 * To be called in the route's callback, or the first bytes are lost.
 */
export const receiveBody = (exchange: Exchange, limit: number, tooLarge: () => void): ReadableStream<Uint8Array<ArrayBuffer>> => {
  let received = 0
  let paused = false
  let open = true
  let complete = false
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined

  const resume = (): void => {
    if (!paused || exchange.over) return
    paused = false
    exchange.res.resume()
    if (!complete) exchange.reading("wanted")
  }
  const discard = (reason: Error): void => {
    if (!open) return
    open = false
    resume()
    controller?.error(reason)
  }

  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(given) {
        controller = given
      },
      pull: resume,
      cancel() {
        open = false
        resume()
      }
    },
    { highWaterMark: highWater, size: (chunk) => chunk.byteLength }
  )

  exchange.onEnding(() => discard(new Error("the answer has ended before the body")))
  exchange.onGone(() => discard(new Error("the client is gone")))
  exchange.reading("wanted")
  exchange.res.onData((chunk, last) => {
    complete = last
    exchange.reading(last ? "no" : "wanted")
    if (!open || controller === undefined) return
    received += chunk.byteLength
    if (received > limit) {
      discard(new Error(`the body is larger than ${limit} bytes`))
      tooLarge()
      return
    }
    // uWebSockets.js takes the buffer back when this returns.
    if (chunk.byteLength > 0) controller.enqueue(new Uint8Array(chunk.slice(0)))
    if (last) {
      open = false
      controller.close()
      // One read of the socket may hold the end although it was paused before: without this the next request would not be read.
      resume()
    } else if ((controller.desiredSize ?? 0) <= 0 && !exchange.over) {
      // Also if it is paused already: a write that has to wait makes uWebSockets.js read again.
      paused = true
      exchange.res.pause()
      exchange.reading("paused")
    }
  })
  return stream
}
