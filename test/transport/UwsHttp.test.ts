import { afterEach, describe, expect, it } from "vitest"
import { errorAnswer, type HttpHandler, jsonAnswer } from "../../src/transport/HttpAnswer.ts"
import type { ServeHttpOptions } from "../../src/transport/UwsHttp.ts"
import { eventually, listen, RawClient, type TestServer } from "./httpServer.ts"

const open: Array<() => void> = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const serve = async (handler: HttpHandler, options?: Partial<ServeHttpOptions>): Promise<TestServer> => {
  const server = await listen(handler, options)
  open.push(server.close)
  return server
}

const raw = (server: TestServer): RawClient => {
  const client = new RawClient(server.port)
  open.push(() => client.socket.destroy())
  return client
}

const echo: HttpHandler = async (request, info) =>
  Response.json({
    method: request.method,
    url: request.url,
    ...info,
    headers: Object.fromEntries(request.headers),
    body: await request.text()
  })

/** What waits for `opened` goes on after `open()`. */
const makeGate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let release = (): void => undefined
  const opened = new Promise<void>((resolve) => (release = resolve))
  return { opened, open: () => release() }
}

/** Waits until `read` has given the same figure, and not 0, for a while. */
const settled = async (read: () => number): Promise<void> => {
  let last = 0
  let still = 0
  await eventually(() => {
    const now = read()
    still = now !== 0 && now === last ? still + 1 : 0
    last = now
    return still === 20
  })
}

const firstLine = (received: string): string => received.slice(0, received.indexOf("\r\n"))
const complete =
  (...ends: ReadonlyArray<string>) =>
  (received: string): boolean =>
    ends.every((end) => received.includes(end))

