import { fileURLToPath } from "node:url"
import type { Contender } from "./Contender.ts"

/** Speaks the bare server's dialect. */
export const contender: Contender = {
  name: "ws",
  settings: "ws with a map of rooms, JSON, no compression, no authentication",
  start: ({ port }) => ({ command: process.execPath, args: [fileURLToPath(new URL("../servers/ws.ts", import.meta.url)), String(port)] }),
  path: "/ws",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout"],
  dialect: new URL("uws.ts", import.meta.url).href
}
