/** mosquitto over WebSockets, MQTT 3.1.1, QoS 0: a topic for each room, and one of its own for each connection that echoes. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { DialectError, type MakeDialect, type Seat } from "../../src/bench/Dialect.ts"
import { clientFrame, concat } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import type { Contender } from "./Contender.ts"
import { find, versionOf } from "./present.ts"

/** Version 2.0.11 does not start with WebSocket listeners alone: it gets a Unix socket beside. */
const configuration = (port: number, folder: string): string => `
listener ${port} 127.0.0.1
protocol websockets
listener 0 ${folder}/mosquitto.sock
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
log_dest none
user root
`

export const contender: Contender = {
  name: "mosquitto",
  settings: "mosquitto (Debian) over WebSockets, MQTT 3.1.1 with QoS 0, no limit of queued messages, no persistence, no authentication",
  start: ({ port, folder }) => {
    const file = join(folder, "mosquitto.conf")
    writeFileSync(file, configuration(port, folder))
    return { command: find("mosquitto") ?? "mosquitto", args: ["-c", file] }
  },
  path: "/mqtt",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout"],
  version: () => versionOf("mosquitto", "-h"),
  missing: () => (find("mosquitto") === undefined ? "mosquitto" : undefined),
  dialect: import.meta.url
}

// Control packets of MQTT 3.1.1, section 3.
const connect = 0x10
const connack = 0x20
const publish = 0x30
const subscribe = 0x82
const suback = 0x90

const string = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

const packet = (head: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(parts)
  const length = []
  for (let rest = body.length; length.length === 0 || rest > 0; rest = Math.floor(rest / 128))
    length.push((rest % 128) | (rest >= 128 ? 128 : 0))
  return Buffer.concat([Buffer.from([head, ...length]), body])
}

/** The packets of a frame: mosquitto puts whole ones into each. */
function* packets(
  buffer: Uint8Array,
  start: number,
  end: number
): Generator<{ readonly head: number; readonly from: number; readonly to: number }> {
  for (let at = start; at < end;) {
    const head = buffer[at++]!
    let size = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = buffer[at++]!
      size += (byte & 127) * scale
      if (byte < 128) break
    }
    yield { head, from: at, to: at + size }
    at += size
  }
}

const topic = ({ room, index }: Seat): string => (room === "" ? `own/${index}` : room)
const frame = (...bytes: ReadonlyArray<Uint8Array>): Uint8Array => clientFrame(Opcode.binary, Buffer.concat(bytes))

const publishes = (seat: Seat, count: number, text: string): Uint8Array => {
  const one = frame(packet(publish, string(topic(seat)), Buffer.from(JSON.stringify({ text }))))
  return concat(Array.from({ length: count }, () => one))
}

const until = (wanted: number, send: Uint8Array) => ({
  send,
  receive: (buffer: Uint8Array, start: number, end: number): boolean => {
    for (const { head, from, to } of packets(buffer, start, end)) {
      if (head !== wanted) continue
      const refused = buffer[to - 1] === 0x80 || (head === connack && buffer[from + 1] !== 0)
      if (refused) throw new DialectError("refused")
      return true
    }
    return false
  }
})

const hello = (index: number): Buffer => packet(connect, string("MQTT"), Buffer.from([4, 2, 0, 0]), string(`load-${index}`))
const subscription = (seat: Seat): Uint8Array => frame(packet(subscribe, Buffer.from([0, 1]), string(topic(seat)), Buffer.from([0])))

export const dialect: MakeDialect = ({ path }) => ({
  upgrade: () => ({ path, protocols: ["mqtt"] }),
  open: (seat) => {
    const first = frame(hello(seat.index))
    return seat.role === "echo" ? until(suback, concat([first, subscription(seat)])) : until(connack, first)
  },
  join: (seat) => until(suback, subscription(seat)),
  perSeat: true,
  echo: publishes,
  publish: publishes,
  counter: () => (buffer, start, end) => {
    let count = 0
    for (const { head } of packets(buffer, start, end)) if ((head & 0xf0) === publish) count++
    return count
  },
  look: () => ({ count: 0 }),
  texts: (buffer, start, end) =>
    Array.from(packets(buffer, start, end), ({ from, to }) => {
      const payload = from + 2 + buffer[from]! * 256 + buffer[from + 1]!
      return (JSON.parse(Buffer.from(buffer.subarray(payload, to)).toString()) as { readonly text: string }).text
    }),
  hearsItself: true
})
