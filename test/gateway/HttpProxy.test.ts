import { createHash, randomBytes } from "node:crypto"
import { request as nodeRequest } from "node:http"
import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { bodyOf, closeAfterEach, echo, echoed, httpBackend, httpGateway, rawBackend, always } from "./httpGateway.ts"

closeAfterEach()

const digest = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex")

describe("a request", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "QUERY"])(
    "goes on with method, path, query, headers and body: %s",
    async (method) => {
      const backend = await httpBackend(echo)
      const gateway = await httpGateway([backend.url])
      const body = "h\xc3\xa9llo"
      const client = gateway.client()
      client.send(
        `${method} /a%20b//c?x=1&x=2&%41 HTTP/1.1\r\nHost: example.com\r\nX-Thing: caf\xe9\r\nX-Thing: 2\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      )
      const received = await client.until((text) => text.endsWith("}"))
      expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n/)
      const seen = echoed(received)
      expect(seen).toMatchObject({ method, url: "/a%20b//c?x=1&x=2&%41", body })
      expect(seen.headers).toMatchObject({ host: "example.com", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "example.com" })
      expect(seen.headers["content-length"]).toBe(String(body.length))
      await eventually(() => gateway.busy() === 0)
    }
  )

  it("goes on below the target's own path, and without what stands before the star", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([`${backend.url}/base`], { path: "/app/*", strip_prefix: true })
    expect((await (await fetch(`${gateway.url}/app/x?y`)).json()).url).toBe("/base/x?y")
    expect((await (await fetch(`${gateway.url}/app/`)).json()).url).toBe("/base/")
  })

  it("goes on chunked if it came so, of any length", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send("5\r\nhello\r\n").send("3\r\n, y\r\n").send("2\r\nou\r\n0\r\n\r\n")
    const seen = echoed(await client.until((text) => text.endsWith("}")))
    expect(seen.body).toBe("hello, you")
    expect(seen.headers["transfer-encoding"]).toBe("chunked")
    expect(seen.headers["content-length"]).toBeUndefined()
  })

  it("carries the user that was found here, whatever the client says, and not its token", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url], { user: "ann" })
    const headers = { "x-user-id": "root", x_user_id: "root", authorization: "Bearer T", "x-weft-resumed": "1" }
    const seen = await (await fetch(`${gateway.url}/?user_id=root&a=1&token=T&user%5Fid=root`, { headers })).json()
    expect(seen.headers["x-user-id"]).toBe("ann")
    expect(seen.url).toBe("/?a=1&user_id=ann")
    expect(JSON.stringify(seen)).not.toContain("root")
    for (const name of ["authorization", "x-weft-resumed"]) expect(seen.headers).not.toHaveProperty(name)
  })

  it("is told of the client as trusted proxies tell it", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url], { trustedProxies: ["127.0.0.1"] })
    const headers = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" }
    const seen = await (await fetch(gateway.url, { headers })).json()
    expect(seen.headers).toMatchObject({
      "x-forwarded-for": "203.0.113.9, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example",
      forwarded: "for=203.0.113.9, for=127.0.0.1;host=shop.example;proto=https"
    })
  })

  it("keeps its id and its trace, which the answer shows too", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url])
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const response = await fetch(gateway.url, { headers: { "x-request-id": "abc", traceparent } })
    expect(response.headers.get("x-request-id")).toBe("abc")
    expect((await response.json()).headers).toMatchObject({ "x-request-id": "abc", traceparent })
  })

  it("may wait for leave to send its body", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    expect(await client.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 100 Continue\r\n/)
    const seen = echoed((await client.send("hello").until((text) => text.endsWith("}"))).replace(/^.*?\r\n\r\n/s, ""))
    expect(seen.body).toBe("hello")
    expect(seen.headers).not.toHaveProperty("expect")
  })

  it("may hold a large body, which is streamed at the backend's pace", async () => {
    const size = 30_000_000
    let read = 0
    let go = (): void => undefined
    const hash = createHash("sha256")
    const backend = await httpBackend((request, response) => {
      go = () => {
        request.on("data", (piece: Buffer) => {
          read += piece.length
          hash.update(piece)
        })
        request.on("end", () => response.end("done"))
      }
    })
    const gateway = await httpGateway([backend.url])
    const body = randomBytes(size)
    const client = gateway.client().send(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`)
    client.socket.write(body)
    const before = process.memoryUsage().rss
    let still = 0
    let left = -1
    await eventually(() => {
      still = client.socket.writableLength === left && left > 0 ? still + 1 : 0
      left = client.socket.writableLength
      return still > 10 && backend.requests.length === 1
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(size)
    go()
    await client.until((text) => text.endsWith("done"))
    expect(read).toBe(size)
    expect(hash.digest("hex")).toBe(digest(body))
  })

  it("over the limit of its route is 413, and its backend gets no whole body", async () => {
    let ended = false
    let closed = false
    const backend = await httpBackend((request) => {
      request.on("data", () => undefined)
      request.on("end", () => (ended = true))
      request.on("close", () => (closed = true))
    })
    const gateway = await httpGateway([backend.url], { max_body: 10 })
    const announced = await fetch(gateway.url, { method: "POST", body: "12345678901" })
    expect(announced.status).toBe(413)
    expect(await announced.json()).toMatchObject({ code: "too_large" })
    expect(backend.requests).toHaveLength(0)
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n")
    await eventually(() => backend.requests.length === 1)
    const received = await client.send("6\r\nabcdef\r\n0\r\n\r\n").until((text) => text.endsWith("}"))
    expect(received).toMatch(/^HTTP\/1.1 413 /)
    await eventually(() => closed && gateway.busy() === 0)
    expect(ended).toBe(false)
    expect(gateway.troubles).toEqual([])
  })
})

