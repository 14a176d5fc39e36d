import { describe, expect, it } from "vitest"
import { start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { backend, client } from "./support.ts"

describe("a link", () => {
  it("carries messages both ways, with their kind and in order", async () => {
    const echo = await backend()
    const server = await start({ proxy: [{ path: "/app/*", targets: [echo.url] }] })
    const ada = await client(server, "/app/x?a=1").opened()
    for (let n = 0; n < 100; n++) ada.ws.send(n % 2 === 0 ? `${n}` : Buffer.from(`${n}`))
    expect(await ada.take(100)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
    expect(ada.received.map(({ binary }) => binary)).toEqual(Array.from({ length: 100 }, (_, n) => n % 2 === 1))
    expect(echo.links[0]?.request.url).toBe("/app/x?a=1")
  })

  it("takes the client's close to the backend and the backend's to the client, with code and reason", async () => {
    const echo = await backend({ onMessage: ({ ws }, data) => ws.close(Number(data.toString()), "so long") })
    const server = await start({ proxy: [{ path: "/app", targets: [echo.url] }] })
    for (const code of [1000, 1001, 1003, 1008, 1011, 1012, 1013, 3000, 3999, 4000, 4999]) {
      const ada = await client(server, "/app").opened()
      ada.ws.send(String(code))
      expect(await ada.end()).toEqual({ code, reason: "so long" })
    }
    for (const code of [1000, 1001, 1008, 1011, 4000, 4999]) {
      const ada = await client(server, "/app").opened()
      ada.ws.close(code, "bye")
      const link = echo.links.at(-1)
      expect(await eventually(() => link?.closed)).toEqual({ code, reason: "bye" })
    }
  })

  it("is closed 4503 when its backend is lost", async () => {
    const echo = await backend()
    const server = await start({ proxy: [{ path: "/app", targets: [echo.url] }] })
    const ada = await client(server, "/app").opened()
    await echo.kill()
    expect(await ada.end()).toEqual({ code: 4503, reason: "backend lost" })
    expect((await client(server, "/app").refusal()).status).toBe(502)
  })

  it("outlives its backend where the route says so, and loses nothing that the client sent", async () => {
    const [first, second] = await Promise.all([backend({ onMessage: () => undefined }), backend()])
    const server = await start({
      proxy: [{ path: "/app", targets: [first.url, { url: second.url, weight: 1 }], failover: { mode: "reconnect" } }]
    })
    const ada = await client(server, "/app").opened()
    ada.ws.send("one")
    await eventually(() => first.links[0]?.received[0])
    first.links[0]?.ws.terminate()
    ada.ws.send("two")
    const texts = await eventually(() => (ada.texts().includes("two") ? ada.texts() : undefined))
    expect(["one,two", "two"]).toContain(texts.join())
    expect(second.links[0]?.request.headers["x-weft-resumed"]).toBe("1")
    expect(second.links[0]?.request.headers["x-weft-connection"]).toBe(first.links[0]?.request.headers["x-weft-connection"])
    expect(ada.closed).toBeUndefined()
  })
})