describe("a request", () => {
  it("reaches the handler with method, URL, headers, address and body", async () => {
    const server = await serve(echo)
    const response = await fetch(`${server.url}/a/b?x=1&y=%20`, { method: "PATCH", headers: { "X-Thing": "a" }, body: "héllo" })
    const seen = await response.json()
    expect(seen).toMatchObject({
      method: "PATCH",
      url: `${server.url}/a/b?x=1&y=%20`,
      address: "127.0.0.1",
      target: "/a/b?x=1&y=%20",
      body: "héllo"
    })
    expect(seen.headers["x-thing"]).toBe("a")
  })

  it("keeps its path in the target where the URL loses dot segments, and never loses what follows a #", async () => {
    const server = await serve(echo)
    const client = raw(server).send("GET /a/../b#c\\d?q HTTP/1.1\r\nHost: h\r\n\r\n")
    const received = await client.until(complete("}"))
    expect(received).toContain(`"target":"/a/../b#c\\\\d?q"`)
    expect(received).toContain(`"url":"http://h/b%23c%5Cd?q"`)
  })

  it("is https when the listener is", async () => {
    const server = await serve(echo, { secure: true })
    expect((await (await fetch(`${server.url}/`)).json()).url).toMatch(/^https:/)
  })

  it("shows the client that the caller found behind a proxy", async () => {
    const server = await serve(echo, {
      client: (peer, headers) => ({ address: `${headers.get("x-forwarded-for")} by ${peer}`, secure: true, peer, trusted: true })
    })
    const seen = await (await fetch(`${server.url}/`, { headers: { "x-forwarded-for": "203.0.113.9" } })).json()
    expect(seen.address).toBe("203.0.113.9 by 127.0.0.1")
    expect(seen.url).toMatch(/^https:/)
  })

  it("keeps the bytes of header values that are not ASCII, both ways", async () => {
    const server = await serve((request) => ({ status: 200, headers: { "x-back": request.headers.get("x-thing") ?? "" }, body: "" }))
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\nX-Thing: a\xc3\xa9!\r\n\r\n")
    expect(await client.until(complete("\r\n\r\n"))).toContain("x-back: a\xc3\xa9!\r\n")
  })

  it("joins repeated headers", async () => {
    const server = await serve(echo)
    const received = await raw(server).send("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n").until(complete("}"))
    expect(received).toContain(`"x-a":"1, 2"`)
  })

  it("may be chunked, its body cut anywhere", async () => {
    const server = await serve(echo)
    const text = "5\r\nhello\r\n3\r\n, y\r\n2\r\nou\r\n0\r\n\r\n"
    const client = raw(server)
    client.socket.setNoDelay(true)
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    for (const byte of text) {
      await new Promise((resolve) => setImmediate(resolve))
      client.send(byte)
    }
    expect(await client.until(complete("}"))).toContain(`"body":"hello, you"`)
  })

  it("gets leave to send its body when it waits for that", async () => {
    const server = await serve(echo)
    const client = raw(server).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    expect(firstLine(await client.until(complete("\r\n\r\n")))).toBe("HTTP/1.1 100 Continue")
    expect(await client.send("hello").until(complete(`"body":"hello"`))).toContain("HTTP/1.1 200 OK")
  })

  const size = 48 * 1024 * 1024
  const large = { maxBody: size }

  /** Sends a body larger than all buffers, and waits until nothing moves any more: the server has stopped reading. */
  const sendUntilStalled = async (client: RawClient): Promise<void> => {
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`)
    client.socket.write(Buffer.alloc(size))
    await settled(() => client.socket.writableLength)
    expect(client.socket.writableLength).toBeGreaterThan(0)
  }

  it("is streamed to the handler no faster than that reads", async () => {
    const gate = makeGate()
    const server = await serve(async (request) => {
      await gate.opened
      let read = 0
      for await (const chunk of request.body ?? []) read += chunk.length
      return jsonAnswer(200, { read })
    }, large)
    const client = raw(server)
    await sendUntilStalled(client)
    gate.open()
    expect(await client.until(complete("}"))).toContain(`{"read":${size}}`)
  })

  // The end of a body may come with a read of the socket that has been paused before.
  it.each([600_000, 1_000_000, 3_000_000, 10_000_000])(
    "with a body of %i bytes that had to wait leaves the connection usable",
    async (length) => {
      const server = await serve(async (request) => {
        let read = 0
        for await (const chunk of request.body ?? []) {
          read += chunk.length
          if (read < 1_000_000) await new Promise((resolve) => setTimeout(resolve, 5))
        }
        return jsonAnswer(200, { read })
      }, large)
      const client = raw(server)
      client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`)
      client.socket.write(Buffer.alloc(length))
      expect(await client.until(complete("}"))).toContain(`{"read":${length}}`)
      client.received = ""
      expect(await client.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("}"))).toContain(`{"read":0}`)
    }
  )

  it("whose handler does not read its body leaves the connection usable", async () => {
    const gate = makeGate()
    const server = await serve(async () => {
      await gate.opened
      return jsonAnswer(200, { done: true })
    }, large)
    const client = raw(server)
    await sendUntilStalled(client)
    gate.open()
    await client.until(complete(`{"done":true}`))
    client.received = ""
    expect(await client.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n").until(complete(`{"done":true}`))).toContain("200 OK")
  })

  it("whose handler throws its body away is read to its end while that handler goes on", async () => {
    const gate = makeGate()
    const answer = makeGate()
    const server = await serve(async (request) => {
      await gate.opened
      await request.body?.cancel()
      await answer.opened
      return jsonAnswer(200, { done: true })
    }, large)
    const client = raw(server)
    await sendUntilStalled(client)
    gate.open()
    await eventually(() => client.socket.writableLength === 0)
    answer.open()
    await client.until(complete(`{"done":true}`))
  })
})

