import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { find, versionOf } from "../present.ts"
import { proxy } from "./proxy.ts"

const configuration = (port: number, backend: number, folder: string, connections: number): string => `
daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
worker_rlimit_nofile 20000;
events {
  worker_connections ${Math.min(19_600, (connections + 1000) * 2)};
  multi_accept on;
}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  tcp_nodelay on;
  upstream echo { server 127.0.0.1:${backend} max_fails=0; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://echo;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`

export const contender = proxy({
  name: "nginx",
  settings:
    "nginx (Debian), one process, one backend, no access log, X-Forwarded-For, read and send timeout 1 h, buffers as they are (4 KB)",
  start: ({ backend, connections, folder, port }) => {
    const file = join(folder, "nginx.conf")
    writeFileSync(file, configuration(port, backend, folder, connections))
    return { command: find("nginx") ?? "nginx", args: ["-p", folder, "-c", file] }
  },
  version: () => versionOf("nginx", "-v"),
  missing: () => (find("nginx") === undefined ? "nginx" : undefined)
})
