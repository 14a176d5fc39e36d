import { createHash, randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import fc from "fast-check"
import { afterEach, describe, expect, it } from "vitest"
import { type Answer, errorAnswer, type HttpArrival, type HttpRoute, type Relay, type RelaySink } from "../../src/transport/HttpAnswer.ts"
import { sleep } from "../support/eventually.ts"
import { eventually, listen, RawClient, type TestServer } from "./httpServer.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

type Handle = HttpRoute["handle"]

const serve = async (
  handle: (arrival: HttpArrival, ...client: Parameters<Handle>) => ReturnType<Handle>,
  limits: Partial<HttpRoute> = {}
): Promise<TestServer> => {
  const server = await listen(() => errorAnswer("not_found", "nobody is here"), {
    route: (arrival) => ({ maxBody: 0, patience: 300, ...limits, handle: (client) => handle(arrival, client) })
  })
  open.push(server.close)
  return server
}

const raw = (server: TestServer): RawClient => {
  const client = new RawClient(server.port)
  open.push(() => client.socket.destroy())
  return client
}

const get = (path = "/"): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`

const instead = errorAnswer("unavailable", "the source failed")

/** A relay whose sink the test holds. */
const held = (
  options: Partial<Relay> = {}
): { readonly relay: Relay; readonly sink: () => RelaySink; readonly drains: () => number; onDrain: () => void } => {
  let sink: RelaySink | undefined
  let drains = 0
  const out = {
    relay: {
      status: 200,
      headers: [["x-a", "1"]] as const,
      length: undefined,
      opening: undefined,
      attach: (given: RelaySink) => {
        sink = given
        return {
          onDrain: () => {
            drains++
            out.onDrain()
          }
        }
      },
      ...options
    },
    sink: () => {
      if (sink === undefined) throw new Error("not attached yet")
      return sink
    },
    drains: () => drains,
    onDrain: (): void => undefined
  }
  return out
}

const attached = async (out: ReturnType<typeof held>): Promise<RelaySink> => {
  await eventually(() => {
    try {
      return out.sink() !== undefined
    } catch {
      return false
    }
  })
  return out.sink()
}

/** Whether a relay that was told to hold is told to go on within a few turns. */
const goesOn = async (out: ReturnType<typeof held>): Promise<boolean> => {
  const before = out.drains()
  for (let turn = 0; turn < 20 && out.drains() === before; turn++) await new Promise((resolve) => setImmediate(resolve))
  return out.drains() > before
}

/** A client for large bodies: it keeps what it gets in pieces, and looks at the end only. */
class Collector {
  readonly socket: Socket
  readonly #pieces: Array<Buffer> = []
  #tail = ""
  length = 0
  closed = false

  constructor(server: TestServer) {
    this.socket = connect(server.port, "127.0.0.1")
    open.push(() => this.socket.destroy())
    this.socket.on("error", () => undefined)
    this.socket.on("close", () => (this.closed = true))
    this.socket.on("data", (piece) => {
      this.#pieces.push(piece)
      this.length += piece.length
      this.#tail = (this.#tail + piece.subarray(-16).toString("latin1")).slice(-16)
    })
  }

  async until(test: (length: number, tail: string) => boolean): Promise<string> {
    await eventually(() => this.closed || test(this.length, this.#tail))
    return Buffer.concat(this.#pieces).toString("latin1")
  }
}

const lastChunk = (_: number, tail: string): boolean => tail.endsWith("\r\n0\r\n\r\n")

const bodyOf = (received: string): string => received.slice(received.indexOf("\r\n\r\n") + 4)

/** The data of a chunked body, and whether it has ended. */
const dechunk = (body: string): { readonly data: string; readonly ended: boolean } => {
  const data: Array<string> = []
  let at = 0
  for (;;) {
    const line = body.indexOf("\r\n", at)
    if (line === -1) return { data: data.join(""), ended: false }
    const size = Number.parseInt(body.slice(at, line), 16)
    if (size === 0) return { data: data.join(""), ended: body.length === line + 4 }
    data.push(body.slice(line + 2, line + 2 + size))
    at = line + 2 + size + 2
    if (at > body.length) return { data: data.join(""), ended: false }
  }
}

const digest = (data: string | Uint8Array): string =>
  createHash("sha256")
    .update(typeof data === "string" ? Buffer.from(data, "latin1") : data)
    .digest("hex")

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1")

describe("a relay", () => {
  it("whose body is there at once has a length and no chunks", async () => {
    const server = await serve(() => ({
      ...held().relay,
      attach: (sink) => {
        sink.write(bytes("one, "))
        sink.write(bytes("two"))
        sink.end()
        return { onDrain: () => undefined }
      }
    }))
    const client = raw(server).send(get())
    const received = await client.until((text) => text.endsWith("two"))
    expect(received).toContain("Content-Length: 8\r\n")
    expect(bodyOf(received)).toBe("one, two")
    client.received = ""
    await client.send(get()).until((text) => text.endsWith("two"))
  })

  it("of known length shows status and headers before its body begins", async () => {
    const out = held({ length: 5, status: 203 })
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    const received = await client.until((text) => text.endsWith("\r\n\r\n"))
    expect(received).toMatch(/^HTTP\/1.1 203 /)
    expect(received).toContain("x-a: 1\r\n")
    out.sink().write(bytes("hel"))
    await client.until((text) => text.endsWith("hel"))
    out.sink().write(bytes("lo"))
    out.sink().end()
    await client.until((text) => text.endsWith("hello"))
  })

  it("of unknown length begins with what it opens with", async () => {
    const out = held({ opening: bytes(":\n\n") })
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    await client.until((text) => text.includes("3\r\n:\n\n"))
    out.sink().write(bytes("data: 1\n\n"))
    await client.until((text) => text.includes("data: 1\n\n"))
    out.sink().end()
    const received = await client.until((text) => text.endsWith("0\r\n\r\n"))
    expect(dechunk(bodyOf(received))).toEqual({ data: ":\n\ndata: 1\n\n", ended: true })
  })

  it("does not open if its body begins at once", async () => {
    const server = await serve(() => ({
      ...held({ opening: bytes(":\n\n") }).relay,
      attach: (sink) => {
        sink.write(bytes("data: 1\n\n"))
        return { onDrain: () => undefined }
      }
    }))
    const received = await raw(server)
      .send(get())
      .until((text) => text.includes("data: 1"))
    expect(dechunk(bodyOf(received)).data).toBe("data: 1\n\n")
  })

  it.each([
    ["of unknown length", undefined, []],
    ["of length 0", 0, ["content-length: 0"]]
  ])("may be empty: %s", async (_, length, lines) => {
    const out = held({ length })
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    ;(await attached(out)).end()
    const received = (await client.until((text) => text.endsWith("\r\n\r\n"))).toLowerCase()
    for (const line of ["content-length: 0", ...lines]) expect(received).toContain(line)
  })

  it.each([
    ["HEAD", 200, 5],
    ["GET", 204, undefined],
    ["GET", 304, undefined]
  ])("to %s with status %i has no body", async (method, status, length) => {
    const server = await serve(() => held({ status, length }).relay)
    const client = raw(server).send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`)
    const received = (await client.until((text) => text.endsWith("\r\n\r\n"))).toLowerCase()
    expect(received.includes("content-length: 5")).toBe(length === 5)
    client.received = ""
    await client.send(get()).until((text) => text.includes("HTTP/1.1"))
  })

  it.each([
    ["GET", 12_000, undefined],
    ["GET", 12_000, 5],
    ["GET", 5000, undefined],
    ["GET", 7700, 5],
    ["HEAD", 12_000, 5]
  ])("to %s may have a long head: two lines of %i bytes, length %s", async (method, size, length) => {
    const lines = [
      ["x-a", "a".repeat(size)],
      ["x-b", "b".repeat(size)]
    ] as const
    const out = held({ headers: lines, length })
    const server = await serve(() => out.relay)
    const client = raw(server).send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`)
    if (method === "GET") {
      const sink = await attached(out)
      sink.write(bytes("hel"))
      await client.until((text) => text.includes("hel"))
      sink.write(bytes("lo"))
      sink.end()
    }
    const end = method === "HEAD" ? "\r\n\r\n" : length === undefined ? "\r\n0\r\n\r\n" : "hello"
    const received = await client.until((text) => text.endsWith(end))
    for (const [name, value] of lines) expect(received).toContain(`\r\n${name}: ${value}\r\n`)
    if (method === "GET") expect(length === undefined ? dechunk(bodyOf(received)).data : bodyOf(received)).toBe("hello")
  })

  it("that fails before anything was sent becomes another answer", async () => {
    const out = held()
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    ;(await attached(out)).fail(instead)
    const received = await client.until((text) => text.endsWith("}"))
    expect(received).toMatch(/^HTTP\/1.1 503 /)
    expect(server.answers).toEqual([503])
  })

  it.each([
    ["of unknown length", undefined],
    ["of known length", 10]
  ])("that fails in the middle cuts the connection: %s", async (_, length) => {
    const out = held({ length })
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    ;(await attached(out)).write(bytes("half"))
    await client.until((text) => text.includes("half"))
    out.sink().fail(instead)
    const received = await client.untilClosed()
    expect(dechunk(bodyOf(received)).ended).toBe(false)
    expect(server.answers).toEqual([200])
  })

  it.each([
    ["too short", "123"],
    ["too long", "123456"]
  ])("whose body is %s for its length cuts the connection", async (_, body) => {
    const out = held({ length: 5 })
    const server = await serve(() => out.relay)
    const client = raw(server).send(get())
    const sink = await attached(out)
    sink.write(bytes(body))
    sink.end()
    expect(bodyOf(await client.untilClosed()).length).toBeLessThan(5)
  })

  it("tells when the client goes away, and takes no more", async () => {
    const out = held({ opening: bytes(":\n\n") })
    let gone = 0
    const server = await serve((_, client) => {
      client.onGone(() => gone++)
      return out.relay
    })
    const client = raw(server).send(get())
    await client.until((text) => text.includes(":\n\n"))
    client.socket.destroy()
    await eventually(() => gone === 1)
    out.sink().write(bytes("x"))
    out.sink().end()
    out.sink().fail(instead)
    expect(gone).toBe(1)
  })

  it("comes whole, however it is cut into pieces, to a client that reads in bursts", async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 60_000, max: 3_000_000 }))
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 12 }), fc.boolean(), async (sizes, known) => {
        const pieces = sizes.map((n) => randomBytes(n))
        const out = held({ length: known ? sizes.reduce((a, b) => a + b, 0) : undefined })
        const server = await serve(() => out.relay)
        const client = new Collector(server)
        client.socket.pause()
        client.socket.write(get())
        let next = 0
        const push = (): void => {
          while (next < pieces.length) if (!out.sink().write(pieces[next++] ?? new Uint8Array())) return
          out.sink().end()
        }
        out.onDrain = push
        await attached(out)
        push()
        const bursts = setInterval(() => (client.socket.isPaused() ? client.socket.resume() : client.socket.pause()), 3)
        const total = out.relay.length
        const received = await client.until((length, tail) => (total === undefined ? lastChunk(length, tail) : length > total + 60))
        clearInterval(bursts)
        const body = known ? bodyOf(received) : dechunk(bodyOf(received)).data
        expect(digest(body)).toBe(digest(Buffer.concat(pieces)))
      }),
      { numRuns: 15 }
    )
  })

  it("leaves nothing behind when its source pauses after a piece that had to wait", async () => {
    const out = held()
    const server = await serve(() => out.relay)
    const client = new Collector(server)
    client.socket.pause()
    client.socket.write(get())
    const piece = randomBytes(12_000_000)
    expect((await attached(out)).write(piece)).toBe(false)
    client.socket.resume()
    const received = await client.until((length) => length > piece.length && out.drains() > 0)
    expect(digest(dechunk(bodyOf(received)).data)).toBe(digest(piece))
    expect(out.drains()).toBe(1)
  })
})

describe("a client that does not read", () => {
  it.each([12_900, 16_300, 16_900, 17_000, 33_000])("gets chunks of %i bytes whole when it does", async (size) => {
    for (let round = 0; round < 4; round++) {
      const out = held()
      const server = await serve(() => out.relay)
      const client = new Collector(server)
      client.socket.pause()
      client.socket.write(get())
      const piece = randomBytes(size)
      const sent: Array<Uint8Array> = []
      await attached(out)
      do sent.push(piece)
      while (out.sink().write(piece) || (await goesOn(out)))
      client.socket.resume()
      out.sink().end()
      const received = await client.until(lastChunk)
      expect(digest(dechunk(bodyOf(received)).data)).toBe(digest(Buffer.concat(sent)))
    }
  })

  it.each([5000, 14_000, 20_000])("gets the answers to further requests, of %i bytes each, whole or is cut off", async (size) => {
    const body = randomBytes(size).toString("latin1")
    const answer: Answer = { status: 200, headers: { "x-long": "v".repeat(1000) }, body: Buffer.from(body, "latin1") }
    const server = await listen(() => answer)
    open.push(server.close)
    const alone = new Collector(server)
    alone.socket.write(get())
    const one = (await alone.until((_, tail) => tail !== "" && body.endsWith(tail))).length
    await eventually(() => server.answers.length === 1)
    const answered = (): number => server.answers.length - 1
    const client = new Collector(server)
    client.socket.pause()
    // More than the socket's buffers hold.
    const requests = Math.ceil(30_000_000 / size)
    for (let sent = 0; sent < requests && answered() === sent; sent++) {
      client.socket.write(get())
      for (let turn = 0; turn < 100_000 && answered() === sent; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    client.socket.resume()
    const received = await client.until((length) => length === answered() * one)
    const answers = received.split("HTTP/1.1 200 OK\r\n").slice(1)
    const whole = client.closed ? answers.slice(0, -1) : answers
    for (const text of whole) expect(bodyOf(text) === body).toBe(true)
    expect(whole.length).toBeGreaterThan(100)
  })
})

describe("a request with a route", () => {
  const collect: Parameters<typeof serve>[0] = async (arrival, { body }) => {
    let text = ""
    for await (const chunk of body ?? []) text += Buffer.from(chunk).toString("latin1")
    return {
      status: 200,
      headers: {},
      body: JSON.stringify({ method: arrival.method, target: arrival.target, text, hasBody: arrival.hasBody })
    }
  }

  it("may have a body whatever its method", async () => {
    const server = await serve(collect)
    for (const method of ["GET", "DELETE", "PURGE"]) {
      const client = raw(server).send(`${method} /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody`)
      expect(await client.until((text) => text.endsWith("}"))).toContain(
        JSON.stringify({ method, target: "/a?b", text: "body", hasBody: true })
      )
    }
  })

  it("tells who sent it", async () => {
    let seen: HttpArrival | undefined
    const server = await serve((arrival) => {
      seen = arrival
      return instead
    })
    await raw(server)
      .send("GET /?q HTTP/1.1\r\nHost: h:1\r\nCookie: a=1\r\nX-B: 1\r\nx-b: 2\r\ncookie: b=2\r\n\r\n")
      .until((text) => text.endsWith("}"))
    expect(seen).toMatchObject({ address: "127.0.0.1", peer: "127.0.0.1", trusted: false, secure: false, hasBody: false, target: "/?q" })
    expect(Object.fromEntries(seen?.headers ?? [])).toMatchObject({ host: "h:1", cookie: "a=1; b=2", "x-b": "1, 2" })
  })

  it("has the limit of its route", async () => {
    const server = await serve(collect, { maxBody: 3 })
    const post = (body: string): string => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    expect(
      await raw(server)
        .send(post("abc"))
        .until((text) => text.endsWith("}"))
    ).toContain("200 OK")
    expect(
      await raw(server)
        .send(post("abcd"))
        .until((text) => text.endsWith("}"))
    ).toContain("413 ")
    const chunked = raw(server).send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")
    expect(await chunked.until((text) => text.endsWith("}"))).toContain("413 ")
  })

  it("has no limit if its route has none, and is streamed no faster than it is read", async () => {
    let release = (): void => undefined
    const opened = new Promise<void>((resolve) => (release = resolve))
    let read = 0
    const server = await serve(async (_, { body }) => {
      await opened
      for await (const chunk of body ?? []) read += chunk.length
      return instead
    })
    const size = 20_000_000
    const client = raw(server).send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`)
    client.socket.write(Buffer.alloc(size))
    await sleep(200)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    release()
    await client.until((text) => text.endsWith("}"))
    expect(read).toBe(size)
  })

  it("can go on both ways at once while neither side keeps up", async () => {
    const size = 24_000_000
    const out = held()
    let waits = 0
    const server = await serve((_, { body }) => {
      const reader = body?.getReader()
      let drained: () => void = () => undefined
      out.onDrain = () => drained()
      const run = async (): Promise<void> => {
        await attached(out)
        for (;;) {
          const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
          if (done || value === undefined) break
          const waiting = new Promise<void>((resolve) => (drained = resolve))
          if (out.sink().write(value)) continue
          waits++
          await waiting
        }
        out.sink().end()
      }
      void run()
      return out.relay
    })
    const client = new Collector(server)
    client.socket.pause()
    client.socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`)
    const sent = randomBytes(size)
    client.socket.write(sent)
    await eventually(() => waits > 0)
    // Longer than it takes to try again.
    await sleep(200)
    client.socket.resume()
    const received = await client.until(lastChunk)
    expect(digest(dechunk(bodyOf(received)).data)).toBe(digest(sent))
  })
})

describe("the patience of a route", () => {
  it("is longer than that of uWebSockets.js, and keeps slow clients both ways", { timeout: 60_000 }, async () => {
    const upload = await serve(async (_, { body }) => {
      let read = 0
      for await (const chunk of body ?? []) read += chunk.length
      return { status: 200, headers: {}, body: `${read} bytes` }
    })
    const size = 12_000_000
    const chunked = held()
    const known = held({ length: size })
    const servers = await Promise.all([chunked, known].map((out) => serve(() => out.relay)))
    const slow = servers.map((server) => new Collector(server))
    for (const client of slow) {
      client.socket.pause()
      client.socket.write(get())
    }
    for (const out of [chunked, known]) {
      ;(await attached(out)).write(Buffer.alloc(size, 97))
      out.sink().end()
    }
    const sender = raw(upload).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n")
    // uWebSockets.js gives up after 8 to 12 seconds.
    for (let second = 0; second < 14; second++) {
      sender.send("ab")
      await sleep(1000)
    }
    expect(await sender.until((text) => text.endsWith("bytes"))).toContain("28 bytes")
    for (const client of slow) {
      expect(client.closed).toBe(false)
      client.socket.resume()
      const received = await client.until((length, tail) => length > size + 100 && /(?:a|\r\n0\r\n\r\n)$/.test(tail))
      expect(received.match(/a/g)?.length).toBeGreaterThanOrEqual(size)
    }
  })

  it("ends", { timeout: 30_000 }, async () => {
    const out = held()
    const server = await serve(() => out.relay, { patience: 4 })
    const reader = raw(server)
    reader.socket.pause()
    reader.send(get())
    expect((await attached(out)).write(Buffer.alloc(12_000_000))).toBe(false)
    let gone = false
    const upload = await serve(
      (_, { onGone }) => {
        onGone(() => (gone = true))
        return new Promise(() => undefined)
      },
      { patience: 4 }
    )
    const sender = raw(upload).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\nab")
    await sender.untilClosed()
    expect(gone).toBe(true)
    reader.socket.resume()
    await reader.untilClosed()
  })
})
