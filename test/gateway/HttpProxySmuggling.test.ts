import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { closeAfterEach, echo, echoed, httpBackend, httpGateway, rawBackend, tlsBackend } from "./httpGateway.ts"

closeAfterEach()

const post = (headers: string, body = "hello"): string => `POST /evil HTTP/1.1\r\nHost: h\r\n${headers}\r\n\r\n${body}`

const refused: ReadonlyArray<readonly [what: string, text: string]> = [
  ["both lengths", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n")],
  [
    "both lengths, the other way",
    post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n")
  ],
  ["two lengths", post("Content-Length: 5\r\nContent-Length: 6", "hello!")],
  ["two lengths in one line", post("Content-Length: 5, 6")],
  ["a length with a sign", post("Content-Length: +5")],
  ["a hexadecimal length", post("Content-Length: 0x5")],
  ["a negative length", post("Content-Length: -5")],
  ["an empty length", post("Content-Length: ")],
  ["a huge length", post("Content-Length: 99999999999999999999")],
  ["a coding beside chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")],
  ["a coding behind chunked", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")],
  ["a coding that begins like chunked", post("Transfer-Encoding: chunkedx", "0\r\n\r\n")],
  ["a coding that ends like chunked", post("Transfer-Encoding: xchunked", "0\r\n\r\n")],
  ["chunked behind a tab", post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n")],
  ["chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")],
  ["no chunked at all", post("Transfer-Encoding: identity")],
  ["a folded header", post("X-A: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 5")],
  ["a space before the colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")],
  ["a space before the colon of a length", post("Content-Length : 5")],
  ["a name that is none", post("X A: 1\r\nContent-Length: 5")],
  ["a header without a colon", post("X-A\r\nContent-Length: 5")],
  ["a NUL in a value", post("X-A: 1\x00\r\nContent-Length: 5")],
  ["a bare line feed in a value", post("X-A: 1\nX-B: 2\r\nContent-Length: 5")],
  ["a bare carriage return in a value", post("X-A: 1\rX-B: 2\r\nContent-Length: 5")],
  ["a chunk size that is none", post("Transfer-Encoding: chunked", "5x\r\nhello\r\n0\r\n\r\n")],
  ["a chunk size with a sign", post("Transfer-Encoding: chunked", "+5\r\nhello\r\n0\r\n\r\n")],
  ["a chunk size beyond all bounds", post("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n")],
  ["two hosts", "GET /evil HTTP/1.1\r\nHost: h\r\nHost: other\r\n\r\n"],
  ["no host", "GET /evil HTTP/1.1\r\nX-A: 1\r\n\r\n"],
  ["a host that is none", "GET /evil HTTP/1.1\r\nHost: h/evil?\r\n\r\n"],
  ["a space in its target", "GET /evil HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a control character in its target", "GET /evil\x01 HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["an absolute target", "GET http://h/evil HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a method that is none", "GE(T /evil HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["TRACE", "TRACE /evil HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["TRACK", "TRACK /evil HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["CONNECT", "CONNECT /evil HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["HTTP/1.0", "GET /evil HTTP/1.0\r\nHost: h\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["100 KB of headers", `GET /evil HTTP/1.1\r\nHost: h\r\nX-A: ${"a".repeat(100_000)}\r\n\r\n`],
  ["10,000 headers", `GET /evil HTTP/1.1\r\nHost: h\r\n${"a: b\r\n".repeat(10_000)}\r\n`]
]

describe("a request", () => {
  it.each(refused)("with %s reaches no backend", async (_, text) => {
    const backend = await rawBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    })
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send(text)
    // What comes behind on the same connection, and what comes on another.
    client.send("GET /behind HTTP/1.1\r\nHost: h\r\n\r\n")
    const good = gateway.client().send("GET /good HTTP/1.1\r\nHost: h\r\n\r\n")
    await good.until((received) => received.endsWith("ok"))
    expect(client.received).toMatch(/^(?:HTTP\/1.1 (?:400|414|431|501|505) |$)/)
    // A body that turns out to be malformed later may have begun by then: it never ends.
    for (const received of backend.received) expect(received).not.toMatch(/evil[^]*\r\n0\r\n\r\n|^GET \/(?:evil|behind)|hello/)
  })

  it("whose body looks like a request is one request", async () => {
    const inner = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n"
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url])
    for (const [framing, body] of [
      [`Content-Length: ${inner.length}`, inner],
      ["Transfer-Encoding: chunked", `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`]
    ] as const) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const client = gateway.client().send(`${method} /a HTTP/1.1\r\nHost: h\r\n${framing}\r\n\r\n${body}`)
        expect(echoed(await client.until((text) => text.endsWith("}")))).toMatchObject({ method, url: "/a", body: inner })
      }
    }
    expect(backend.requests.map(({ url }) => url)).not.toContain("/evil")
  })

  it("with the same length twice is one of that length", async () => {
    const backend = await httpBackend(echo)
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send(post("Content-Length: 5\r\nContent-Length: 5"))
    const seen = echoed(await client.until((text) => text.endsWith("}")))
    expect(seen).toMatchObject({ body: "hello" })
    expect(seen.rawHeaders.filter((name) => name.toLowerCase() === "content-length")).toHaveLength(1)
  })

  it("whose client leaves in the middle of a chunked body is never complete at its backend", async () => {
    const backend = await rawBackend(() => undefined)
    const gateway = await httpGateway([backend.url])
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await eventually(() => backend.received[0]?.includes("hello") === true)
    client.socket.destroy()
    await eventually(() => backend.sockets[0]?.destroyed === true)
    expect(backend.received[0]).not.toContain("\r\n0\r\n\r\n")
    expect(gateway.troubles).toEqual([])
  })

  it("never becomes a malformed one at its backend, whatever is in it", async () => {
    let malformed = 0
    let arrived = 0
    const backend = await rawBackend((socket, received) => {
      if (!received.endsWith("\r\n\r\n")) return
      arrived++
      const head = received.split("\r\n\r\n").at(-2) ?? ""
      const [line = "", ...lines] = head.split("\r\n")
      const sane = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP\/1\.1$/.test(line) && !line.includes("#")
      // oxlint-disable-next-line no-control-regex
      if (!sane || lines.some((text) => !/^[!#$%&'*+.^_`|~0-9a-zA-Z-]+: [^\x00-\x08\x0a-\x1f\x7f]*$/.test(text))) malformed++
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    })
    const gateway = await httpGateway([backend.url])
    const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 12 })
    const near = fc.constantFrom(
      "a",
      "X-A",
      "Connection",
      "Cookie",
      "x_user_id",
      "te",
      "X-Forwarded-For",
      "Forwarded",
      "traceparent",
      "a b",
      ""
    )
    const line = fc.tuple(fc.oneof(near, text), fc.constantFrom(":", ": ", " : ", ""), text).map((parts) => parts.join(""))
    const target = fc.oneof(
      fc.constantFrom("/", "/a?b", "/%zz", "/a#b", "/\xe9"),
      text.map((path) => `/${path}`)
    )
    await fc.assert(
      fc.asyncProperty(target, fc.array(line, { maxLength: 5 }), async (path, lines) => {
        const client = gateway.client()
        client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n${lines.map((one) => `${one}\r\n`).join("")}\r\n`)
        const good = gateway.client().send("GET /good HTTP/1.1\r\nHost: h\r\n\r\n")
        await good.until((received) => received.endsWith("ok"))
        client.socket.destroy()
        good.socket.destroy()
        expect(malformed).toBe(0)
      }),
      { numRuns: 300 }
    )
    expect(arrived).toBeGreaterThan(300)
  })
})

describe("TLS to a backend", () => {
  it("asks for the name in the target's URL, and not for that in Host", async () => {
    let asked: string | undefined | false
    const backend = await tlsBackend((request, response) => {
      asked = "servername" in request.socket ? (request.socket.servername as string | false) : undefined
      response.end("ok")
    })
    const gateway = await httpGateway([backend.url.replace("127.0.0.1", "localhost")])
    const response = await fetch(gateway.url, { headers: { "x-request-id": "r" } })
    // The certificate is nobody's: what matters here is that the handshake failed for that, not for the name.
    expect(response.status).toBe(502)
    expect(gateway.troubles).toMatchObject([{ type: "tls", message: expect.stringMatching(/self-signed|self signed/) }])
    expect(asked).toBeUndefined()
  })
})
