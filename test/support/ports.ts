import { createServer } from "node:net"

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago. Prefer port 0 where the program can tell which port it got. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))))
    })
  })
