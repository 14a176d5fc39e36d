/** No protocol at all: text messages to a server that sends each of them back. For proxies and what stands behind them. */
import type { MakeDialect } from "./Dialect.ts"
import { clientFrame, concat } from "./Frame.ts"
import { Opcode } from "./FrameParser.ts"
import { bearerOf } from "./Token.ts"

/** The load's texts are made of this, so that a message of the server's own is not taken for an echo. */
const mark = "x".charCodeAt(0)

/** A token travels in the header `Authorization`, which a proxy may ask for whatever the backend speaks. */
export const dialect: MakeDialect = (options) => {
  const messages = (count: number, text: string): Uint8Array => {
    const frame = clientFrame(Opcode.text, Buffer.from(text))
    return concat(Array.from({ length: count }, () => frame))
  }
  return {
    upgrade: (seat) => {
      const token = bearerOf(options, seat.index)
      return { path: options.path, ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }) }
    },
    perSeat: false,
    echo: (_, count, text) => messages(count, text),
    publish: (_, count, text) => messages(count, text),
    counter: () => (buffer, start, end) => (start === end || buffer[start] === mark ? 1 : -1),
    look: () => ({ count: 0, notices: ["a message that is no echo"] }),
    texts: (buffer, start, end) => [Buffer.from(buffer.subarray(start, end)).toString()],
    hearsItself: true
  }
}
