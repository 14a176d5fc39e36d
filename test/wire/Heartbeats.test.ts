import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Encoding } from "../../src/wire/Codec.ts"
import { isBareHeartbeat, isServerHeartbeat } from "../../src/wire/Heartbeats.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { serverMessages } from "../../src/wire/Messages.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"
import { jsonValue } from "./arbitraries.ts"

const codecs = { json: jsonCodec(), msgpack: msgpackCodec() }
const encode = (encoding: Encoding, value: unknown): Uint8Array => Buffer.from(codecs[encoding].encode(value))

describe.each(["json", "msgpack"] as const)("a heartbeat in %s", (encoding) => {
  it("is recognised as encoders write it", () => {
    expect(isBareHeartbeat(encode(encoding, { type: "heartbeat" }), encoding)).toBe(true)
  })

  it("is not seen in a frame of the other encoding, with other fields, or in a batch", () => {
    expect(isBareHeartbeat(encode(encoding === "json" ? "msgpack" : "json", { type: "heartbeat" }), encoding)).toBe(false)
    for (const other of [{ type: "heartbeat", id: 1 }, [{ type: "heartbeat" }], { type: "heartbeatt" }, {}, "heartbeat"])
      expect(isBareHeartbeat(encode(encoding, other), encoding)).toBe(false)
  })

  it("of the server is recognised, and nothing else that it may write", () => {
    expect(isServerHeartbeat(encode(encoding, { type: "heartbeat", time: 1_790_000_000_000 }), encoding)).toBe(true)
    const other = encode(encoding === "json" ? "msgpack" : "json", { type: "heartbeat", time: 1_790_000_000_000 })
    expect(isServerHeartbeat(other, encoding)).toBe(false)
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(serverMessages)), jsonValue, (type, data) => {
        fc.pre(type !== "heartbeat")
        expect(isServerHeartbeat(encode(encoding, { type, data }), encoding)).toBe(false)
        expect(isServerHeartbeat(encode(encoding, [{ type: "heartbeat", time: 1 }]), encoding)).toBe(false)
      })
    )
  })

  it("is not seen where one byte differs, or where some lack or follow", () => {
    const bare = encode(encoding, { type: "heartbeat" })
    fc.assert(
      fc.property(fc.nat(bare.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(bare)
        changed[at]! ^= change
        expect(isBareHeartbeat(changed, encoding)).toBe(false)
        expect(isBareHeartbeat(bare.subarray(0, at), encoding)).toBe(false)
        expect(isBareHeartbeat(Buffer.concat([bare, Uint8Array.of(change)]), encoding)).toBe(false)
      })
    )
  })
})
