import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { circuitBreaker } from "./proxyRoute.ts"
import { always, bodyOf, closeAfterEach, echo, httpBackend, httpGateway, rawBackend, tlsBackend } from "./httpGateway.ts"

closeAfterEach()

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

const unused = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`

/** Statuses and codes of a `{code, message}` answer; the message must not tell of the inside. */
const refusal = async (response: Response): Promise<{ readonly status: number; readonly code: string }> => {
  const { code, message } = await response.json()
  expect(message).not.toMatch(/127|localhost|ECONN|invalid\.|certificate/)
  return { status: response.status, code }
}

describe("a backend that can not be reached", () => {
  it("is 502, and told", async () => {
    const gateway = await httpGateway([await unused()])
    expect(await refusal(await fetch(gateway.url, { headers: { "x-request-id": "r-1" } }))).toEqual({ status: 502, code: "unavailable" })
    expect(gateway.troubles).toMatchObject([
      { type: "connect", message: "connection refused", requestId: "r-1", method: "GET", repeated: false }
    ])
    expect(gateway.target(0).http.errors.connect).toBe(1)
    expect(gateway.busy()).toBe(0)
  })

  it("gives its requests to another one, whatever they are, and after three there is none", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([await unused(), backend.url])
    for (let i = 0; i < 4; i++) {
      const body = "x".repeat(200_000)
      const response = await fetch(gateway.url, { method: "POST", body })
      expect(response.status).toBe(200)
      expect((await response.json()).body).toBe(body)
    }
    expect(gateway.troubles.length).toBeGreaterThan(0)
    expect(gateway.troubles.every(({ repeated }) => repeated)).toBe(true)
    const third = await httpGateway([await unused(), await unused(), backend.url])
    for (const method of ["GET", "POST", "PATCH", "DELETE"])
      for (let i = 0; i < 3; i++) {
        const body = method === "GET" ? "" : "x".repeat(200_000)
        const response = await fetch(third.url, { method, ...(body === "" ? {} : { body }) })
        expect([response.status, (await response.json()).body]).toEqual([200, body])
      }
    expect(third.troubles.every(({ repeated }) => repeated)).toBe(true)
    const none = await httpGateway([await unused(), await unused(), await unused(), backend.url])
    expect((await fetch(none.url)).status).toBe(502)
    expect(none.troubles.map(({ repeated }) => repeated)).toEqual([true, true, false])
    expect(none.busy()).toBe(0)
  })

  it("is 502 if its name does not resolve", async () => {
    const gateway = await httpGateway(["http://nobody.invalid:80"])
    expect(await refusal(await fetch(gateway.url))).toEqual({ status: 502, code: "unavailable" })
    expect(gateway.troubles).toMatchObject([{ type: "dns" }])
  })

  it("is 502 if its certificate does not verify, whatever Host says", async () => {
    const backend = await tlsBackend(echo)
    const gateway = await httpGateway([backend.url])
    expect(await refusal(await fetch(gateway.url))).toEqual({ status: 502, code: "unavailable" })
    expect(gateway.troubles).toMatchObject([{ type: "tls" }])
    expect(backend.requests).toEqual([])
  })

  it("is 502 if it does not speak TLS, and if it speaks nothing else", async () => {
    const plain = await httpBackend(echo)
    const gateway = await httpGateway([plain.url.replace("http:", "https:")])
    expect((await fetch(gateway.url)).status).toBe(502)
    expect(gateway.troubles).toMatchObject([{ type: "tls" }])
    const tls = await tlsBackend(echo)
    const other = await httpGateway([tls.url.replace("https:", "http:")])
    expect((await fetch(other.url)).status).toBe(502)
  })

  it("is 504 if it takes too long", async () => {
    // TEST-NET-1: nobody is there to answer, or to refuse.
    const gateway = await httpGateway(["http://192.0.2.1:81"], { connect_timeout: 1 })
    const { code, status } = await refusal(await fetch(gateway.url))
    expect([
      [504, "timeout"],
      [502, "unavailable"]
    ]).toContainEqual([status, code])
    expect(gateway.busy()).toBe(0)
  })
})

describe("no target", () => {
  it("is 503 with the time to try again", async () => {
    const gateway = await httpGateway([await unused()], { circuit_breaker: { ...circuitBreaker, failures: 1, open: 20 } })
    expect((await fetch(gateway.url)).status).toBe(502)
    const response = await fetch(gateway.url)
    expect(response.headers.get("retry-after")).toBe("20")
    expect(await refusal(response)).toEqual({ status: 503, code: "unavailable" })
    expect(gateway.pool.unavailable).toBe(1)
  })
})

describe("a backend that answers", () => {
  it.each([
    ["garbage", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"],
    ["a header that is none", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "protocol"],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", "protocol"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "protocol"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nab", "protocol"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "protocol"],
    ["another transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "protocol"],
    ["a coding that hides chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "protocol"],
    ["another protocol unasked", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "protocol"],
    ["a word that nobody asked for", `HTTP/1.1 100 Continue\r\n\r\n${ok}`, "protocol"],
    ["a status below all", "HTTP/1.1 099 What\r\nContent-Length: 2\r\n\r\nok", "protocol"],
    ["a head of 40 KB", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(40_000)}\r\n\r\n`, "protocol"],
    ["a head without an end", "HTTP/1.1 200 OK\r\n" + "X: a\r\n".repeat(20_000), "protocol"]
  ])("%s is 502", async (_, answer, type) => {
    const backend = await rawBackend((socket) => void socket.write(answer, "latin1"))
    const gateway = await httpGateway([backend.url])
    expect(await refusal(await fetch(gateway.url))).toEqual({ status: 502, code: "unavailable" })
    expect(gateway.troubles).toMatchObject([{ type }])
    expect(gateway.troubles).toHaveLength(1)
    await eventually(() => gateway.busy() === 0 && backend.sockets.every((socket) => socket.destroyed))
  })

  it("other words first is heard all the same", async () => {
    const backend = await rawBackend(always(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok}`))
    const gateway = await httpGateway([backend.url])
    for (let i = 0; i < 2; i++) {
      const response = await fetch(gateway.url)
      expect([response.status, response.headers.get("link"), await response.text()]).toEqual([200, null, "ok"])
    }
    expect(gateway.troubles).toEqual([])
  })

  it("nothing is 504", async () => {
    const backend = await rawBackend(() => undefined)
    const gateway = await httpGateway([backend.url], { timeout: 1 })
    expect(await refusal(await fetch(gateway.url))).toEqual({ status: 504, code: "timeout" })
    expect(gateway.troubles).toMatchObject([{ type: "timeout", repeated: false }])
    expect(backend.received).toHaveLength(1)
    await eventually(() => gateway.busy() === 0)
  })

  it("more than it said cuts its own connection, not what came before", async () => {
    const backend = await rawBackend(always(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`))
    const gateway = await httpGateway([backend.url])
    for (let i = 0; i < 5; i++) {
      const response = await fetch(gateway.url)
      expect([response.status, await response.text()]).toEqual([200, "ok"])
    }
  })

  it.each([502, 503, 504])("%i is passed on, and counts against it", async (status) => {
    const backend = await httpBackend((_, response) => response.writeHead(status, { "retry-after": "7" }).end("own words"))
    const gateway = await httpGateway([backend.url], { circuit_breaker: { ...circuitBreaker, failures: 2 } })
    for (let i = 0; i < 2; i++) {
      const response = await fetch(gateway.url)
      expect([response.status, response.headers.get("retry-after"), await response.text()]).toEqual([status, "7", "own words"])
    }
    expect(gateway.target(0).circuit).toBe("open")
    expect(gateway.target(0).http.errors.refused).toBe(2)
  })

  it.each([400, 404, 500])("%i is passed on, and is its good right", async (status) => {
    const backend = await httpBackend((_, response) => response.writeHead(status).end())
    const gateway = await httpGateway([backend.url], { circuit_breaker: { ...circuitBreaker, failures: 2 } })
    for (let i = 0; i < 3; i++) expect((await fetch(gateway.url)).status).toBe(status)
    expect(gateway.target(0).circuit).toBe("closed")
  })
})