describe("a request that is refused", () => {
  const never: HttpHandler = () => {
    throw new Error("the handler must not see this")
  }

  it.each([
    ["two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400],
    ["a length that is no number", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3x\r\n\r\nabc", 400],
    ["a coding that is not served", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501],
    ["a host that makes no URL", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["a host with a path in it", "GET / HTTP/1.1\r\nHost: evil/x\r\n\r\n", 400],
    ["a host with a user in it", "GET / HTTP/1.1\r\nHost: me@evil\r\n\r\n", 400]
  ])("has %s: the connection closes", async (_, text, status) => {
    const server = await serve(never)
    const received = await raw(server).send(text).untilClosed()
    expect(firstLine(received)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(server.errors).toEqual([])
  })

  it("is a HEAD: what follows on its connection is not answered either", async () => {
    const server = await serve(never)
    const client = raw(server).send("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n")
    await client.until(complete("\r\n\r\n"))
    const received = await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").untilClosed()
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 400"])
  })

  it.each(["TRACE", "CONNECT"])("is a %s", async (method) => {
    const server = await serve(never)
    const received = await raw(server).send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`).until(complete("}"))
    expect(firstLine(received)).toBe("HTTP/1.1 501 Not Implemented")
    expect(server.errors).toEqual([])
  })

  it("announces too large a body", async () => {
    const server = await serve(never, { maxBody: 10 })
    const response = await fetch(server.url, { method: "POST", body: "12345678901" })
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({ code: "too_large", message: "the body is larger than 10 bytes" })
    expect(server.answers).toEqual([413])
  })

  it("announces too large a body, and the connection serves the next request after the discarded body", async () => {
    const server = await serve(() => jsonAnswer(200, { next: true }), { maxBody: 10 })
    const client = raw(server).send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n${"x".repeat(200_000)}`)
    await client.until(complete("413 "))
    expect(await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("next"))).toContain("200 OK")
  })

  it("announces too large a body and waits for leave: it gets none, and the connection closes", async () => {
    const server = await serve(never, { maxBody: 10 })
    const client = raw(server).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n")
    const received = await client.untilClosed()
    expect(received).toContain("413 ")
  })

  it("has a chunked body that grows too large: the handler's body fails and its signal aborts", async () => {
    let failed: unknown
    let aborted = false
    const server = await serve(
      async (request) => {
        request.signal.addEventListener("abort", () => (aborted = true))
        await request.text().catch((error: unknown) => (failed = error))
        return jsonAnswer(200, {})
      },
      { maxBody: 10 }
    )
    const client = raw(server).send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"
    )
    expect(firstLine(await client.until(complete("}")))).toBe("HTTP/1.1 413 Payload Too Large")
    await eventually(() => failed !== undefined && aborted)
    expect(server.answers).toEqual([413])
  })

  it("may have a body of just the limit, of announced length or chunked", async () => {
    const server = await serve(echo, { maxBody: 10 })
    expect((await (await fetch(server.url, { method: "POST", body: "1234567890" })).json()).body).toBe("1234567890")
    const chunked = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    expect(await raw(server).send(chunked("1234567890")).until(complete("}"))).toContain(`"body":"1234567890"`)
    expect(await raw(server).send(chunked("12345678901")).until(complete("}"))).toContain("413 ")
  })
})

describe("an answer", () => {
  it("that is there at once is sent with its length and headers", async () => {
    const server = await serve(() => jsonAnswer(201, { é: 1 }, { "x-a": "b" }))
    const response = await fetch(server.url)
    expect(response.status).toBe(201)
    expect(response.statusText).toBe("Created")
    expect(response.headers.get("x-a")).toBe("b")
    expect(response.headers.get("content-length")).toBe("8")
    expect(await response.json()).toEqual({ é: 1 })
  })

  it("to HEAD has the length of the body and no body", async () => {
    const long = "é".repeat(100_000)
    const server = await serve((request) => {
      if (request.url.endsWith("/answer")) return jsonAnswer(200, "abc")
      if (request.url.endsWith("/long")) return { status: 200, headers: {}, body: long }
      return new Response("abc", { headers: { "content-length": "3" } })
    })
    const client = raw(server)
    for (const [path, length] of [
      ["/answer", 5],
      ["/long", 200_000],
      ["/response", 3]
    ]) {
      client.received = ""
      client.send(`HEAD ${path} HTTP/1.1\r\nHost: h\r\n\r\n`)
      const received = await client.until(complete("\r\n\r\n"))
      expect(received.toLowerCase()).toContain(`content-length: ${length}\r\n`)
      expect(received.endsWith("\r\n\r\n")).toBe(true)
    }
  })

  it("to HEAD of a stream of unknown length has no length, and the stream is cancelled", async () => {
    let cancelled = false
    const server = await serve(() => new Response(new ReadableStream({ cancel: () => void (cancelled = true) })))
    const received = await raw(server).send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("\r\n\r\n"))
    expect(received.toLowerCase()).not.toContain("content-length")
    await eventually(() => cancelled)
  })

  it.each([204, 304])("of %i has no body and no length", async (status) => {
    const server = await serve(() => new Response(null, { status }))
    const received = await raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("\r\n\r\n"))
    expect(received).toContain(`HTTP/1.1 ${status} `)
    expect(received.toLowerCase()).not.toContain("content-length")
  })

  it("without a body has the length 0", async () => {
    const server = await serve(() => new Response(null, { status: 200 }))
    expect((await fetch(server.url)).headers.get("content-length")).toBe("0")
  })

  it("can not smuggle a header by a line break, and keeps hop-by-hop headers to itself", async () => {
    const server = await serve(() => ({
      status: 200,
      headers: { "x-a": "1\r\nx-evil: 2\u0000", connection: "x", "transfer-encoding": "gzip", upgrade: "h2c", "content-length": "99" },
      body: "body"
    }))
    const received = await raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("body"))
    expect(received).toContain("x-a: 1x-evil: 2\r\n")
    expect(received.toLowerCase()).not.toMatch(/connection:|transfer-encoding:|upgrade:|content-length: 99/)
  })

  it("says what to upgrade to", async () => {
    const server = await serve(() => errorAnswer("invalid_message", "a WebSocket", { status: 426, headers: { upgrade: "websocket" } }))
    const received = (await raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("}"))).toLowerCase()
    expect(received).toContain("upgrade: websocket\r\n")
    expect(received).toContain("connection: upgrade\r\n")
  })

  it("keeps every Set-Cookie", async () => {
    const server = await serve(() => {
      const headers = new Headers()
      headers.append("set-cookie", "a=1")
      headers.append("set-cookie", "b=2")
      return new Response("x", { headers })
    })
    expect((await fetch(server.url)).headers.getSetCookie()).toEqual(["a=1", "b=2"])
  })

  it("carries the request id of the client, or a new one if that is not sane", async () => {
    const server = await serve(echo)
    const given = await fetch(server.url, { headers: { "x-request-id": "abc-123" } })
    expect(given.headers.get("x-request-id")).toBe("abc-123")
    expect((await given.json()).requestId).toBe("abc-123")
    const bad = await fetch(server.url, { headers: { "x-request-id": "<script>" } })
    const fresh = bad.headers.get("x-request-id")
    expect(fresh).toMatch(/^[0-9a-f-]{36}$/)
    expect((await bad.json()).headers["x-request-id"]).toBe(fresh)
  })

  it("is 500 when the handler throws, rejects, or its body fails before the first byte", async () => {
    const failing = new ReadableStream({
      pull() {
        throw new Error("secret")
      }
    })
    const server = await serve((request) => {
      if (request.url.endsWith("/throws")) throw new Error("secret")
      if (request.url.endsWith("/rejects")) return Promise.reject(new Error("secret"))
      return new Response(failing)
    })
    for (const path of ["/throws", "/rejects", "/body"]) {
      const response = await fetch(server.url + path)
      expect(response.status).toBe(500)
      expect(await response.json()).toEqual({ code: "internal", message: "the server could not answer this request" })
    }
    expect(server.errors.map((error) => (error instanceof Error ? error.message : error))).toEqual(["secret", "secret", "secret"])
    expect(server.answers).toEqual([500, 500, 500])
  })
})

