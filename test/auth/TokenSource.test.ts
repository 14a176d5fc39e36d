import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isTokenSubprotocol, withoutTokens } from "../../src/auth/TokenSource.ts"

describe("withoutTokens", () => {
  it.each([
    ["", ""],
    ["a=b", "a=b"],
    ["token=T", ""],
    ["a=b&token=T&c=%20+d", "a=b&c=%20+d"],
    ["session=S&token=T&format=json", "session=S&format=json"],
    ["%74oken=T&a", "a"],
    ["token&token=", ""],
    ["Token=T", "Token=T"],
    ["a=token", "a=token"],
    // A name that cannot be decoded is not let through either.
    ["%zz=T&a=b", "a=b"]
  ])("%s becomes %s", (query, rest) => {
    expect(withoutTokens(query)).toBe(rest)
  })

  it("lets no token through, however the query is made", () => {
    const pair = fc.oneof(
      fc.constantFrom("token=sesame", "%74%6fken=sesame", "token=a=sesame"),
      fc.string().map((text) => `x=${encodeURIComponent(text)}`)
    )
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        expect(withoutTokens(pairs.join("&"))).not.toContain("sesame")
      })
    )
  })
})

describe("isTokenSubprotocol", () => {
  it.each([
    ["weft.token.T", true],
    ["weft.session.S", false],
    ["weft.v1.json", false],
    ["weft.batch", false]
  ])("%s: %s", (name, token) => {
    expect(isTokenSubprotocol(name)).toBe(token)
  })
})
