/** What becomes of HTTP requests that are under way when the server is told to end. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { startWeft } from "../support/weft.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

/** A backend whose answers begin when the test says so. */
const holdingBackend = async () => {
  const held: Array<ServerResponse> = []
  const server = createServer((_, response) => void held.push(response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, held }
}

const behind = (url: string, period: number): string => `[drain]\nperiod = ${period}\n[[proxy]]\npath = "/app/*"\ntargets = ["${url}"]\n`

it("they are answered, and it ends as soon as they are", async () => {
  const { held, url } = await holdingBackend()
  const server = await startWeft({ config: behind(url, 3600) })
  const answer = fetch(`${server.url}/app/slow`).then((response) => response.text())
  await eventually(() => held.length === 1)
  server.signal("SIGTERM")
  await eventually(async () => (await fetch(`${server.url}/health/ready`)).status === 503)
  held[0]?.end("at last")
  expect(await answer).toBe("at last")
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

it("they are cut off when the time is over, and that is told", async () => {
  const { held, url } = await holdingBackend()
  const server = await startWeft({ config: behind(url, 0) })
  const answer = fetch(`${server.url}/app/never`).then(
    () => "answered",
    () => "cut off"
  )
  await eventually(() => held.length === 1)
  server.signal("SIGTERM")
  expect(await answer).toBe("cut off")
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(server.stderr()).toContain("requests are cut off")
})
