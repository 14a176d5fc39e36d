import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import type { HttpCheck } from "../../../src/gateway/HealthPlan.ts"
import type { ProbeOutcome } from "../../../src/gateway/HealthState.ts"
import { httpProbe } from "../../../src/gateway/probes/HttpProbe.ts"
import { eventually } from "../../support/eventually.ts"
import { freePort } from "../../support/ports.ts"
import { type Backend, httpBackend, httpsBackend, rawBackend, silentBackend, tcpBackend } from "./backends.ts"

const probe = (url: URL, check: Partial<HttpCheck> = {}): Promise<ProbeOutcome> =>
  Effect.runPromise(httpProbe(url, { path: "/", timeout: 20, status: "200-399", ...check }))

const failure = (type: string, message: string | RegExp) => ({
  ok: false,
  type,
  message: typeof message === "string" ? message : expect.stringMatching(message)
})

const passed = { ok: true, milliseconds: expect.any(Number) }

const leavesNothing = (backend: Backend) => eventually(() => backend.open() === 0, { message: "a connection stays open" })

describe("a backend that works", () => {
  it("is asked at the path of the check behind its base path, with a name of its own, and not to keep the connection", async () => {
    const seen: Array<unknown> = []
    const backend = await httpBackend(({ headers, method, url }, response) => {
      seen.push(method, url, headers["user-agent"], headers.connection)
      response.end("fine")
    })
    expect(await probe(new URL("/base", backend.url), { path: "/health?deep=1" })).toEqual(passed)
    expect(seen).toEqual(["GET", "/base/health?deep=1", "weft-health-check", "close"])
    await leavesNothing(backend)
  })

  it("may have an ws URL", async () => {
    const backend = await httpBackend((_request, response) => void response.end())
    expect(await probe(new URL(`ws://127.0.0.1:${backend.port}`))).toEqual(passed)
  })

  it.each([
    [200, "200-399,401", true],
    [302, "200-399,401", true],
    [401, "200-399,401", true],
    [400, "200-399,401", false],
    [200, "204", false],
    [500, "200-399", false]
  ])("with status %s and %s allowed passes: %s", async (status, allowed, ok) => {
    const asked: Array<string | undefined> = []
    const backend = await httpBackend((request, response) => {
      asked.push(request.url)
      response.writeHead(status, { location: "/elsewhere" }).end()
    })
    expect(await probe(backend.url, { status: allowed })).toEqual(
      ok ? passed : failure("refused", `the backend answered with status ${status}`)
    )
    expect(asked).toEqual(["/"])
    await leavesNothing(backend)
  })

  it("passes by its status though its body never ends, and is cut off", async () => {
    const backend = await httpBackend((_request, response) => void response.write("begin"))
    expect(await probe(backend.url)).toEqual(passed)
    await leavesNothing(backend)
  })

  it("passes by its status though its body is endless, of which little is taken", async () => {
    let sent = 0
    const chunk = Buffer.alloc(65_536)
    const backend = await httpBackend((_request, response) => {
      const pump = () => {
        do sent += chunk.length
        while (response.write(chunk))
      }
      response.on("drain", pump)
      pump()
    })
    expect(await probe(backend.url)).toEqual(passed)
    await leavesNothing(backend)
    // What fits into the buffers of the sockets, and no stream of a second.
    expect(sent).toBeLessThan(16_777_216)
  })
})

describe("a backend that does not work", () => {
  it("refuses connections", async () => {
    expect(await probe(new URL(`http://127.0.0.1:${await freePort()}`))).toEqual(failure("connect", "connection refused"))
  })

  it("has a name that does not resolve", async () => {
    expect(await probe(new URL("http://nowhere.invalid:8080"))).toEqual(failure("dns", /host name/))
  })

  it("accepts and says nothing", async () => {
    const backend = await silentBackend()
    expect(await probe(backend.url, { timeout: 1 })).toEqual(failure("timeout", "no answer within 1 s"))
    await leavesNothing(backend)
  })

  it("accepts and says nothing where TLS is spoken", async () => {
    const backend = await silentBackend()
    expect(await probe(new URL(`https://127.0.0.1:${backend.port}`), { timeout: 1 })).toEqual(
      failure("timeout", "no connection within 1 s")
    )
    await leavesNothing(backend)
  })

  it.each([
    ["what is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", /not HTTP/],
    ["a header without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`, /too long/]
  ])("answers %s", async (_what, answer, message) => {
    const backend = await rawBackend(answer)
    expect(await probe(backend.url)).toEqual(failure("protocol", message))
    await leavesNothing(backend)
  })

  it("hangs up at once", async () => {
    const backend = await tcpBackend((socket) => void socket.end())
    expect(await probe(backend.url)).toEqual(failure("lost", /closed the connection/))
  })

  it("has a certificate that does not verify", async () => {
    const backend = await httpsBackend((_request, response) => void response.end())
    expect(await probe(backend.url)).toEqual(failure("tls", /does not verify: self-signed certificate/))
    await leavesNothing(backend)
  })

  it("speaks no TLS", async () => {
    const backend = await rawBackend("HTTP/1.1 400 Bad Request\r\n\r\n")
    expect(await probe(new URL(`https://127.0.0.1:${backend.port}`))).toEqual(failure("tls", /TLS failed/))
    await leavesNothing(backend)
  })
})

describe("an interruption", () => {
  it.each([
    ["while it waits for the answer", () => silentBackend()],
    ["while it reads the body", () => httpBackend((_request, response) => void response.write("begin"))]
  ])("%s leaves nothing open", async (_when, start) => {
    const backend = await start()
    const fiber = Effect.runFork(httpProbe(backend.url, { path: "/", timeout: 60, status: "200" }))
    await eventually(() => backend.open() === 1)
    await Effect.runPromise(Fiber.interrupt(fiber))
    await leavesNothing(backend)
    expect(backend.seen()).toBe(1)
  })
})