describe("a streamed answer", () => {
  const chunks = (count: number, size: number): ReadableStream<Uint8Array> => {
    let sent = 0
    return new ReadableStream({
      pull(controller) {
        if (sent === count) return controller.close()
        controller.enqueue(new Uint8Array(size).fill(sent++ & 0xff))
      }
    })
  }

  it.each([
    ["of unknown length", {}],
    ["of known length", { "content-length": String(5 * 1024 * 1024) }]
  ])("%s comes whole to a slow reader", async (_, headers) => {
    let pulled = 0
    const size = 64 * 1024
    const server = await serve(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              if (pulled === 80) return controller.close()
              controller.enqueue(new Uint8Array(size).fill(pulled++))
            }
          }),
          { headers }
        )
    )
    const client = raw(server)
    client.socket.pause()
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    await settled(() => pulled)
    client.socket.resume()
    const received = await client.untilClosed()
    const body = received.slice(received.indexOf("\r\n\r\n") + 4)
    expect(pulled).toBe(80)
    if ("content-length" in headers) {
      expect(body.length).toBe(5 * 1024 * 1024)
      for (let i = 0; i < 80; i++) expect(body.charCodeAt(i * size + 17)).toBe(i)
    } else expect(body.endsWith("\r\n0\r\n\r\n")).toBe(true)
  })

  it("stops its source when the reader does not read: memory stays bounded", async () => {
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(256 * 1024))
      }
    })
    const server = await serve(() => new Response(endless))
    const client = raw(server)
    client.socket.pause()
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await settled(() => pulled)
    expect(pulled * 256 * 1024).toBeLessThan(32 * 1024 * 1024)
  })

  it("of a long ready answer comes whole to a slow reader", async () => {
    const body = Buffer.alloc(5 * 1024 * 1024, 7)
    const server = await serve(() => ({ status: 200, headers: {}, body }))
    const client = raw(server)
    client.socket.pause()
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => server.answers.length === 1)
    client.socket.resume()
    const received = await client.until((text) => text.length > body.length && text.length - text.indexOf("\r\n\r\n") - 4 >= body.length)
    expect(received.length - received.indexOf("\r\n\r\n") - 4).toBe(body.length)
    client.received = ""
    // And the connection goes on.
    expect(await client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").until(complete("\r\n\r\n"))).toContain("200 OK")
  })

  it("sends each chunk when it is there", async () => {
    let next: ReadableStreamDefaultController<Uint8Array> | undefined
    const server = await serve(() => new Response(new ReadableStream({ start: (controller) => void (next = controller) })))
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => next !== undefined)
    next?.enqueue(Buffer.from("first"))
    expect(await client.until(complete("first"))).toContain("200 OK")
    next?.enqueue(Buffer.from("second"))
    await client.until(complete("second"))
    next?.close()
    expect((await client.until(complete("\r\n0\r\n\r\n"))).endsWith("0\r\n\r\n")).toBe(true)
  })

  it("is cut off when its source fails in the middle, and the failure is told", async () => {
    let next: ReadableStreamDefaultController<Uint8Array> | undefined
    const server = await serve(() => new Response(new ReadableStream({ start: (controller) => void (next = controller) })))
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => next !== undefined)
    next?.enqueue(Buffer.from("first"))
    await client.until(complete("first"))
    next?.error(new Error("source gone"))
    expect(await client.untilClosed()).not.toContain("\r\n0\r\n\r\n")
    expect(server.errors).toHaveLength(1)
    expect(server.answers).toEqual([200])
  })

  it.each([
    ["less", 300_000],
    ["more", 150_000]
  ])("is cut off when it has %s than its length says", async (_, length) => {
    const server = await serve(() => new Response(chunks(2, 100_000), { headers: { "content-length": String(length) } }))
    const received = await raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").untilClosed()
    expect(received.length - received.indexOf("\r\n\r\n") - 4).toBeLessThan(length)
    expect(server.errors).toHaveLength(1)
  })

  it("can go out while the request still comes in", async () => {
    const server = await serve((request) => new Response(request.body))
    const client = raw(server).send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n")
    await client.until(complete("ping"))
    client.send("4\r\npong\r\n0\r\n\r\n")
    expect((await client.until(complete("pong", "\r\n0\r\n\r\n"))).endsWith("0\r\n\r\n")).toBe(true)
  })
})

