import { Context, Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { handler, HandlerError } from "../../src/connection/Handlers.ts"
import { connect, start } from "../hub/support.ts"

const input = Schema.Unknown

const circular: Record<string, unknown> = { name: "s3cret" }
circular["self"] = circular

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

class Numbers extends Context.Service<Numbers, { readonly one: number }>()("test/Numbers") {}

describe.each(["json", "msgpack"] as const)("the result of a call, to a client that speaks %s", (encoding) => {
  it("may be what a handler returns: a value, an effect, a promise", async () => {
    const handlers = {
      value: handler({ input, handle: () => 5 }),
      map: handler({ input: Schema.Number, handle: (n) => ({ n }) }),
      nothing: handler({ input, handle: () => undefined }),
      null: handler({ input, handle: () => null }),
      effect: handler({ input, handle: () => Effect.succeed(["effect"]) }),
      promise: handler({ input, handle: () => Promise.resolve("promise") }),
      either: handler({ input: Schema.Number, handle: (n) => (n > 1 ? "value" : Promise.resolve("promise")) })
    }
    const client = await connect(await start({}, { handlers }), { encoding })
    const result = async (method: string, data: unknown = 1) => (await client.request({ type: "call", method, data }))["data"]
    expect(await result("value")).toBe(5)
    expect(await result("map", 7)).toEqual({ n: 7 })
    expect(await result("nothing")).toBeNull()
    expect(await result("null")).toBeNull()
    expect(await result("effect")).toEqual(["effect"])
    expect(await result("promise")).toBe("promise")
    expect([await result("either", 1), await result("either", 2)]).toEqual(["promise", "value"])
  })

  it("is a value of the JSON model, with bytes and dates as the protocol has them", async () => {
    const handle = () => ({ left: undefined, list: [undefined], at: new Date(0), bytes: Buffer.from([0, 254, 255]), zero: -0 })
    const client = await connect(await start({}, { handlers: { all: handler({ input, handle }) } }), { encoding })
    const { data } = await client.request({ type: "call", method: "all" })
    const bytes = encoding === "json" ? "AP7/" : new Uint8Array([0, 254, 255])
    expect(data).toEqual({ list: [null], at: "1970-01-01T00:00:00.000Z", bytes: expect.anything(), zero: 0 })
    const got = (data as { readonly bytes: unknown }).bytes
    expect(got instanceof Uint8Array ? Array.from(got) : got).toEqual(bytes instanceof Uint8Array ? Array.from(bytes) : bytes)
  })

  it.each<readonly [string, () => unknown]>([
    ["a bigint", () => ({ s3cret: 12345678901234567890n })],
    ["what holds itself", () => circular],
    ["a function", () => () => "s3cret"],
    ["a Map", () => new Map([["s3cret", 1]])],
    ["NaN", () => ({ s3cret: Number.NaN })],
    ["half of a surrogate pair", () => "s3cret\ud800"],
    ["a key named __proto__", () => JSON.parse('{"__proto__":"s3cret"}')],
    ["65 levels with its message", () => nested(64)],
    [
      "a getter that throws",
      () => ({
        get broken() {
          throw new TypeError("broken")
        }
      })
    ]
  ])("that is %s is an internal error with the request's id, and a line in the log without the value", async (_, handle) => {
    const server = await start({}, { handlers: { bad: handler({ input, handle }), good: handler({ input, handle: () => nested(63) }) } })
    const client = await connect(server, { encoding })
    expect(await client.request({ type: "call", method: "bad" })).toMatchObject({ type: "error", code: "internal", retryable: true })
    expect(await client.request({ type: "call", method: "good" })).toMatchObject({ type: "result", data: nested(63) })
    const lines = server.logs.filter((line) => line.includes("a handler failed"))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "ERROR", annotations: { method: "bad" } })
    expect(server.logs.join("\n")).not.toMatch(/s3cret|12345678901234567890/)
  })

  it("is an internal error where the handler throws, and its own error where it throws that", async () => {
    const handlers = {
      throwing: handler({
        input,
        handle: () => {
          throw new Error("secret detail")
        }
      }),
      refusing: handler({
        input,
        handle: (): number => {
          throw new HandlerError({ code: "conflict", message: "not now" })
        }
      })
    }
    const client = await connect(await start({}, { handlers }), { encoding })
    const reply = await client.request({ type: "call", method: "throwing" })
    expect(reply).toMatchObject({ type: "error", code: "internal" })
    expect(JSON.stringify(reply)).not.toContain("secret")
    expect(await client.request({ type: "call", method: "refusing" })).toMatchObject({ code: "conflict", message: "not now" })
  })

  it("is an error whose text every client can read, wherever it was cut", async () => {
    const handlers = {
      cut: handler({ input, handle: () => Effect.fail(new HandlerError({ code: "conflict", message: "no 🌍".slice(0, 4) })) }),
      number: handler({ input: Schema.Number, handle: (n) => n })
    }
    const client = await connect(await start({}, { handlers }), { encoding })
    expect(await client.request({ type: "call", method: "cut" })).toMatchObject({ code: "conflict", message: "no \ufffd" })
    for (const pad of ["", "x"])
      expect(await client.request({ type: "call", method: "number", data: pad + "🌍".repeat(150) })).toMatchObject({
        code: "invalid_message"
      })
  })
})

describe("a handler's type", () => {
  it("has no place for an effect that needs services", () => {
    // @ts-expect-error Nobody provides them.
    expect(handler({ input, handle: () => Effect.map(Numbers, ({ one }) => one) })).toBeDefined()
  })
})
