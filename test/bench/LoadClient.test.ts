import { once } from "node:events"
import net from "node:net"
import { describe, expect, it } from "vitest"
import { clientFrame } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import { addressOf, type Ending, LoadClient } from "../../src/bench/LoadClient.ts"
import { eventually } from "../support/eventually.ts"
import { listen } from "./server.ts"

interface Talk {
  readonly client: LoadClient
  readonly messages: Array<string>
  readonly flushes: Array<number>
  readonly endings: Array<Ending>
  opened: number
}

const connect = (url: string): Talk => {
  const talk = { messages: [] as Array<string>, flushes: [] as Array<number>, endings: [] as Array<Ending>, opened: 0 }
  const client = new LoadClient(
    addressOf(url),
    { path: "/" },
    () => talk.opened++,
    (ending) => talk.endings.push(ending)
  )
  client.handler = {
    onMessage: (buffer, start, end) => talk.messages.push(Buffer.from(buffer.slice(start, end)).toString()),
    onFlush: () => talk.flushes.push(talk.messages.length)
  }
  return Object.assign(talk, { client })
}

const frame = (text: string): Uint8Array => clientFrame(Opcode.text, Buffer.from(text))

describe("LoadClient", () => {
  it("sends frames, several in one write too, and gets the answers in order with a flush after them", async () => {
    const url = await listen((socket) => socket.on("message", (data: Buffer) => socket.send(data.toString().toUpperCase())))
    const talk = connect(url)
    await eventually(() => talk.opened === 1)
    talk.client.send(Buffer.concat([frame("a"), frame("b"), frame("c")]))
    await eventually(() => talk.messages.length === 3)
    expect(talk.messages).toEqual(["A", "B", "C"])
    expect(talk.flushes.at(-1)).toBe(3)
  })

  it("puts fragments together", async () => {
    const url = await listen((socket) => {
      socket.send("one ", { fin: false })
      socket.ping()
      socket.send("two ", { fin: false })
      socket.send("three", { fin: true })
    })
    const talk = connect(url)
    await eventually(() => talk.messages.length === 1)
    expect(talk.messages).toEqual(["one two three"])
  })

  it("answers a ping with the same payload", async () => {
    const pongs: Array<string> = []
    const url = await listen((socket) => {
      socket.on("pong", (data) => pongs.push(data.toString()))
      socket.ping("are you there")
    })
    connect(url)
    await eventually(() => pongs.length === 1)
    expect(pongs).toEqual(["are you there"])
  })

  it("tells the server's close code, and the server gets one back", async () => {
    const codes: Array<number> = []
    const url = await listen((socket) => {
      socket.on("close", (code) => codes.push(code))
      socket.close(4401, "no")
    })
    const talk = connect(url)
    await eventually(() => talk.endings.length === 1 && codes.length === 1)
    expect(talk.endings).toEqual([{ kind: "closed", code: 4401 }])
    expect(codes).toEqual([4401])
  })

  it("says goodbye when it closes", async () => {
    const codes: Array<number> = []
    const url = await listen((socket) => socket.on("close", (code) => codes.push(code)))
    const talk = connect(url)
    await eventually(() => talk.opened === 1)
    talk.client.close()
    await eventually(() => talk.endings.length === 1 && codes.length === 1)
    expect(codes).toEqual([1000])
  })

  it("tells a lost connection from a closed one", async () => {
    const url = await listen((socket) => socket.terminate())
    const talk = connect(url)
    await eventually(() => talk.endings.length === 1)
    expect(talk.endings).toEqual([{ kind: "closed", code: 1006 }])
  })

  it("tells that nobody listens", async () => {
    const server = net.createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as net.AddressInfo
    server.close()
    await once(server, "close")
    const talk = connect(`ws://127.0.0.1:${port}`)
    await eventually(() => talk.endings.length === 1)
    expect(talk.endings).toEqual([{ kind: "unreachable", message: "ECONNREFUSED" }])
  })

  it("gives up on a server that sends no frames", async () => {
    const url = await listen((socket) => (socket as unknown as { _socket: net.Socket })._socket.write(Buffer.from([0xff, 0xff])))
    const talk = connect(url)
    await eventually(() => talk.endings.length === 1)
    expect(talk.endings[0]).toMatchObject({ kind: "broken" })
  })

  it("knows ports and hosts of URLs, and no other URLs", () => {
    expect(addressOf("ws://[::1]/ws")).toEqual({ secure: false, hostname: "::1", port: 80, host: "[::1]" })
    expect(addressOf("wss://example.org/ws")).toEqual({ secure: true, hostname: "example.org", port: 443, host: "example.org" })
    expect(() => addressOf("http://example.org")).toThrow(TypeError)
    expect(() => addressOf("example")).toThrow(TypeError)
  })
})
