import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ProxyRoute } from "../../../src/config/proxy.ts"
import type { Contender } from "../Contender.ts"
import { ownMain } from "../weft.ts"
import { proxy } from "./proxy.ts"

type Mode = ProxyRoute["failover"]["mode"]

/** One route with one target; nothing else is set, and a signal ends it without a drain. */
const configuration = (port: number, backend: number, mode: Mode): string => `
[server]
host = "127.0.0.1"
port = ${port}

[drain]
period = 0

[[proxy]]
path = "/*"
targets = ["http://127.0.0.1:${backend}"]
${mode === "close" ? "" : `\n[proxy.failover]\nmode = "${mode}"\n`}`

/** `main` is another checkout's src/main.ts, or a built dist/main.js, to be measured beside this one. */
export const weftGateway = (name: string, mode: Mode, main = ownMain): Contender =>
  proxy({
    name,
    settings: `${main === ownMain ? "this checkout" : main}: one route with one target, failover.mode = "${mode}", defaults otherwise`,
    start: ({ backend, folder, port }) => {
      const file = join(folder, "weft.toml")
      writeFileSync(file, configuration(port, backend, mode))
      return { command: process.execPath, args: [main, "serve", "--config", file] }
    }
  })

export const contender = weftGateway("weft", "close")
export const reconnecting = weftGateway("weft-reconnect", "reconnect")