describe("an answer", () => {
  it("comes back with status, headers and body as they are; every cookie keeps its line", async () => {
    const backend = await httpBackend((_, response) => {
      response.writeHead(418, [
        ["Content-Type", "text/x"],
        ["Set-Cookie", "a=1; Path=/"],
        ["Set-Cookie", "b=2, x"],
        ["X-Caf\u00e9".replace("\u00e9", "e"), "caf\u00e9"],
        ["Connection", "X-Hop, keep-alive"],
        ["X-Hop", "1"],
        ["Location", "/elsewhere"]
      ])
      response.end("short and stout")
    })
    const gateway = await httpGateway([backend.url], { sticky_sessions: { by: "cookie", cookie: "weft_backend", ttl: 60 } })
    const response = await fetch(gateway.url, { redirect: "manual" })
    expect(response.status).toBe(418)
    expect(await response.text()).toBe("short and stout")
    const [first, second, sticky, ...others] = response.headers.getSetCookie()
    expect([first, second, others]).toEqual(["a=1; Path=/", "b=2, x", []])
    expect(sticky).toMatch(/^weft_backend=[^;]+; .*HttpOnly/)
    expect(response.headers.get("x-cafe")).toBe("caf\u00e9")
    expect(response.headers.get("location")).toBe("/elsewhere")
    for (const name of ["x-hop", "keep-alive"]) expect(response.headers.has(name)).toBe(false)
  })

  it("is not a redirect that is followed, nor an encoding that is undone", async () => {
    const backend = await httpBackend((request, response) => {
      if (request.url === "/zip")
        response.writeHead(200, { "content-encoding": "gzip", "content-length": 4 }).end("\x1f\x8b\x00\x01", "latin1")
      else response.writeHead(302, { location: "/zip" }).end()
    })
    const gateway = await httpGateway([backend.url])
    expect((await fetch(gateway.url, { redirect: "manual" })).status).toBe(302)
    const client = gateway.client().send("GET /zip HTTP/1.1\r\nHost: h\r\n\r\n")
    const received = await client.until((text) => text.endsWith("\x00\x01"))
    expect(received.toLowerCase()).toContain("content-encoding: gzip")
    expect(bodyOf(received)).toBe("\x1f\x8b\x00\x01")
  })

  it("to HEAD has the length and no body; 204 and 304 have neither", async () => {
    const backend = await httpBackend((request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { "content-length": 1234, etag: "x" }).end()
      else response.writeHead(request.url === "/204" ? 204 : 304, { etag: "x" }).end()
    })
    const gateway = await httpGateway([backend.url])
    const client = gateway.client()
    for (const [line, length] of [
      ["HEAD /", true],
      ["GET /204", false],
      ["GET /304", false]
    ] as const) {
      client.received = ""
      const received = (await client.send(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`).until((text) => text.endsWith("\r\n\r\n"))).toLowerCase()
      expect(received.includes("content-length: 1234")).toBe(length)
      expect(received).toContain("etag: x")
    }
    await eventually(() => gateway.busy() === 0)
  })

  it("shows nothing of interim answers", async () => {
    const backend = await httpBackend((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" })
      response.writeProcessing()
      response.end("done")
    })
    const gateway = await httpGateway([backend.url])
    const response = await fetch(gateway.url)
    expect([response.status, await response.text()]).toEqual([200, "done"])
  })

  it("may have trailers, which stay here", async () => {
    const backend = await rawBackend(
      always("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n")
    )
    const gateway = await httpGateway([backend.url])
    for (let i = 0; i < 3; i++) {
      const response = await fetch(gateway.url)
      expect([await response.text(), response.headers.has("trailer")]).toEqual(["body", false])
    }
    expect(gateway.troubles).toEqual([])
  })

  it("to be upgraded to something else says to what", async () => {
    const backend = await httpBackend((_, response) => response.writeHead(426, { connection: "Upgrade", upgrade: "websocket" }).end())
    const gateway = await httpGateway([backend.url])
    const response = await new Promise<{ status: number | undefined; upgrade: string | undefined }>((resolve) =>
      nodeRequest(gateway.url, (message) => {
        message.resume()
        resolve({ status: message.statusCode, upgrade: message.headers.upgrade })
      }).end()
    )
    expect(response).toEqual({ status: 426, upgrade: "websocket" })
  })

  it("of known length shows its head before its body is there", async () => {
    let finish = (): void => undefined
    const backend = await httpBackend((_, response) => {
      response.writeHead(200, { "content-length": 4 })
      response.flushHeaders()
      finish = () => response.end("body")
    })
    const gateway = await httpGateway([backend.url])
    const response = await fetch(gateway.url)
    expect(response.headers.get("content-length")).toBe("4")
    finish()
    expect(await response.text()).toBe("body")
  })

  it("that streams events shows its head at once, and each event when it comes", async () => {
    let events: Parameters<Parameters<typeof httpBackend>[0]>[1] | undefined
    const backend = await httpBackend((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" })
      response.flushHeaders()
      events = response
    })
    const gateway = await httpGateway([backend.url])
    const response = await fetch(gateway.url)
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader?.read())?.value ?? ""
    for (const number of ["1", "2", "3"]) {
      events?.write(`data: ${number}\n\n`)
      while (!text.includes(number)) text += (await reader?.read())?.value ?? ""
    }
    expect(text).toBe(":\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n")
    events?.end()
    expect((await reader?.read())?.done).toBe(true)
  })

  it("that is long comes whole, at the client's pace", async () => {
    const piece = randomBytes(1_000_000)
    let written = 0
    const backend = await httpBackend((request, response) => {
      if (request.url === "/known") response.setHeader("content-length", 60 * piece.length)
      const more = (): void => {
        while (written < 60) {
          written++
          if (!response.write(piece)) return void response.once("drain", more)
        }
        response.end()
      }
      more()
    })
    const gateway = await httpGateway([backend.url])
    for (const path of ["/known", "/chunked"]) {
      written = 0
      const response = await fetch(gateway.url + path)
      let still = 0
      let last = -1
      await eventually(() => {
        still = written === last && written > 0 ? still + 1 : 0
        last = written
        return still > 10
      })
      expect(written).toBeLessThan(60)
      const hash = createHash("sha256")
      for await (const chunk of response.body ?? []) hash.update(chunk)
      const expected = createHash("sha256")
      for (let i = 0; i < 60; i++) expected.update(piece)
      expect(hash.digest("hex")).toBe(expected.digest("hex"))
    }
  })

  it("may begin while the request still comes in", async () => {
    const backend = await httpBackend((request, response) => request.pipe(response))
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n")
    await client.until((text) => text.includes("ping"))
    await client.send("4\r\npong\r\n0\r\n\r\n").until((text) => text.includes("pong") && text.endsWith("0\r\n\r\n"))
  })

  it("may be over before the request is, and the connection goes on", async () => {
    const backend = await httpBackend((request, response) => {
      if (request.method === "POST") response.writeHead(401, { connection: "close" }).end("no")
      else response.end("yes")
    })
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")
    expect(await client.until((text) => text.endsWith("no"))).toMatch(/^HTTP\/1.1 401 /)
    client.received = ""
    expect(await client.send("67890GET / HTTP/1.1\r\nHost: h\r\n\r\n").until((text) => text.endsWith("yes"))).toMatch(/^HTTP\/1.1 200 /)
  })

  it("may end with its connection, if it has no length", async () => {
    const backend = await rawBackend(always("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall there is", true))
    const gateway = await httpGateway([backend.url])
    expect(await (await fetch(gateway.url)).text()).toBe("all there is")
  })
})

describe("connections to a backend", () => {
  it("are used again, one request at a time on each", async () => {
    const waiting: Array<() => void> = []
    const backend = await httpBackend((_, response) => void waiting.push(() => response.end("x")))
    const gateway = await httpGateway([backend.url])
    const round = async (count: number): Promise<void> => {
      const answers = Array.from({ length: count }, () => fetch(gateway.url).then((response) => response.text()))
      await eventually(() => waiting.length === count)
      expect(gateway.busy()).toBe(count)
      for (const answer of waiting.splice(0)) answer()
      await Promise.all(answers)
      await eventually(() => gateway.busy() === 0)
    }
    await round(5)
    await round(5)
    await round(3)
    expect(backend.connections()).toBe(5)
    expect(gateway.target(0).http.latency).toMatchObject({ count: 13 })
  })

  it("are so many at most: then other targets are asked, and when there is none it is 503", async () => {
    const waiting: Array<() => void> = []
    const backends = await Promise.all(["a", "b"].map((name) => httpBackend((_, response) => void waiting.push(() => response.end(name)))))
    const gateway = await httpGateway(
      backends.map(({ url }) => url),
      { connections: 2 }
    )
    const answers = Array.from({ length: 4 }, () => fetch(gateway.url).then((response) => response.text()))
    await eventually(() => waiting.length === 4)
    expect(backends.map(({ requests }) => requests.length)).toEqual([2, 2])
    const refused = await fetch(gateway.url)
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"])
    for (const answer of waiting.splice(0)) answer()
    expect((await Promise.all(answers)).toSorted()).toEqual(["a", "a", "b", "b"])
    const free = fetch(gateway.url)
    await eventually(() => waiting.length === 1)
    waiting[0]?.()
    expect((await free).status).toBe(200)
  })

  it("are cut for a request whose client has gone: before its answer, or in the middle", async () => {
    let closed = 0
    const backend = await httpBackend((request, response) => {
      response.on("close", () => closed++)
      if (request.url === "/middle") response.write("begun")
    })
    const gateway = await httpGateway([backend.url])
    const before = gateway.client().send("GET /before HTTP/1.1\r\nHost: h\r\n\r\n")
    const middle = gateway.client().send("GET /middle HTTP/1.1\r\nHost: h\r\n\r\n")
    const upload = gateway.client().send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
    await middle.until((text) => text.includes("begun"))
    await eventually(() => backend.requests.length === 3)
    for (const client of [before, middle, upload]) client.socket.destroy()
    await eventually(() => closed === 3 && gateway.busy() === 0)
    expect(gateway.troubles).toEqual([])
    expect(gateway.errors).toEqual([])
    expect(gateway.answers).toEqual([200])
  })
})

describe("the targets of a route", () => {
  it("take their turns, and a client that sticks to one stays there", async () => {
    const backends = await Promise.all(["a", "b", "c"].map((name) => httpBackend((_, response) => response.end(name))))
    const urls = backends.map(({ url }) => url)
    const turns = await httpGateway(urls)
    const seen: Array<string> = []
    for (let i = 0; i < 6; i++) seen.push(await (await fetch(turns.url)).text())
    expect(seen.toSorted()).toEqual(["a", "a", "b", "b", "c", "c"])
    const sticky = await httpGateway(urls, { sticky_sessions: { by: "cookie", cookie: "stick", ttl: 60 } })
    const first = await fetch(sticky.url)
    const name = await first.text()
    const cookie = first.headers.getSetCookie()[0]?.split(";", 1)[0] ?? ""
    for (let i = 0; i < 5; i++) {
      const again = await fetch(sticky.url, { headers: { cookie } })
      expect(await again.text()).toBe(name)
      expect(again.headers.getSetCookie()).toEqual([])
    }
  })
})
