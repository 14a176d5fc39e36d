/** nginx with nchan: a channel for each room, and one of its own for each connection that echoes. Payloads pass as they are. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { MakeDialect, Seat } from "../../src/bench/Dialect.ts"
import { clientFrame, concat } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import type { Contender } from "./Contender.ts"
import { find, versionOf } from "./present.ts"

const configuration = (port: number, folder: string, connections: number): string => `
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
worker_rlimit_nofile 20000;
events { worker_connections ${Math.min(19_000, connections * 2 + 1000)}; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  tcp_nodelay on;
  nchan_shared_memory_size 256m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/channel/(.+)$ {
      nchan_pubsub websocket;
      nchan_channel_id $1;
      nchan_store_messages off;
      nchan_subscriber_first_message newest;
      nchan_websocket_ping_interval 0;
    }
  }
}
`

export const contender: Contender = {
  name: "nchan",
  settings: "nginx with nchan (Debian), one worker, messages not stored, a channel per room or echoing connection, no authentication",
  start: ({ port, folder, connections }) => {
    const file = join(folder, "nginx.conf")
    writeFileSync(file, configuration(port, folder, connections))
    return { command: find("nginx") ?? "nginx", args: ["-p", folder, "-c", file] }
  },
  path: "/channel/",
  encodings: ["json"],
  batch: false,
  authenticates: false,
  scenarios: ["connect", "echo", "fanout"],
  version: () => versionOf("nginx", "-v"),
  missing: () =>
    find("nginx") === undefined || find("ngx_nchan_module.so", ["/usr/lib/nginx/modules"]) === undefined ? "nginx with nchan" : undefined,
  dialect: import.meta.url
}

const frames = (count: number, text: string): Uint8Array => {
  const frame = clientFrame(Opcode.text, Buffer.from(JSON.stringify({ text })))
  return concat(Array.from({ length: count }, () => frame))
}

const channel = ({ room, index }: Seat): string => (room === "" ? `own-${index}` : room)

export const dialect: MakeDialect = ({ path }) => ({
  upgrade: (seat) => ({ path: path + channel(seat) }),
  perSeat: false,
  echo: (_, count, text) => frames(count, text),
  publish: (_, count, text) => frames(count, text),
  counter: () => () => 1,
  look: () => ({ count: 0 }),
  texts: (buffer, start, end) => [(JSON.parse(Buffer.from(buffer.subarray(start, end)).toString()) as { readonly text: string }).text],
  hearsItself: true
})
