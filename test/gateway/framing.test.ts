/** Messages, fragments, control frames and closes, byte by byte, from a client through the gateway to a backend and back. */
import { describe, expect, it } from "vitest"
import { start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { type RawLink, rawBackend } from "./backends/raw.ts"
import { Opcode, rawClient, type RawPeer } from "./rawClient.ts"
import { backend } from "./support.ts"

interface Pair {
  readonly client: RawPeer
  readonly link: RawLink
}

/** Both ends of one link, by hand. */
const pair = async (): Promise<Pair> => {
  const target = await rawBackend()
  const server = await start({ proxy: [{ path: "/app", targets: [target.url] }] })
  const client = await rawClient(server, "/app")
  return { client, link: await target.link(0) }
}

/** Both directions of a pair: who sends, and who gets it. */
const directions = ({ client, link }: Pair) =>
  [
    ["to the backend", client, link.peer],
    ["to the client", link.peer, client]
  ] as const

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** All of the first plane but the surrogates, and the first and last characters of every other one. */
const everyPlane = ((): string => {
  const characters: Array<string> = []
  for (let code = 0; code < 0x1_0000; code++) if (code < 0xd800 || code > 0xdfff) characters.push(String.fromCodePoint(code))
  for (let plane = 1; plane <= 16; plane++)
    for (const low of [0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffd, 0xfffe, 0xffff])
      characters.push(String.fromCodePoint(plane * 0x1_0000 + low))
  return characters.join("")
})()

const pattern = (size: number): Buffer => Buffer.alloc(size, everyByte)
const letters = (size: number): Buffer => Buffer.alloc(size, "abcdefghijklmnopqrstuvwxyz0123456789")

const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 524_288]

