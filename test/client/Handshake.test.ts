import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { handshake, webSocketUrl } from "../../src/client/Handshake.ts"

const hello = { encoding: "json", batch: false, token: undefined } as const

describe("handshake", () => {
  it("says encoding, batching and token as subprotocols", () => {
    expect(handshake("ws://h/ws", hello)).toEqual({ url: "ws://h/ws", protocols: ["weft.v1.json"] })
    expect(handshake("ws://h/ws?a=1", { encoding: "msgpack", batch: true, token: "eyJ.a-b_c" })).toEqual({
      url: "ws://h/ws?a=1",
      protocols: ["weft.v1.msgpack", "weft.batch", "weft.token.eyJ.a-b_c"]
    })
  })

  it("gives a token that is no subprotocol in the query", () => {
    expect(handshake("ws://h/ws?a=1", { ...hello, token: "a/b=c d" })).toEqual({
      url: "ws://h/ws?a=1&token=a%2Fb%3Dc+d",
      protocols: ["weft.v1.json"]
    })
  })

  it("makes what a WebSocket takes of any token, and the token can be read from it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (token) => {
        const { url, protocols } = handshake("ws://127.0.0.1:9/ws", { ...hello, token })
        expect(protocols.every((protocol) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(protocol))).toBe(true)
        expect(protocols[1]?.slice("weft.token.".length) ?? new URL(url).searchParams.get("token")).toBe(token)
      })
    )
  })
})

describe("webSocketUrl", () => {
  it.each([
    ["ws://h:1/ws", undefined, "ws://h:1/ws"],
    ["wss://h/ws?x=1#part", undefined, "wss://h/ws?x=1"],
    ["http://h/ws", undefined, "ws://h/ws"],
    ["https://h/ws", undefined, "wss://h/ws"],
    ["/ws", "https://h/page/index.html?q#top", "wss://h/ws"]
  ])("reads %s on page %s as %s", (url, base, expected) => {
    expect(webSocketUrl(url, base)).toBe(expected)
  })

  it.each(["ftp://h/ws", "nonsense", "127.0.0.1:8080"])("refuses %s", (url) => {
    expect(() => webSocketUrl(url, undefined)).toThrow(TypeError)
  })
})
