/** What all contenders that pass messages on have in common: raw echo, one path, no tokens. */
import type { Contender } from "../Contender.ts"

export type Proxy = Pick<Contender, "name" | "settings" | "start" | "version" | "missing">

export const proxy = (own: Proxy): Contender => ({
  ...own,
  path: "/echo",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["gateway", "connect"],
  dialect: new URL("../../../src/bench/RawDialect.ts", import.meta.url).href
})