describe("a message", () => {
  it("of any length and kind is one frame with the same bytes on the other side, both ways", async () => {
    const both = await pair()
    const sent = [
      ...sizes.flatMap((size) => [
        { binary: true, payload: pattern(size) },
        { binary: false, payload: letters(size) }
      ]),
      { binary: true, payload: everyByte },
      { binary: false, payload: Buffer.from(everyPlane) }
    ]
    for (const [, from, to] of directions(both)) {
      // One at a time, as they would come, and then all at once.
      for (const { binary, payload } of sent) {
        const before = to.frames.length
        from.send(binary ? Opcode.binary : Opcode.text, payload)
        await to.take(before + 1)
      }
      expect(to.messages().map(({ binary }) => binary)).toEqual(sent.map(({ binary }) => binary))
      expect(to.messages().every(({ payload }, index) => payload.equals(sent[index]!.payload))).toBe(true)
    }
    expect(both.link.peer.frames.every(({ masked }) => masked)).toBe(true)
    expect(both.client.frames.some(({ masked }) => masked)).toBe(false)
  })

  it("in fragments arrives whole, at whatever bytes it was cut and with control frames between", async () => {
    const both = await pair()
    const text = Buffer.from("grüße, 世界, 🌍 und alle")
    for (const [name, from, to] of directions(both)) {
      const parts = Array.from(text, (byte) => Buffer.from([byte]))
      parts.forEach((part, index) => {
        from.send(index === 0 ? Opcode.text : Opcode.continuation, part, { fin: index === parts.length - 1 })
        if (index % 3 === 0) from.send(Opcode.ping, `${index}`)
        if (index % 5 === 0) from.send(Opcode.pong, "unasked")
      })
      // An empty beginning, an empty middle and an empty end.
      from.send(Opcode.binary, "", { fin: false })
      from.send(Opcode.continuation, everyByte, { fin: false })
      from.send(Opcode.continuation, "", { fin: false })
      from.send(Opcode.continuation, everyByte, { fin: false })
      from.send(Opcode.continuation, "", { fin: true })
      // Nothing but fragments without a byte.
      from.send(Opcode.text, "", { fin: false })
      from.send(Opcode.continuation, "", { fin: true })
      from.send(Opcode.binary, letters(300_000), { fin: false })
      from.send(Opcode.continuation, letters(212_288), { fin: true })
      await eventually(() => to.messages().length >= 4, { message: name })
      expect(to.messages()).toEqual([
        { binary: false, payload: text },
        { binary: true, payload: Buffer.concat([everyByte, everyByte]) },
        { binary: false, payload: Buffer.alloc(0) },
        { binary: true, payload: Buffer.concat([letters(300_000), letters(212_288)]) }
      ])
      const pings = parts.flatMap((_, index) => (index % 3 === 0 ? [`${index}`] : []))
      await eventually(() => from.frames.filter(({ opcode }) => opcode === Opcode.pong).length === pings.length, {
        message: () => `${name}: pongs ${from.frames.length}`
      })
      expect(from.frames.filter(({ opcode }) => opcode === Opcode.pong).map(({ payload }) => payload.toString())).toEqual(pings)
      from.frames.length = 0
      to.frames.length = 0
    }
  })

  it("is one of 1,000 in a single segment, and all arrive in order with their kinds", async () => {
    const both = await pair()
    for (const [, from, to] of directions(both)) {
      const kinds = Array.from({ length: 1000 }, (_, index) => index % 3 === 0)
      from.socket.write(Buffer.concat(kinds.map((binary, index) => from.bytes(binary ? Opcode.binary : Opcode.text, `${index}`))))
      await to.take(1000)
      expect(to.messages()).toEqual(kinds.map((binary, index) => ({ binary, payload: Buffer.from(`${index}`) })))
    }
  })

  it("arrives although every byte comes in a segment of its own", async () => {
    const both = await pair()
    for (const [, from, to] of directions(both)) {
      const bytes = Buffer.concat([from.bytes(Opcode.text, "é"), from.bytes(Opcode.binary, pattern(130)), from.bytes(Opcode.text, "")])
      for (const byte of bytes) {
        from.socket.write(Uint8Array.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await to.take(3)
      expect(to.messages()).toEqual([
        { binary: false, payload: Buffer.from("é") },
        { binary: true, payload: pattern(130) },
        { binary: false, payload: Buffer.alloc(0) }
      ])
    }
  })

  it("may stand right behind the backend's handshake, or be there before the client has its own", async () => {
    const greeting = await rawBackend({ first: Buffer.concat([Buffer.from([0x81, 2, 0x68, 0x69]), Buffer.from([0x82, 1, 0xff])]) })
    const server = await start({ proxy: [{ path: "/app", targets: [greeting.url] }] })
    const client = await rawClient(server, "/app")
    await client.take(2)
    expect(client.messages()).toEqual([
      { binary: false, payload: Buffer.from("hi") },
      { binary: true, payload: Buffer.from([0xff]) }
    ])
  })
})

describe("text that is not UTF-8", () => {
  const wrong = [
    ["a byte that begins nothing", Buffer.from([0x68, 0xff])],
    ["a surrogate", Buffer.from([0xed, 0xa0, 0x80])],
    ["an overlong form", Buffer.from([0xc0, 0x80])],
    ["more than there is of Unicode", Buffer.from([0xf4, 0x90, 0x80, 0x80])],
    ["a character that is cut off", Buffer.from([0xe4, 0xb8])]
  ] as const

  it.each(wrong)("of the backend closes both sides with 1007: %s", async (_, bytes) => {
    const { client, link } = await pair()
    link.peer.send(Opcode.text, "fine")
    link.peer.send(Opcode.text, bytes)
    expect((await client.close()).code).toBe(1007)
    expect((await link.peer.close()).code).toBe(1007)
    expect(client.messages()).toEqual([{ binary: false, payload: Buffer.from("fine") }])
  })

  // uWebSockets.js cuts such a client without a close frame, and leaves nobody a chance to send one.
  it.each(wrong)("of the client ends it, and the backend is told 1007: %s", async (_, bytes) => {
    const { client, link } = await pair()
    client.send(Opcode.text, "fine")
    client.send(Opcode.text, bytes)
    expect(await client.end()).toEqual({ closeFrame: false })
    expect((await link.peer.close()).code).toBe(1007)
    expect(link.peer.messages()).toEqual([{ binary: false, payload: Buffer.from("fine") }])
  })

  it("does no harm in binary messages", async () => {
    const both = await pair()
    for (const [, from, to] of directions(both)) {
      wrong.forEach(([, bytes]) => from.send(Opcode.binary, bytes))
      await to.take(wrong.length)
      expect(to.messages()).toEqual(wrong.map(([, payload]) => ({ binary: true, payload })))
    }
  })
})

describe("what is no frame", () => {
  const fine = Array.from({ length: 50 }, (_, index) => `${index}`)

  /** As a side would send it that has never read RFC 6455, section 5. */
  const wrong: ReadonlyArray<readonly [name: string, bytes: (peer: RawPeer) => Buffer]> = [
    ["a reserved bit", (peer) => peer.bytes(Opcode.text, "x", { reserved: 4 })],
    ["an unknown opcode", (peer) => peer.bytes(5, "x")],
    ["an unknown control frame", (peer) => peer.bytes(11, "x")],
    ["a ping that is too long", (peer) => peer.bytes(Opcode.ping, "x".repeat(126))],
    ["a ping in fragments", (peer) => peer.bytes(Opcode.ping, "x", { fin: false })],
    ["a continuation of nothing", (peer) => peer.bytes(Opcode.continuation, "x")],
    ["a new message within another", (peer) => Buffer.concat([peer.bytes(Opcode.text, "x", { fin: false }), peer.bytes(Opcode.text, "x")])]
  ]

  it.each(wrong)("of the client ends it after all that was fine, and the backend is told 1002: %s", async (_, bad) => {
    const { client, link } = await pair()
    client.socket.write(Buffer.concat([...fine.map((word) => client.bytes(Opcode.text, word)), bad(client)]))
    expect(await client.end()).toEqual({ closeFrame: false })
    expect((await link.peer.close()).code).toBe(1002)
    expect(link.peer.messages().map(({ payload }) => payload.toString())).toEqual(fine)
  })

  it.each(wrong)("of the backend is 4503 for the client after all that was fine, and 1002 for the backend: %s", async (_, bad) => {
    const { client, link } = await pair()
    link.socket.write(Buffer.concat([...fine.map((word) => link.peer.bytes(Opcode.text, word)), bad(link.peer)]))
    expect((await client.close()).code).toBe(4503)
    expect((await link.peer.close()).code).toBe(1002)
    expect(client.messages().map(({ payload }) => payload.toString())).toEqual(fine)
  })
})

describe("pings and pongs", () => {
  it("are answered on the leg that they came by, and go no further", async () => {
    const both = await pair()
    for (const [name, from, to] of directions(both)) {
      const payloads = ["", "ping", "x".repeat(125)]
      for (const payload of payloads) from.send(Opcode.ping, payload)
      from.send(Opcode.pong, "nobody asked")
      from.send(Opcode.text, "after")
      await to.take(1)
      await from.take(3)
      expect(
        to.frames.map(({ opcode }) => opcode),
        name
      ).toEqual([Opcode.text])
      expect(from.frames.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual(payloads.map((text) => [Opcode.pong, text]))
      from.frames.length = 0
      to.frames.length = 0
    }
  })
})

describe("a close", () => {
  /** What RFC 6455, section 7.4, and its registry allow in a close frame. */
  const registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011]
  const later = [1012, 1013, 1014]
  const libraries = [3000, 3001, 3500, 3999]
  const own = [4000, 4001, 4408, 4500, 4503, 4999]
  const forbidden = [1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999]

  it("of the backend reaches the client with its code and reason, for every code that there may be", async () => {
    const target = await rawBackend()
    const server = await start({ proxy: [{ path: "/app", targets: [target.url] }] })
    const codes = [...registered, ...later, ...libraries, ...own]
    const closes = await Promise.all(
      codes.map(async (code) => {
        const client = await rawClient(server, `/app?${code}`.replace("?", "?code="))
        const link = await eventually(() => target.links.find(({ request }) => request.url?.endsWith(`=${code}`)))
        link.peer.send(Opcode.text, "last words")
        link.peer.sendClose(code, `because of ${code} – ü`)
        const { code: seen, reason } = await client.close()
        // The backend's own close frame is answered in kind.
        return { seen, reason, words: client.messages()[0]?.payload.toString(), answered: (await link.peer.close()).code }
      })
    )
    expect(closes).toEqual(codes.map((code) => ({ seen: code, reason: `because of ${code} – ü`, words: "last words", answered: code })))
  })

  it("of the client reaches the backend with its code and reason", async () => {
    const target = await rawBackend()
    const server = await start({ proxy: [{ path: "/app", targets: [target.url] }] })
    // uWebSockets.js takes the others for no close codes at all: the close itself still arrives.
    const carried = [...registered, ...own]
    const codes = [...carried, ...later, ...libraries, ...forbidden]
    const closes = await Promise.all(
      codes.map(async (code) => {
        const client = await rawClient(server, `/app?code=${code}`)
        const link = await eventually(() => target.links.find(({ request }) => request.url?.endsWith(`=${code}`)))
        client.send(Opcode.text, "last words")
        client.sendClose(code, "so long ü")
        const { code: seen, reason } = await link.peer.close()
        await client.close()
        return { seen, reason, words: link.peer.messages()[0]?.payload.toString() }
      })
    )
    expect(closes).toEqual(
      codes.map((code) =>
        carried.includes(code)
          ? { seen: code, reason: "so long ü", words: "last words" }
          : { seen: undefined, reason: "", words: "last words" }
      )
    )
  })

  it("without a code stays without one, both ways, and a reason may have 123 bytes", async () => {
    const first = await pair()
    first.client.sendClose()
    expect(await first.link.peer.close()).toEqual({ code: undefined, reason: "" })
    const second = await pair()
    second.link.peer.sendClose()
    expect(await second.client.close()).toEqual({ code: undefined, reason: "" })
    const third = await pair()
    third.client.sendClose(4000, "x".repeat(123))
    expect(await third.link.peer.close()).toEqual({ code: 4000, reason: "x".repeat(123) })
    const fourth = await pair()
    fourth.link.peer.sendClose(4000, "x".repeat(123))
    expect(await fourth.client.close()).toEqual({ code: 4000, reason: "x".repeat(123) })
  })

  it.each(forbidden)(
    "with the code %i, which no close frame may hold, is a fault of the backend: it gets 1002, the client 4503",
    async (code) => {
      const { client, link } = await pair()
      link.peer.sendClose(code, "")
      expect((await client.close()).code).toBe(4503)
      expect((await link.peer.close()).code).toBe(1002)
    }
  )

  it("comes after everything that was said before, also where the connection is cut right behind it", async () => {
    const first = await pair()
    const words = Array.from({ length: 100 }, (_, index) => `${index}`)
    // All in one segment with the end of the connection.
    first.client.socket.end(Buffer.concat(words.map((word) => first.client.bytes(Opcode.text, word))))
    await first.link.peer.end()
    expect(first.link.peer.messages().map(({ payload }) => payload.toString())).toEqual(words)
    const second = await pair()
    second.link.socket.end(Buffer.concat(words.map((word) => second.link.peer.bytes(Opcode.text, word))))
    expect((await second.client.close()).code).toBe(4503)
    expect(second.client.messages().map(({ payload }) => payload.toString())).toEqual(words)
  })

  it("is the last that a side hears, whatever the other one goes on to say", async () => {
    const { client, link } = await pair()
    let stop = false
    const talk = (): void => {
      if (stop) return
      client.socket.write(Buffer.concat(Array.from({ length: 50 }, () => client.bytes(Opcode.text, "and another thing"))))
      setImmediate(talk)
    }
    talk()
    await link.peer.take(1000)
    link.peer.sendClose(4000, "enough")
    expect(await client.close()).toEqual({ code: 4000, reason: "enough" })
    stop = true
    await link.peer.end()
    const close = link.peer.frames.findIndex(({ opcode }) => opcode === Opcode.close)
    expect(link.peer.frames.slice(close + 1)).toEqual([])
  })

  it("that does not come, because the connection is cut, is 4503 for the client and nothing for the backend", async () => {
    const first = await pair()
    first.link.socket.destroy()
    expect(await first.client.close()).toEqual({ code: 4503, reason: "backend lost" })
    const second = await pair()
    second.client.socket.destroy()
    expect(await second.link.peer.end()).toEqual({ closeFrame: false })
  })
})

describe("what one side does not read", () => {
  const megabyte = 1_048_576
  const block = 65_536
  const total = 100 * megabyte

  /** Sends numbered blocks as fast as the socket takes them. `written`: bytes that the kernel has. */
  const flood = (peer: RawPeer, link: { readonly socket: NodeJS.WritableStream }) => {
    let sent = 0
    let written = 0
    const write = (): void => {
      for (; sent < total / block; sent++) {
        const payload = Buffer.alloc(block, sent & 0xff)
        payload.writeUInt32BE(sent)
        const frame = peer.bytes(Opcode.binary, payload)
        if (!link.socket.write(frame, () => (written += frame.length))) {
          sent++
          link.socket.once("drain", write)
          return
        }
      }
    }
    write()
    return { written: () => written }
  }

  /** Whether `value` has not changed for a while: looked at so many times. */
  const settled = async (value: () => number): Promise<number> => {
    let last = -1
    let same = 0
    return eventually(() => {
      same = value() === last ? same + 1 : 0
      last = value()
      return same >= 20 ? last : undefined
    })
  }

  it("waits at the backend when that is the client: little is taken before, and nothing is lost", async () => {
    const { client, link } = await pair()
    client.socket.pause()
    const { written } = flood(link.peer, link)
    const taken = await settled(written)
    // The gateway's share is half a buffer and one read; the rest is what the kernel keeps of two connections.
    expect(taken).toBeLessThan(30 * megabyte)
    client.socket.resume()
    await client.take(total / block)
    const numbers = client.messages().map(({ payload }) => (payload.length === block ? payload.readUInt32BE() : -1))
    expect(numbers).toEqual(Array.from({ length: total / block }, (_, index) => index))
    expect(client.messages().every(({ payload }, index) => payload[block - 1] === (index & 0xff))).toBe(true)
  })

  it("ends the connection with 1013 at the bound when that is the backend, for a client can not be made to wait", async () => {
    const { client, link } = await pair()
    link.socket.pause()
    flood(client, client as unknown as { socket: NodeJS.WritableStream })
    expect(await client.close()).toEqual({ code: 1013, reason: "the backend does not keep up" })
    link.socket.resume()
    // What was taken from the client is not lost, and the backend is told why nothing more comes.
    expect((await link.peer.close()).code).toBe(1001)
    const numbers = link.peer.messages().map(({ payload }) => payload.readUInt32BE())
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index))
    expect(numbers.length).toBeLessThan((30 * megabyte) / block)
  })

  it("may be less than one message: those that are larger than the buffer pass, and so does what follows them", async () => {
    const target = await rawBackend()
    const server = await start({ proxy: [{ path: "/app", targets: [target.url], buffer: 65_536, max_message: 8 * megabyte }] })
    const client = await rawClient(server, "/app")
    const both = { client, link: await target.link(0) }
    for (const [name, from, to] of directions(both)) {
      const sent = [5 * megabyte, 1, 0, 3 * megabyte, 2].map((size) => pattern(size))
      from.socket.write(Buffer.concat(sent.map((payload) => from.bytes(Opcode.binary, payload))))
      await to.take(sent.length)
      expect(
        to.messages().map(({ payload }, index) => payload.equals(sent[index]!)),
        name
      ).toEqual(sent.map(() => true))
    }
  })

  it("does not matter while half a megabyte per message is in flight both ways", async () => {
    const echo = await backend()
    const server = await start({ proxy: [{ path: "/app", targets: [echo.url] }] })
    const client = await rawClient(server, "/app")
    const count = 40
    const payloads = Array.from({ length: count }, (_, index) => Buffer.alloc(524_288, `${index}`))
    for (const payload of payloads) {
      client.send(Opcode.text, payload)
      await eventually(() => client.socket.writableLength === 0)
    }
    await client.take(count)
    expect(client.messages().every(({ binary, payload }, index) => !binary && payload.equals(payloads[index]!))).toBe(true)
  })
})
