import { encode } from "@msgpack/msgpack"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { connect, refused } from "./wsClient.ts"

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  verifyClient: ({ req }, done) => (req.url?.includes("deny") === true ? done(false, 403, '{"code":"forbidden"}') : done(true))
})
const url = (): string => {
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("not listening")
  return `ws://127.0.0.1:${address.port}/ws`
}
const accepted = (): Promise<WebSocket> => new Promise((resolve) => server.once("connection", resolve))

beforeAll(async () => {
  if (server.address() === null) await new Promise((resolve) => server.once("listening", resolve))
})
afterAll(() => void server.close())

describe("the test client", () => {
  it("takes the first message that fits and leaves the others unread", async () => {
    const peer = accepted()
    const client = await connect(url())
    const socket = await peer
    const waiting = client.next("b")
    for (const type of ["a", "b", "c"]) socket.send(JSON.stringify({ type }))
    socket.send(JSON.stringify([{ type: "d" }, { type: "e" }]))
    expect(await waiting).toEqual({ type: "b" })
    expect(await client.next((message) => message.type === "e")).toEqual({ type: "e" })
    expect(await client.next()).toEqual({ type: "a" })
    expect(client.unread()).toEqual([{ type: "c" }, { type: "d" }])
    expect(client.frames()).toHaveLength(4)
  })

  it("matches replies by id in both encodings", async () => {
    for (const encoding of ["json", "msgpack"] as const) {
      const peer = accepted()
      const client = await connect(url(), { encoding })
      const socket = await peer
      expect(client.protocol).toBe(`weft.v1.${encoding}`)
      const put = (value: unknown): void => socket.send(encoding === "json" ? JSON.stringify(value) : encode(value))
      socket.once("message", (_data, isBinary) => {
        expect(isBinary).toBe(encoding === "msgpack")
        put({ type: "message" })
        put({ type: "pong", id: "test-1" })
      })
      expect(await client.request({ type: "ping" })).toEqual({ type: "pong", id: "test-1" })
      expect(client.unread()).toEqual([{ type: "message" }])
    }
  })

  it("tells the close, also to those who still wait", async () => {
    const peer = accepted()
    const client = await connect(url())
    const waiting = client.next("never").catch(String)
    const socket = await peer
    socket.close(4408, "heartbeat missed")
    expect(await waiting).toBe('Error: closed (4408 heartbeat missed) before "never" came')
    expect(await client.closed).toEqual({ code: 4408, reason: "heartbeat missed" })
  })

  it("gives the answer that refuses an upgrade", async () => {
    const refusal = await refused(`${url()}?deny`)
    expect(refusal.status).toBe(403)
    expect(refusal.body).toBe('{"code":"forbidden"}')
    await expect(connect(`${url()}?deny`)).rejects.toThrow("refused: 403")
  })
})
