import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { find, versionOf } from "../present.ts"
import { proxy } from "./proxy.ts"

/** Twice as many descriptors as connections, with the listener and some to spare, stay under the 20,000 of a process here. */
const configuration = (port: number, backend: number, connections: number): string => `
global
  nbthread 1
  maxconn ${Math.min(9_800, connections + 1000)}
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend echo
backend echo
  server one 127.0.0.1:${backend}
`

export const contender = proxy({
  name: "haproxy",
  settings:
    "HAProxy (Debian), HTTP mode, one process with one thread, one server, no log, X-Forwarded-For, tunnel timeout 1 h, no splicing",
  start: ({ backend, connections, folder, port }) => {
    const file = join(folder, "haproxy.cfg")
    writeFileSync(file, configuration(port, backend, connections))
    // In the foreground, without a master.
    return { command: find("haproxy") ?? "haproxy", args: ["-db", "-f", file] }
  },
  version: () => versionOf("haproxy", "-v"),
  missing: () => (find("haproxy") === undefined ? "haproxy" : undefined)
})
