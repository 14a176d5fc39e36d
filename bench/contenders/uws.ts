import { fileURLToPath } from "node:url"
import type { MakeDialect } from "../../src/bench/Dialect.ts"
import { dialect as weft } from "../../src/bench/WeftDialect.ts"
import type { Contender } from "./Contender.ts"

/** Weft's messages, but usable from the upgrade on, and without presence: the bare server greets nobody and knows nobody. */
export const dialect: MakeDialect = (options) => {
  const { open: _, presence: __, ...rest } = weft(options)
  return rest
}

export const contender: Contender = {
  name: "bare",
  settings: "uWebSockets.js, JSON.parse/stringify or MessagePack in the message callback, native topics, no authentication",
  start: ({ port }) => ({ command: process.execPath, args: [fileURLToPath(new URL("../servers/uws.ts", import.meta.url)), String(port)] }),
  path: "/ws",
  encodings: ["json", "msgpack"],
  batch: true,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout", "mixed"],
  dialect: import.meta.url
}
