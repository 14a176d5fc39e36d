import { describe, expect, it } from "vitest"
import { originPolicy } from "../../src/transport/Origin.ts"

type Case = readonly [origins: ReadonlyArray<string>, origin: string | undefined, host: string | undefined, allowed: boolean]

const cases: ReadonlyArray<Case> = [
  // No browser.
  [[], undefined, "example.com", true],
  [["https://app.example.com"], undefined, "example.com", true],
  // Without entries: the page's own host.
  [[], "https://example.com", "example.com", true],
  [[], "https://EXAMPLE.com", "example.COM", true],
  [[], "https://example.com", "example.com:443", true],
  [[], "http://example.com:8080", "example.com:8080", true],
  [[], "http://[2001:db8::1]:8080", "[2001:db8::1]:8080", true],
  [[], "http://example.com:8081", "example.com:8080", false],
  [[], "https://other.example", "example.com", false],
  [[], "https://example.com.other.example", "example.com", false],
  [[], "https://example.com", undefined, false],
  [[], "null", "example.com", false],
  [[], "", "example.com", false],
  [[], "https://example.com/path", "example.com", false],
  [[], "https://user@example.com", "example.com", false],
  [[], "https://example.com", "example.com/x", false],
  // Without entries: this machine to this machine, on whatever ports.
  [[], "http://localhost:3000", "127.0.0.1:8080", true],
  [[], "http://app.localhost:3000", "localhost:8080", true],
  [[], "http://[::1]:3000", "localhost:8080", true],
  [[], "http://127.0.0.2", "[::1]:8080", true],
  [[], "http://localhost:3000", "example.com", false],
  [[], "https://evil.example", "localhost:8080", false],
  [[], "http://127.0.0.1.evil.example", "127.0.0.1:8080", false],
  [[], "http://notlocalhost", "localhost:8080", false],
  // Entries.
  [["https://app.example.com"], "https://app.example.com", "ws.example.com", true],
  [["https://app.example.com"], "https://app.example.com:443", "ws.example.com", true],
  [["https://app.example.com:443"], "https://app.example.com", "ws.example.com", true],
  [["https://app.example.com"], "http://app.example.com", "ws.example.com", false],
  [["https://app.example.com"], "https://app.example.com:8443", "ws.example.com", false],
  [["https://app.example.com"], "https://xapp.example.com", "ws.example.com", false],
  [["https://app.example.com"], "https://ws.example.com", "ws.example.com", false],
  [["https://app.example.com"], "null", "ws.example.com", false],
  [["https://a.example", "https://b.example"], "https://b.example", "ws.example.com", true],
  // Wildcards.
  [["https://*.example.com"], "https://a.example.com", "ws.example.com", true],
  [["https://*.example.com"], "https://a.b.example.com", "ws.example.com", true],
  [["https://*.example.com"], "https://example.com", "ws.example.com", false],
  [["https://*.example.com"], "https://.example.com", "ws.example.com", false],
  [["https://*.example.com"], "https://evilexample.com", "ws.example.com", false],
  [["https://*.example.com"], "https://a.example.com.evil.example", "ws.example.com", false],
  [["https://*.example.com:8443"], "https://a.example.com:8443", "ws.example.com", true],
  [["*"], "https://anything.example", undefined, true],
  [["*"], "null", undefined, true],
  // Nonsense in the list matches nothing, and does not open the rule for an empty list.
  [["example.com"], "https://example.com", "example.com", false],
  [["https://*"], "https://example.com", "example.com", false]
]

describe("originPolicy", () => {
  it.each(cases)("%j: page %s to host %s: %s", (origins, origin, host, allowed) => {
    expect(originPolicy(origins)({ origin, host })).toBe(allowed)
  })
})

describe("where only pages of this machine may connect", () => {
  const allows = originPolicy([], true)

  it.each([
    ["http://localhost:8080", "localhost:8080", true],
    ["http://127.0.0.1:3000", "localhost:8080", true],
    ["http://evil.example", "evil.example", false],
    ["http://evil.example:8080", "127.0.0.1:8080", false]
  ])("%s at %s: %s", (origin, host, expected) => {
    expect(allows({ origin, host })).toBe(expected)
  })

  it("clients that are no browsers may as well", () => {
    expect(allows({ origin: undefined, host: "evil.example" })).toBe(true)
  })
})
