/** Socket.IO, on `ws` and on uWebSockets.js. The package is looked for from the project, or from the folder BENCH_MODULES. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { DialectError, type Exchange, type MakeDialect } from "../../src/bench/Dialect.ts"
import { clientFrame, concat } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import type { Contender } from "./Contender.ts"
import { prefixCounter } from "./prefix.ts"

const folder = process.env["BENCH_MODULES"]
const resolved = (): string | undefined => {
  try {
    return createRequire(folder === undefined ? import.meta.url : join(folder, "x.js")).resolve("socket.io")
  } catch {
    return undefined
  }
}

const on = (engine: "ws" | "uws", name: string, settings: string): Contender => ({
  name,
  settings: `Socket.IO on ${settings}, WebSocket only, no compression, no authentication`,
  start: ({ port }) => ({
    command: process.execPath,
    args: [fileURLToPath(new URL("../servers/socketio.ts", import.meta.url)), String(port), engine, pathToFileURL(resolved() ?? "").href]
  }),
  path: "/socket.io/?EIO=4&transport=websocket",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout"],
  version: () => {
    const file = join(dirname(resolved() ?? ""), "../package.json")
    return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version
  },
  missing: () => (resolved() === undefined ? "npm package socket.io" : undefined),
  dialect: import.meta.url
})

export const contender = on("ws", "socket.io", "ws")
export const contenderUws = on("uws", "socket.io-uws", "uWebSockets.js")

// Engine.IO's packets: 0 open, 2 ping, 3 pong, 4 message; in a message Socket.IO's: 0 connect, 2 event, 4 refused.
const text = (packet: string): Uint8Array => clientFrame(Opcode.text, Buffer.from(packet))
const event = (...args: ReadonlyArray<unknown>): Uint8Array => text(`42${JSON.stringify(args)}`)
const repeated = (count: number, frame: Uint8Array): Uint8Array => concat(Array.from({ length: count }, () => frame))
const pong = text("3")

const startsWith = (buffer: Uint8Array, start: number, end: number): string =>
  Buffer.from(buffer.subarray(start, Math.min(end, start + 24))).toString("latin1")

const until = (prefix: string, send: Uint8Array): Exchange => ({
  send,
  receive: (buffer, start, end) => {
    const head = startsWith(buffer, start, end)
    if (head.startsWith("44")) throw new DialectError("refused")
    return head.startsWith(prefix)
  }
})

export const dialect: MakeDialect = ({ path }) => ({
  upgrade: () => ({ path }),
  open: () => until("40", text("40")),
  join: (seat) => until('42["joined"', event("join", seat.room)),
  perSeat: false,
  echo: (_, count, words) => repeated(count, event("echo", { text: words })),
  publish: (seat, count, words) => repeated(count, event("publish", seat.room, { text: words })),
  counter: (kind) => prefixCounter(`42["${kind}"`),
  look: (_, buffer, start, end) => (startsWith(buffer, start, end) === "2" ? { count: 0, reply: pong } : { count: 0 }),
  texts: (buffer, start, end) => {
    const packet = Buffer.from(buffer.subarray(start + 2, end)).toString()
    const [, message] = JSON.parse(packet) as [string, { readonly data: { readonly text: string } }]
    return [message.data.text]
  },
  hearsItself: true
})
