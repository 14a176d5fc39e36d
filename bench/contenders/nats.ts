/**
 * nats-server's WebSocket listener: a subject for each room, and one of its own for each connection that echoes. The protocol
 * is a stream that frames cut anywhere, so that many messages share a frame in both directions.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Counter, DialectError, type MakeDialect, type Seat } from "../../src/bench/Dialect.ts"
import { clientFrame } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import type { Contender } from "./Contender.ts"
import { find, versionOf } from "./present.ts"

const configuration = (port: number): string => `
host: 127.0.0.1
port: -1
ping_interval: "1h"
max_pending: 256MB
write_deadline: "10s"
websocket { host: 127.0.0.1, port: ${port}, no_tls: true, compression: false }
`

export const contender: Contender = {
  name: "nats",
  settings: "nats-server (Debian), WebSocket listener, no compression, core messages, no authentication",
  start: ({ port, folder }) => {
    const file = join(folder, "nats.conf")
    writeFileSync(file, configuration(port))
    return { command: find("nats-server") ?? "nats-server", args: ["-c", file] }
  },
  path: "/",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout"],
  version: () => versionOf("nats-server", "--version"),
  missing: () => (find("nats-server") === undefined ? "nats-server" : undefined),
  dialect: import.meta.url
}

const hello = `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, lang: "load", version: "1", protocol: 1, echo: true })}\r\n`

const subject = ({ room, index }: Seat): string => (room === "" ? `own.${index}` : room)
const frame = (text: string): Uint8Array => clientFrame(Opcode.binary, Buffer.from(text))
const subscription = (seat: Seat): string => `SUB ${subject(seat)} 1\r\n`

const publishes = (seat: Seat, count: number, text: string): Uint8Array => {
  const payload = JSON.stringify({ text })
  return frame(`PUB ${subject(seat)} ${payload.length}\r\n${payload}\r\n`.repeat(count))
}

const untilPong = (send: string) => ({
  send: frame(`${send}PING\r\n`),
  receive: (buffer: Uint8Array, start: number, end: number): boolean => {
    const text = Buffer.from(buffer.subarray(start, end)).toString("latin1")
    const error = /^-ERR (.*)\r$/m.exec(text)
    if (error !== null) throw new DialectError(`refused: ${error[1]}`)
    return text.includes("PONG\r\n")
  }
})

const lineFeed = 10
const space = 32
const letterM = 77

/** Counts the messages of a stream: lines, and after a line `MSG subject sid size` that many bytes and a line's end. */
const streamCounter = (): Counter => {
  let skip = 0
  let isMessage = false
  let first = true
  let size = 0
  return (buffer, start, end) => {
    let count = 0
    for (let at = start; at < end;) {
      if (skip > 0) {
        const step = Math.min(skip, end - at)
        skip -= step
        at += step
        if (skip === 0) count++
        continue
      }
      const byte = buffer[at++]!
      if (first) {
        isMessage = byte === letterM
        first = false
      } else if (byte === space) size = 0
      else if (byte >= 48 && byte <= 57) size = size * 10 + byte - 48
      else if (byte === lineFeed) {
        first = true
        if (isMessage) skip = size + 2
      }
    }
    return count
  }
}

export const dialect: MakeDialect = ({ path }) => ({
  upgrade: () => ({ path }),
  open: (seat) => untilPong(hello + (seat.role === "echo" ? subscription(seat) : "")),
  join: (seat) => untilPong(subscription(seat)),
  perSeat: true,
  echo: publishes,
  publish: publishes,
  counter: streamCounter,
  look: () => ({ count: 0 }),
  texts: (buffer, start, end) => {
    const text = Buffer.from(buffer.subarray(start, end)).toString()
    return Array.from(text.matchAll(/^\{"text":"([^"]*)"\}\r$/gm), ([, words]) => words ?? "")
  },
  hearsItself: true
})
