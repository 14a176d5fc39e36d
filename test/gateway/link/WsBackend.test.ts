import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { Backend, BackendEnd } from "../../../src/gateway/link/Backend.ts"
import { dial } from "../../../src/gateway/link/dial.ts"
import { TurnEnd } from "../../../src/transport/TurnEnd.ts"
import { atEndOfTest } from "../../hub/support.ts"
import { eventually } from "../../support/eventually.ts"
import { type RawBackendOptions, rawBackend } from "../backends/raw.ts"
import { Opcode } from "../rawClient.ts"

const turnEnd = new TurnEnd()

/** A WebSocket with both its ends: `told` is what the side of the gateway heard. */
const pair = async ({ started = true, ...options }: RawBackendOptions & { readonly started?: boolean } = {}) => {
  const target = await rawBackend(options)
  const request = { url: new URL(target.url), path: "/", headers: new Map<string, string>(), maxMessage: 1_000_000, maxRefusal: 0 }
  const { backend } = await Effect.runPromise(dial(request, turnEnd))
  atEndOfTest(() => backend.terminate())
  const told = { messages: [] as Array<string>, reads: 0, pings: 0, pongs: [] as Array<string>, ends: [] as Array<BackendEnd> }
  const start = (): void =>
    backend.start({
      onFrames: (frames) => {
        told.reads++
        told.messages.push(...frames.map(({ bytes }) => Buffer.from(bytes).toString()))
      },
      onPing: () => void told.pings++,
      onPong: (payload) => void told.pongs.push(Buffer.from(payload).toString()),
      onEnd: (end) => void told.ends.push(end)
    })
  if (started) start()
  const end = (): Promise<BackendEnd> => eventually(() => told.ends[0], { message: "it has not ended" })
  return { backend, told, start, end, link: await target.link(0) }
}

