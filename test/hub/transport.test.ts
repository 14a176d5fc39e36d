import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { atEndOfTest, connect, start } from "./support.ts"

describe("TLS", () => {
  it("serves sockets and HTTP with the certificate of the configuration", async () => {
    const folder = mkdtempSync(join(tmpdir(), "weft-tls-"))
    atEndOfTest(() => rmSync(folder, { recursive: true }))
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")]
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-keyout",
        key,
        "-out",
        cert
      ],
      { stdio: "ignore" }
    )
    const server = await start({ server: { tls: { cert, key } } })
    expect(server.url).toMatch(/^https:/)
    const client = await connect(server)
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("that can not be read is said in one line at the start", async () => {
    await expect(start({ server: { tls: { cert: "/nowhere/cert.pem", key: "/nowhere/key.pem" } } })).rejects.toThrow(/TLS/)
  })
})

describe("compression", () => {
  it("is used where the server offers it and the client takes it", async () => {
    const server = await start({ server: { compression: true } })
    const [packed, plain] = [await connect(server, { deflate: true }), await connect(server)]
    expect([packed.ws.extensions, plain.ws.extensions]).toEqual(["permessage-deflate", ""])
    const data = "tell it again ".repeat(1000)
    for (const client of [packed, plain]) {
      await client.request({ type: "join_room", room: "r" })
      expect(await client.request({ type: "echo", data })).toMatchObject({ data })
    }
    await packed.request({ type: "broadcast", room: "r", data })
    for (const client of [packed, plain]) expect(await client.next("message")).toMatchObject({ data })
  })

  it("does not let a small frame unfold into more than a message may have", async () => {
    const server = await start({ server: { compression: true } })
    const [bomber, other] = [await connect(server, { deflate: true }), await connect(server)]
    bomber.send({ type: "echo", data: "0".repeat(50_000_000) })
    await bomber.end()
    expect(await other.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })
})

describe("the port", () => {
  it("that another server has is not shared in silence", async () => {
    const server = await start()
    await expect(start({ server: { port: server.port } })).rejects.toThrow(/in use/)
  })
})

describe("frames", () => {
  it("of the wrong kind are told, and the connection stays", async () => {
    const client = await connect(await start())
    client.ws.send(Buffer.from([0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa4, 0x70, 0x69, 0x6e, 0x67]))
    expect(await client.next("error")).toMatchObject({ code: "invalid_message" })
    expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("that nobody can decode, again and again, cost the connection with 4400", async () => {
    const server = await start()
    const [client, other] = [await connect(server), await connect(server)]
    for (let n = 0; n < 200; n++) client.ws.send("{")
    expect(await client.next("bye")).toMatchObject({ code: 4400, reconnect: false })
    expect(await client.end()).toMatchObject({ code: 4400 })
    expect(await other.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("of more than the limit are too_large and close 1009; those at the limit pass", async () => {
    const client = await connect(await start())
    const frame = (bytes: number) => `{"type":"echo","id":1,"data":"${"x".repeat(bytes - 32)}"}`
    expect(Buffer.byteLength(frame(524_288))).toBe(524_288)
    client.ws.send(frame(524_288))
    expect(await client.next("echo")).toMatchObject({ id: 1 })
    client.ws.send(frame(524_289))
    expect(await client.next("error")).toMatchObject({ code: "too_large" })
    expect(await client.next("bye")).toMatchObject({ code: 1009, reconnect: false })
    expect(await client.end()).toMatchObject({ code: 1009 })
  })
})
