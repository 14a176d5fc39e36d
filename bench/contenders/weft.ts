import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Contender } from "./Contender.ts"

/** The Weft of this checkout. */
export const ownMain = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** As an operator would run it, with tokens required; nothing is turned off. A signal ends it without a drain. */
const configuration = (port: number, secret: string): string => `
[server]
host = "127.0.0.1"
port = ${port}

[auth.jwt]
secret = "${secret}"

[drain]
period = 0
`

/** `main` is another checkout's src/main.ts, or a built dist/main.js, to be measured beside this one. */
export const weft = (name: string, main = ownMain): Contender => ({
  name,
  settings: `${main === ownMain ? "this checkout" : main}: every connection with a JWT (HS256), defaults otherwise`,
  start: ({ port, folder, secret }) => {
    const file = join(folder, "weft.toml")
    writeFileSync(file, configuration(port, secret))
    return { command: process.execPath, args: [main, "serve", "--config", file] }
  },
  path: "/ws",
  encodings: ["json", "msgpack"],
  batch: true,
  authenticates: true
})

export const contender = weft("weft")