/** What has been sent over loopback is read within a turn or two. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const send = (backend: Backend, text: string): void => backend.send(Buffer.from(text), false)

describe("what is sent", () => {
  it("arrives in order: messages of any length, pings, answers to pings, and a close at the end", async () => {
    const { backend, link, told } = await pair()
    const texts = ["", "a", "b".repeat(16_384), "c".repeat(16_385), "d".repeat(70_000), "e"]
    for (const text of texts) send(backend, text)
    backend.ping("how far?")
    send(backend, "after the ping")
    await link.peer.take(texts.length + 2)
    link.peer.send(Opcode.ping, "there?")
    link.peer.send(Opcode.pong, "how far?")
    await eventually(() => told.pongs.length === 1)
    backend.close(4000, "enough ü")
    send(backend, "too late")
    backend.ping("too late")
    link.peer.send(Opcode.ping, "too late")
    expect(await link.peer.close()).toEqual({ code: 4000, reason: "enough ü" })
    link.peer.sendClose(4000)
    await link.peer.end()
    const payloads = link.peer.frames.map(({ payload }) => payload.toString())
    expect(payloads.slice(0, -1)).toEqual([...texts, "how far?", "after the ping", "there?"])
    expect(link.peer.frames.every(({ masked }) => masked)).toBe(true)
    expect([told.pings, told.pongs]).toEqual([2, ["how far?"]])
  })

  it("is there before the connection is cut", async () => {
    const { backend, link } = await pair()
    send(backend, "last")
    backend.terminate()
    await link.peer.end()
    expect(link.peer.messages().map(({ payload }) => payload.toString())).toEqual(["last"])
  })
})

describe("what comes", () => {
  it("in one read is told at once, and not before somebody listens", async () => {
    const { link, start, told } = await pair({ started: false, first: Buffer.of(0x81, 1, 0x61, 0x81, 1, 0x62) })
    await turns()
    expect(told.messages).toEqual([])
    start()
    await eventually(() => told.messages.length === 2)
    expect(told).toMatchObject({ messages: ["a", "b"], reads: 1 })
    link.peer.send(Opcode.text, "c")
    await eventually(() => told.messages.length === 3)
  })

  it("waits while it is paused", async () => {
    const { backend, link, told } = await pair()
    backend.pause()
    link.peer.send(Opcode.text, "a")
    backend.ping("1")
    await link.peer.take(1)
    expect(told.messages).toEqual([])
    backend.resume()
    await eventually(() => told.messages.length === 1)
  })
})

describe("pings", () => {
  it("are all answered, however many come in one piece", async () => {
    const { link, told } = await pair()
    const count = 30_000
    link.socket.write(Buffer.concat(Array.from({ length: count }, (_, index) => link.peer.bytes(Opcode.ping, `${index}`))))
    await link.peer.take(count)
    expect(link.peer.frames.every(({ opcode, payload }, index) => opcode === Opcode.pong && payload.toString() === `${index}`)).toBe(true)
    expect(told.pings).toBe(count)
  })

  it("of a backend that reads no answers end in its end, not in the memory", async () => {
    const { backend, end, link } = await pair()
    link.socket.pause()
    const pings = Buffer.concat(Array.from({ length: 500 }, () => link.peer.bytes(Opcode.ping, "x".repeat(125))))
    let most = 0
    await eventually(async () => {
      if (link.socket.writableLength < 1_000_000) link.socket.write(pings)
      most = Math.max(most, backend.buffered())
      return (await Promise.race([end(), new Promise((resolve) => setImmediate(resolve))])) !== undefined
    })
    expect((await end()).problem?.type).toBe("slow")
    expect(most).toBeLessThan(1_000_000)
  })
})

describe("the end", () => {
  it("is told once, with the backend's own code, and answered in kind", async () => {
    const { backend, end, link, told } = await pair()
    link.peer.send(Opcode.text, "last words")
    link.peer.sendClose(4001, "because")
    expect(await end()).toEqual({ code: 4001, reason: "because", problem: undefined })
    expect(told.messages).toEqual(["last words"])
    expect(await link.peer.close()).toEqual({ code: 4001, reason: "because" })
    await link.peer.end()
    backend.close(1001, "")
    backend.terminate()
    expect(link.peer.frames).toHaveLength(1)
    expect(told.ends).toHaveLength(1)
  })

  it("without a close frame is told with 1006 as soon as the backend's side is closed, though it goes on to read", async () => {
    const { end, link } = await pair()
    link.socket.end(link.peer.bytes(Opcode.text, "x"))
    expect(await end()).toEqual({ code: 1006, reason: "", problem: undefined })
    await link.peer.end()
  })

  it("that came before anybody listened is told to whoever listens", async () => {
    const { end, link, start } = await pair({ started: false })
    link.socket.resetAndDestroy()
    await turns()
    start()
    expect((await end()).code).toBe(1006)
  })

  it("comes after what was there to read, where the connection was cut while nobody read", async () => {
    const { backend, end, link, told } = await pair()
    backend.pause()
    link.peer.send(Opcode.text, "left")
    await eventually(() => link.socket.writableLength === 0)
    await turns()
    link.socket.resetAndDestroy()
    send(backend, "into the void")
    await end()
    expect(told.messages).toEqual(["left"])
  })

  it("comes by the clock for a backend that does not answer a close", async () => {
    const { backend, link } = await pair()
    backend.close(1000, "")
    await link.peer.close()
    await link.peer.end()
  })

  it.each([
    ["text that is not UTF-8", Buffer.of(0x81, 1, 0xff), 1007, { code: 1007, problem: { type: "protocol" } }],
    ["what is no frame", Buffer.of(0xff, 1, 0xff), 1002, { code: 1006, problem: { type: "protocol" } }],
    ["a message that is too large", Buffer.of(0x82, 127, 0, 0, 0, 0, 0, 0x20, 0, 0), 1009, { code: 1006, problem: { type: "too_large" } }]
  ])("is brought about by %s, of which the backend is told", async (_, bytes, code, expected) => {
    const { end, link, told } = await pair()
    link.socket.write(Buffer.concat([link.peer.bytes(Opcode.text, "fine"), bytes, link.peer.bytes(Opcode.text, "not read")]))
    expect(await end()).toMatchObject(expected)
    expect((await link.peer.close()).code).toBe(code)
    await link.peer.end()
    expect(told.messages).toEqual(["fine"])
  })
})