describe("a backend that breaks off", () => {
  const half = (head: string) => (socket: Socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${head}`, "latin1")
    setImmediate(() => socket.destroy())
  }

  it.each([
    ["of known length", "Content-Length: 10\r\n\r\nhalf"],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    ["in chunks, in the middle of one", "Transfer-Encoding: chunked\r\n\r\n10\r\nhalf"],
    ["with a chunk that is none", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"],
    ["of known length, large", `Content-Length: 10000000\r\n\r\n${"x".repeat(300_000)}`]
  ])("an answer %s cuts the client's connection", async (_, head) => {
    const backend = await rawBackend(half(head))
    const gateway = await httpGateway([backend.url])
    const received = await gateway.client().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").untilClosed()
    // Either nothing was sent yet, and it could be said, or it is visibly not whole.
    if (received.startsWith("HTTP/1.1 502 ")) expect(bodyOf(received)).toContain("unavailable")
    else expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(gateway.troubles).toMatchObject([{ repeated: false }])
    await eventually(() => gateway.busy() === 0)
  })

  it("an answer at any byte never gives the client one that looks whole", async () => {
    const body = "0123456789"
    const answers = [
      `HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n${body}`,
      `HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n`
    ]
    for (const answer of answers) {
      let cut = 0
      const backend = await rawBackend((socket, received) => {
        if (received.endsWith("\r\n\r\n")) socket.end(answer.slice(0, cut), "latin1")
      })
      const gateway = await httpGateway([backend.url])
      for (cut = 0; cut < answer.length; cut++) {
        const response = await fetch(gateway.url, { method: "POST" }).catch(() => undefined)
        const text = await response?.text().catch(() => undefined)
        if (response?.status === 502) continue
        expect([cut, text]).toEqual([cut, undefined])
      }
      const whole = await fetch(gateway.url)
      expect(await whole.text()).toBe(body)
      await eventually(() => gateway.busy() === 0)
    }
  })

  it("an answer that has begun for good is cut off, not completed", async () => {
    let socket: Socket | undefined
    const backend = await rawBackend((given) => {
      socket = given
      given.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    })
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await client.until((text) => text.includes("half"))
    socket?.destroy()
    expect((await client.untilClosed()).endsWith("4\r\nhalf")).toBe(true)
    expect(gateway.troubles).toMatchObject([{ type: "lost", message: "the backend broke off its answer" }])
    expect(gateway.target(0).http.errors.lost).toBe(1)
  })

  it("an answer that does not go on in time is cut off", async () => {
    const backend = await rawBackend((socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    const gateway = await httpGateway([backend.url], { timeout: 1 })
    const received = await gateway.client().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").untilClosed()
    expect(bodyOf(received)).toBe("half")
    expect(gateway.troubles).toMatchObject([{ type: "timeout" }])
  })
})

describe("a request that is lost before a byte of its answer", () => {
  /** Closes without a word while `down` says so. */
  const fickle = (down: (received: string) => boolean) =>
    rawBackend((socket, received) => {
      if (!received.endsWith("\r\n\r\n") && !received.endsWith("body")) return
      if (down(received)) socket.destroy()
      else socket.write(ok)
    })

  it.each(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])("goes to another target if it may arrive twice: %s", async (method) => {
    const dead = await fickle(() => true)
    const alive = await fickle(() => false)
    const gateway = await httpGateway([dead.url, alive.url])
    for (let i = 0; i < 4; i++) expect((await fetch(gateway.url, { method })).status).toBe(200)
    expect(gateway.troubles.length).toBeGreaterThan(0)
    expect(gateway.troubles.every(({ repeated, type }) => repeated && type === "lost")).toBe(true)
  })

  it.each([
    ["POST", undefined],
    ["PATCH", undefined],
    ["PUT", "body"],
    ["POST", "body"]
  ])("does not if it may not, or had a body: %s %s", async (method, body) => {
    const dead = await fickle(() => true)
    const gateway = await httpGateway([dead.url, dead.url.replace("127.0.0.1", "localhost")])
    expect((await fetch(gateway.url, { method, ...(body === undefined ? {} : { body }) })).status).toBe(502)
    expect(gateway.troubles).toMatchObject([{ type: "lost", repeated: false }])
    expect(dead.received).toHaveLength(1)
  })

  it("goes on after one that is not there, and once all the same", async () => {
    const alive = await fickle(() => false)
    const lost = await fickle(() => true)
    const gateway = await httpGateway([await unused(), lost.url, alive.url])
    expect((await fetch(gateway.url)).status).toBe(200)
    expect(gateway.troubles.map(({ repeated, type }) => [type, repeated])).toEqual([
      ["connect", true],
      ["lost", true]
    ])
    const twice = await httpGateway([lost.url, await unused(), (await fickle(() => true)).url])
    expect((await fetch(twice.url)).status).toBe(502)
    expect(twice.troubles.map(({ repeated }) => repeated)).toEqual([true, true, false])
  })

  it("goes to no third one", async () => {
    const dead = await Promise.all([1, 2, 3].map(() => fickle(() => true)))
    const gateway = await httpGateway(dead.map(({ url }) => url))
    expect((await fetch(gateway.url)).status).toBe(502)
    expect(dead.flatMap(({ received }) => received)).toHaveLength(2)
  })

  it("by a connection that was closed for its age goes out again, to the same target if there is no other", async () => {
    let requests = 0
    // It answers once on each connection, and closes when it is asked again, as if that had crossed on the way.
    const backend = await rawBackend((socket, received) => {
      requests++
      if (received.split("GET").length === 2) socket.write(ok)
      else socket.destroy()
    })
    const gateway = await httpGateway([backend.url], { circuit_breaker: { ...circuitBreaker, failures: 1 } })
    for (let i = 0; i < 4; i++) expect((await fetch(gateway.url)).status).toBe(200)
    expect(requests).toBeGreaterThan(4)
    expect(gateway.troubles).toEqual([])
    expect(gateway.target(0).circuit).toBe("closed")
  })
})