describe("a client that goes away", () => {
  it("before the answer aborts the signal, and nothing is written or told as a fault", async () => {
    let arrived = false
    let aborted = false
    const server = await serve(async (request) => {
      arrived = true
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve))
      aborted = true
      return jsonAnswer(200, {})
    })
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => arrived)
    client.socket.destroy()
    await eventually(() => aborted)
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.answers).toEqual([])
    expect(server.errors).toEqual([])
  })

  it("is no fault of the handler that fails because of it", async () => {
    let arrived = false
    let failed = false
    const server = await serve(async (request) => {
      arrived = true
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve))
      failed = true
      throw new Error("aborted")
    })
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => arrived)
    client.socket.destroy()
    await eventually(() => failed)
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.errors).toEqual([])
  })

  it("while a streamed answer has nothing to send cancels its source", async () => {
    let cancelled = false
    const server = await serve(
      () =>
        new Response(
          new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("first")), cancel: () => void (cancelled = true) })
        )
    )
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await client.until(complete("first"))
    client.socket.destroy()
    await eventually(() => cancelled)
    expect(server.errors).toEqual([])
  })

  it("before the answer cancels the body of a response that comes too late", async () => {
    let arrived = false
    let cancelled = false
    const server = await serve(async (request) => {
      arrived = true
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve))
      return new Response(new ReadableStream({ cancel: () => void (cancelled = true) }))
    })
    const client = raw(server).send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => arrived)
    client.socket.destroy()
    await eventually(() => cancelled)
    expect(server.errors).toEqual([])
  })

  it("in the middle of its body fails that body", async () => {
    let arrived = false
    let failure: unknown
    const server = await serve(async (request) => {
      arrived = true
      await request.text().catch((error: unknown) => (failure = error))
      return jsonAnswer(200, {})
    })
    const client = raw(server).send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
    await eventually(() => arrived)
    client.socket.destroy()
    await eventually(() => failure !== undefined)
    expect(server.answers).toEqual([])
  })

  it("in the middle of a streamed answer cancels its source", async () => {
    let cancelled = false
    let pulls = 0
    const server = await serve(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulls++
              controller.enqueue(new Uint8Array(100_000))
            },
            cancel: () => void (cancelled = true)
          })
        )
    )
    const client = raw(server)
    client.socket.pause()
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => pulls > 2)
    client.socket.destroy()
    await eventually(() => cancelled)
    expect(server.errors).toEqual([])
  })

  it("while a chunk of an answer of known length waits cancels its source", async () => {
    let cancelled = false
    let pulls = 0
    const server = await serve(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulls++
              controller.enqueue(new Uint8Array(1_000_000))
            },
            cancel: () => void (cancelled = true)
          }),
          { headers: { "content-length": "100000000" } }
        )
    )
    const client = raw(server)
    client.socket.pause()
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await eventually(() => pulls > 2)
    client.socket.destroy()
    await eventually(() => cancelled)
    expect(server.errors).toEqual([])
  })
})

describe("pipelined requests", () => {
  it("are answered in order by a handler that answers at once", async () => {
    const server = await serve((request) => jsonAnswer(200, new URL(request.url).pathname))
    const text = ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join("")
    const received = await raw(server).send(text).until(complete(`"/3"`))
    expect(received.match(/"\/\d"/g)).toEqual([`"/1"`, `"/2"`, `"/3"`])
  })

  it("lose their connection rather than mix when an answer has to wait", async () => {
    const server = await serve(async (request) => {
      await new Promise((resolve) => setImmediate(resolve))
      return jsonAnswer(200, new URL(request.url).pathname)
    })
    const received = await raw(server).send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n").untilClosed()
    expect(received).toBe("")
    expect(server.errors).toEqual([])
  })
})
