import { describe, expect, it } from "vitest"
import { readResponse, upgradeRequest } from "../../src/bench/Handshake.ts"

const refusal = (body: string, length = Buffer.byteLength(body)): string =>
  `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${length}\r\nContent-Type: application/json\r\n\r\n${body}`

describe("handshake of the load client", () => {
  it("asks with path, subprotocols and headers", () => {
    const request = upgradeRequest("example.org:8080", { path: "/ws?a=1", protocols: ["a", "b"], headers: { Authorization: "Bearer T" } })
    expect(request).toMatch(/^GET \/ws\?a=1 HTTP\/1\.1\r\nHost: example\.org:8080\r\n/)
    expect(request).toContain("\r\nSec-WebSocket-Protocol: a, b\r\n")
    expect(request).toContain("\r\nAuthorization: Bearer T\r\n")
    expect(request).toMatch(/\r\n\r\n$/)
  })

  it("waits for the whole head, then says where the first frame begins", () => {
    const key = /Sec-WebSocket-Key: (\S+)/.exec(upgradeRequest("h", { path: "/" }))![1]!
    expect(key).toHaveLength(24)
    const text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n"
    for (let length = 0; length < text.length; length++) expect(readResponse(Buffer.from(text.slice(0, length)))).toEqual({ done: false })
    expect(readResponse(Buffer.from(text))).toMatchObject({ ok: false, status: 101 })
  })

  it("gives code and message of a refusal, once its body is there", () => {
    const body = '{"code":"unauthorized","message":"the token has expired"}'
    expect(readResponse(Buffer.from(refusal(body).slice(0, -1)))).toEqual({ done: false })
    expect(readResponse(Buffer.from(refusal(body)))).toEqual({
      done: true,
      ok: false,
      status: 401,
      message: "unauthorized: the token has expired"
    })
  })

  it("gives the first line of a refusal in another form", () => {
    expect(readResponse(Buffer.from(refusal("no\nway")))).toMatchObject({ status: 401, message: "no" })
  })

  it("refuses what is no HTTP and a head without end", () => {
    expect(readResponse(Buffer.from("SSH-2.0-x\r\n\r\n"))).toMatchObject({ ok: false, status: 0 })
    expect(readResponse(Buffer.alloc(20_000, 0x61))).toMatchObject({ ok: false, status: 0 })
  })
})
