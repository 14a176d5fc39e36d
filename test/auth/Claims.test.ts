import { Result } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { identityFrom, knownPermissions } from "../../src/auth/Claims.ts"

const identity = (claims: unknown, leeway?: number) => Result.getOrThrowWith(identityFrom(claims, leeway), (text) => new Error(text))
const problem = (claims: unknown): string => Result.match(identityFrom(claims), { onFailure: (text) => text, onSuccess: () => "accepted" })

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })

describe("identityFrom", () => {
  it.each([
    [{}, {}],
    [{ sub: "ada" }, { user: "ada" }],
    [{ sub: "a".repeat(128) }, { user: "a".repeat(128) }],
    [{ exp: 10 }, { expiresAt: 10_000 }],
    [{ exp: 10.5 }, { expiresAt: 10_500 }],
    [{ info: null }, { info: null }],
    [{ info: { name: "Ada" } }, { info: { name: "Ada" } }],
    [{ info: "x".repeat(4094) }, { info: "x".repeat(4094) }],
    [{ info: nested(31) }, { info: nested(31) }],
    [{ rooms: {} }, { rooms: {} }],
    [{ rooms: { join: ["a*"], publish: [], other: 5 } }, { rooms: { join: ["a*"], publish: [] } }],
    [{ server: ["fly", "broadcast", "broadcast"] }, { server: ["broadcast"] }],
    [{ iss: 5, aud: null, anything: {} }, {}]
  ])("%j gives %j", (claims, expected) => {
    expect(identity(claims)).toEqual(expected)
  })

  it.each<readonly [claims: unknown, where: string]>([
    [null, "the claims: "],
    ["ada", "the claims: "],
    [[], "the claims: "],
    [{ sub: "" }, "sub: is empty"],
    [{ sub: 5 }, "sub: "],
    [{ sub: null }, "sub: "],
    [{ sub: "a".repeat(129) }, "sub: is longer"],
    [{ sub: "é".repeat(65) }, "sub: is longer"],
    [{ sub: "a\nb" }, "sub: holds control"],
    [{ sub: "a\u009fb" }, "sub: holds control"],
    [{ sub: "\ud800" }, "sub: is not well-formed"],
    [{ exp: "10" }, "exp: "],
    [{ exp: null }, "exp: "],
    [{ exp: -1 }, "exp: "],
    [{ exp: Number.NaN }, "exp: "],
    [{ exp: Number.POSITIVE_INFINITY }, "exp: "],
    [{ info: "x".repeat(4095) }, "info: is longer"],
    [{ info: "é".repeat(2048) }, "info: is longer"],
    [{ info: nested(40) }, "info: nested deeper"],
    [{ info: JSON.parse('{"a":"\\ud800"}') }, "info: a string holds half"],
    [{ info: JSON.parse('{"a":{"__proto__":1}}') }, "info: a key must not be named"],
    [{ rooms: ["a"] }, "rooms: "],
    [{ rooms: { join: "a" } }, "rooms.join: "],
    [{ rooms: { history: Array.from({ length: 65 }, () => "a") } }, "rooms.history: has more"],
    [{ rooms: { presence: ["a".repeat(129)] } }, "rooms.presence.0: is longer"],
    [{ rooms: { publish: [""] } }, "rooms.publish.0: is empty"],
    [{ server: "broadcast" }, "server: "],
    [{ server: Array.from({ length: 65 }, () => "a") }, "server: has more"]
  ])("case %#: refused, saying where", (claims, where) => {
    expect(problem(claims)).toContain(where)
  })

  it("does not repeat the value that it refuses", () => {
    expect(problem({ sub: "\nsesame" })).not.toContain("sesame")
    expect(problem({ exp: "sesame" })).not.toContain("sesame")
    expect(problem("sesame")).not.toContain("sesame")
  })

  it("ends an identity when the leeway after its token's end is over, within what a Date can name", () => {
    expect(identity({ exp: 10 }, 5)).toEqual({ expiresAt: 15_000 })
    expect(identity({ exp: 8_640_000_000_000 }, 5)).toEqual({ expiresAt: 8_640_000_000_000_000 })
  })

  it("keeps all bounds whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.record({ sub: fc.string(), exp: fc.double(), info: fc.jsonValue(), server: fc.array(fc.string()) }, { requiredKeys: [] }),
        (claims) => {
          const result = identityFrom(claims)
          if (Result.isFailure(result)) return
          const { expiresAt = 0, info = null, server = [], user } = result.success
          expect(user).not.toBe("")
          expect(new TextEncoder().encode(user ?? "").length).toBeLessThanOrEqual(128)
          expect(Number.isNaN(new Date(expiresAt).getTime())).toBe(false)
          expect(new TextEncoder().encode(JSON.stringify(info)).length).toBeLessThanOrEqual(4096)
          expect(["broadcast"]).toEqual(expect.arrayContaining([...server]))
        }
      )
    )
  })
})

describe("knownPermissions", () => {
  it("leaves out what this version does not know", () => {
    expect(knownPermissions(["fly", "broadcast"])).toEqual(["broadcast"])
  })
})
