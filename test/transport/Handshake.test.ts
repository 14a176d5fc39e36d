import { Redacted } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AuthError } from "../../src/auth/Auth.ts"
import { addHeader, authRefusal, type Handshake, negotiate, type Negotiation } from "../../src/transport/Handshake.ts"

const upgrade = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
}

const ask = (headers: Record<string, string> = {}, query = ""): Negotiation =>
  negotiate({ headers: new Map(Object.entries({ ...upgrade, ...headers })), query })

const offering = (subprotocols: string, query = ""): Negotiation => ask({ "sec-websocket-protocol": subprotocols }, query)

const accepted = (negotiation: Negotiation): Handshake => {
  if ("refuse" in negotiation) throw new Error(`refused: ${negotiation.refuse.message}`)
  return negotiation.ok
}

const tokenOf = (negotiation: Negotiation): string | undefined => {
  const { token } = accepted(negotiation)
  return token === undefined ? undefined : Redacted.value(token)
}

const statusOf = (negotiation: Negotiation): number => ("refuse" in negotiation ? negotiation.refuse.status : 101)

describe("what is no WebSocket handshake", () => {
  it.each([
    ["no Upgrade", { upgrade: "" }, 426],
    ["another protocol", { upgrade: "h2c" }, 426],
    ["no Connection: Upgrade", { connection: "keep-alive" }, 426],
    ["version 8", { "sec-websocket-version": "8" }, 426],
    ["no version", { "sec-websocket-version": "" }, 426],
    ["version 13 twice", { "sec-websocket-version": "13, 13" }, 426],
    ["no key", { "sec-websocket-key": "" }, 400],
    ["a short key", { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=" }, 400],
    ["a key of 18 bytes", { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZWFi" }, 400],
    ["a key that is no base64", { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZ_==" }, 400],
    ["Firefox's Connection", { connection: "keep-alive, Upgrade" }, 101],
    ["another case", { upgrade: "WebSocket", connection: "upgrade" }, 101]
  ])("%s", (_, headers, status) => {
    expect(statusOf(ask(headers))).toBe(status)
  })

  it("names the version that is served", () => {
    expect(ask({ "sec-websocket-version": "8" })).toMatchObject({ refuse: { headers: { "sec-websocket-version": "13" } } })
  })
})

describe("the encoding", () => {
  it.each([
    ["", "", "json", undefined],
    ["weft.v1.json", "", "json", "weft.v1.json"],
    ["weft.v1.msgpack", "", "msgpack", "weft.v1.msgpack"],
    ["weft.v1.msgpack, weft.v1.json", "", "msgpack", "weft.v1.msgpack"],
    ["weft.v1.json,weft.v1.msgpack", "", "json", "weft.v1.json"],
    ["weft.v1.json", "format=msgpack", "json", "weft.v1.json"],
    ["weft.v2.json, chat, weft.v1.msgpack", "", "msgpack", "weft.v1.msgpack"],
    ["weft.v9.cbor", "", "json", undefined],
    ["weft.token.abc, weft.batch, weft.session.s", "", "json", undefined],
    ["weft.token.abc", "format=msgpack", "msgpack", undefined],
    ["weft.token.weft.v1.json, weft.v1.json", "", "json", "weft.v1.json"],
    ["", "format=json", "json", undefined],
    ["", "format=msgpack&format=json", "msgpack", undefined],
    ["", "format=", "json", undefined]
  ])("subprotocols %j and query %j: %s, answered %s", (subprotocols, query, encoding, subprotocol) => {
    expect(accepted(offering(subprotocols, query))).toMatchObject({ encoding, subprotocol })
  })

  it("refuses a format that it does not know", () => {
    expect(ask({}, "format=cbor")).toMatchObject({ refuse: { status: 400, code: "invalid_message" } })
  })
})

describe("batching", () => {
  it.each([
    ["weft.batch, weft.v1.json", "", true],
    ["", "batch=1", true],
    ["", "batch=true", true],
    ["", "batch=0", false],
    ["", "batch", false],
    ["weft.v1.json", "", false]
  ])("subprotocols %j and query %j: %s", (subprotocols, query, batch) => {
    expect(accepted(offering(subprotocols, query)).batch).toBe(batch)
  })
})

describe("the token", () => {
  it.each<readonly [headers: Record<string, string>, query: string, token: string | undefined]>([
    [{}, "", undefined],
    [{ authorization: "Bearer H" }, "", "H"],
    [{ authorization: "bearer   H" }, "", "H"],
    [{ "sec-websocket-protocol": "weft.v1.json, weft.token.S" }, "", "S"],
    [{}, "token=Q", "Q"],
    [{}, "a=b&token=Q&token=R", "Q"],
    [{}, "%74oken=Q%2B%C3%A9", "Q+é"],
    [{ authorization: "Bearer H", "sec-websocket-protocol": "weft.token.S" }, "token=Q", "H"],
    [{ "sec-websocket-protocol": "weft.token.S" }, "token=Q", "S"],
    [{ authorization: "Basic dTpw" }, "token=Q", "Q"],
    [{ authorization: "Bearer " }, "token=Q", "Q"],
    [{ "sec-websocket-protocol": "weft.token., weft.v1.json" }, "token=", undefined]
  ])("%j and query %j: %s", (headers, query, token) => {
    expect(tokenOf(ask(headers, query))).toBe(token)
  })

  it("is not shown when a handshake is printed", () => {
    expect(JSON.stringify(ask({ authorization: "Bearer sesame" }))).not.toContain("sesame")
  })

  it.each<readonly [what: string, headers: Record<string, string>, query: string]>([
    ["two header lines", { authorization: "Bearer a, Bearer b" }, ""],
    ["a plus sign that was not escaped", {}, "token=a+b"],
    ["a control character", {}, "token=a%00b"],
    ["more than 8 KiB", {}, `token=${"a".repeat(8193)}`],
    ["more than 8 KiB in UTF-8", {}, `token=${"%C3%A9".repeat(4097)}`]
  ])("is refused: %s", (_, headers, query) => {
    const negotiation = ask(headers, query)
    expect(statusOf(negotiation)).toBe(400)
    expect(JSON.stringify(negotiation)).not.toMatch(/Bearer a|aaaa/)
  })

  it("may have 8 KiB", () => {
    expect(tokenOf(ask({ authorization: `Bearer ${"a".repeat(8192)}` }))).toHaveLength(8192)
  })

  it("is never answered as the subprotocol", () => {
    const name = fc.oneof(
      fc.constantFrom("weft.v1.json", "weft.v1.msgpack", "weft.batch", "weft.token.weft.v1.json", "weft.session.x"),
      fc.string().map((text) => `weft.token.${text}`),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const negotiation = offering(names.join(", "))
        const answered = "ok" in negotiation ? negotiation.ok.subprotocol : undefined
        expect([undefined, "weft.v1.json", "weft.v1.msgpack"]).toContain(answered)
      })
    )
  })
})

describe("the session", () => {
  it.each([
    ["weft.session.S, weft.v1.json", "session=Q", "S"],
    ["", "session=Q", "Q"],
    ["", "session=", undefined],
    ["", "", undefined]
  ])("subprotocols %j and query %j: %s", (subprotocols, query, session) => {
    expect(accepted(offering(subprotocols, query)).session).toBe(session)
  })

  it("is refused when it is longer than any that was given out", () => {
    expect(statusOf(ask({}, `session=${"s".repeat(257)}`))).toBe(400)
  })
})

describe("the query", () => {
  it.each(["token=%", "a=%zz", "%ff=1", "a=%c3"])("%s is refused", (query) => {
    expect(statusOf(ask({}, query))).toBe(400)
  })

  it.each(["&&", "=", "a", "a=b=c", "&=&x"])("%s is taken", (query) => {
    expect(statusOf(ask({}, query))).toBe(101)
  })

  it("never throws, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (query, subprotocols, authorization) => {
        expect([101, 400]).toContain(statusOf(ask({ "sec-websocket-protocol": subprotocols, authorization }, query)))
      })
    )
  })
})

describe("authRefusal", () => {
  it.each([
    ["unauthorized", 401, "www-authenticate"],
    ["forbidden", 403, undefined],
    ["unavailable", 503, "retry-after"]
  ] as const)("%s is %i", (code, status, header) => {
    const refusal = authRefusal(new AuthError({ code, message: "why" }))
    expect(refusal).toMatchObject({ status, code, message: "why" })
    expect(Object.keys(refusal.headers)).toEqual(header === undefined ? [] : [header])
  })
})

describe("addHeader", () => {
  it("keeps lines of one name in their order", () => {
    const headers = new Map<string, string>()
    addHeader(headers, "x-forwarded-for", "1.1.1.1")
    addHeader(headers, "x-forwarded-for", "198.51.100.7")
    addHeader(headers, "cookie", "a=1")
    addHeader(headers, "cookie", "b=2")
    expect(headers).toEqual(
      new Map([
        ["x-forwarded-for", "1.1.1.1, 198.51.100.7"],
        ["cookie", "a=1; b=2"]
      ])
    )
  })
})
