import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { StickyCookie } from "../../src/gateway/StickyCookie.ts"
import { asker, sentBack } from "./asker.ts"
import { urls } from "./proxyRoute.ts"

const now = 1_700_000_000_000
const DAY = 86_400_000
const ids = urls(5)
const secret = new Uint8Array(32).fill(7)
const options = { name: "weft_backend", ttl: 86_400, secret }
const cookie = new StickyCookie(options, ids)

/** The cookie of a client that was stuck to the target at `index`. */
const cookieOf = (index: number, at = now) => sentBack(cookie.write(index, asker(), at))
const valueOf = (index: number, at = now) => cookieOf(index, at).slice("weft_backend=".length)

const attributes = (setCookie: string) => setCookie.split("; ").slice(1)

describe("StickyCookie", () => {
  it("names every target and is read back as it", () => {
    ids.forEach((_, index) => expect(cookie.read(cookieOf(index), now)).toEqual({ index, stale: false }))
  })

  it("is as good after a restart and on a node with the targets in another order", () => {
    const elsewhere = new StickyCookie(options, ids.toReversed())
    ids.forEach((_, index) => expect(elsewhere.read(cookieOf(index), now)?.index).toBe(ids.length - 1 - index))
  })

  it("does not tell where the targets are, nor let anybody find out without the secret", () => {
    const other = new StickyCookie({ ...options, secret: new Uint8Array(32).fill(8) }, ids)
    expect(cookieOf(0)).not.toContain("10.0.0.1")
    expect(sentBack(other.write(0, asker(), now)).split(".")[0]).not.toBe(cookieOf(0).split(".")[0])
  })

  it("is found among other cookies", () => {
    expect(cookie.read(`a=b; ${cookieOf(3)}; theme=dark`, now)?.index).toBe(3)
    expect(cookie.read(`a=b;${cookieOf(3)}`, now)?.index).toBe(3)
    expect(cookie.read(`xweft_backend=1; weft_backend_2=3; ${cookieOf(3)} `, now)?.index).toBe(3)
  })

  it("is found behind one of the same name from elsewhere, but not behind any number of them", () => {
    expect(cookie.read(`weft_backend=theirs; ${cookieOf(2)}`, now)?.index).toBe(2)
    expect(cookie.read(`${"weft_backend=theirs; ".repeat(4)}${cookieOf(2)}`, now)).toBeUndefined()
    expect(cookie.read(`${"weft_backend2=another; ".repeat(9)}${cookieOf(2)}`, now)?.index).toBe(2)
  })

  it("is good for its ttl and no longer, and stale from the half of it on", () => {
    const read = (later: number) => cookie.read(cookieOf(1), now + later)
    expect(read(DAY / 2 - 1000)).toEqual({ index: 1, stale: false })
    expect(read(DAY / 2 + 1000)).toEqual({ index: 1, stale: true })
    expect(read(DAY - 1000)).toEqual({ index: 1, stale: true })
    expect(read(DAY)).toBeUndefined()
    expect(read(10 * DAY)).toBeUndefined()
  })

  it("is refused with another expiry or another target than it was signed for", () => {
    const [tag, expiry, mac] = valueOf(1).split(".")
    const [otherTag] = valueOf(2).split(".")
    const later = (Number.parseInt(expiry ?? "", 36) + 1).toString(36)
    expect(cookie.read(`weft_backend=${tag}.${expiry}.${mac}`, now)?.index).toBe(1)
    expect(cookie.read(`weft_backend=${tag}.${later}.${mac}`, now)).toBeUndefined()
    expect(cookie.read(`weft_backend=${otherTag}.${expiry}.${mac}`, now)).toBeUndefined()
    expect(cookie.read(`weft_backend=${tag}.${expiry?.toUpperCase()}.${mac}`, now)).toBeUndefined()
  })

  it("is refused when it was signed with another secret, under another name, or for a target that is not here", () => {
    const stranger = new StickyCookie({ ...options, secret: new Uint8Array(32).fill(8) }, ids)
    const renamed = new StickyCookie({ ...options, name: "other" }, ids)
    expect(cookie.read(sentBack(stranger.write(1, asker(), now)), now)).toBeUndefined()
    expect(cookie.read(`weft_backend=${sentBack(renamed.write(1, asker(), now)).slice("other=".length)}`, now)).toBeUndefined()
    expect(new StickyCookie(options, ids.slice(0, 2)).read(cookieOf(4), now)).toBeUndefined()
  })

  it("is refused when any one character is another", () => {
    const value = valueOf(1)
    for (let at = 0; at < value.length; at++) {
      const forged = `${value.slice(0, at)}${value[at] === "A" ? "B" : "A"}${value.slice(at + 1)}`
      expect(cookie.read(`weft_backend=${forged}`, now), forged).toBeUndefined()
    }
  })

  it("ignores whatever else comes under its name, however long", () => {
    for (const value of ["", ".", "..", "=", "a.b.c", valueOf(1).slice(0, -1), `${valueOf(1)}A`, `"${valueOf(1)}"`, "A".repeat(100_000)])
      expect(cookie.read(`weft_backend=${value}`, now), value.slice(0, 100)).toBeUndefined()
    expect(cookie.read(undefined, now)).toBeUndefined()
    expect(cookie.read("", now)).toBeUndefined()
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => cookie.read(text, now) === undefined))
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => cookie.read(`weft_backend=${text}`, now) === undefined))
  })

  describe("as it is set", () => {
    it("is for the whole site, for its ttl, out of reach of scripts, and not for requests of other sites", () => {
      const setCookie = cookie.write(0, asker(), now)
      expect(setCookie).toMatch(/^weft_backend=[\w-]{16}\.\w+\.[\w-]{43}; /)
      expect(attributes(setCookie)).toEqual(["Path=/", "Max-Age=86400", "HttpOnly", "SameSite=Lax"])
    })

    it("is for TLS only when the client speaks TLS", () => {
      expect(attributes(cookie.write(0, asker({ secure: true }), now))).toEqual([
        "Path=/",
        "Max-Age=86400",
        "HttpOnly",
        "SameSite=Lax",
        "Secure"
      ])
    })

    it.each([
      { headers: { "sec-fetch-site": "cross-site", origin: "https://app.example.org", host: "chat.example.com" }, other: true },
      { headers: { "sec-fetch-site": "same-site", origin: "https://www.example.com", host: "chat.example.com" }, other: false },
      { headers: { "sec-fetch-site": "same-origin", host: "chat.example.com" }, other: false },
      { headers: { "sec-fetch-site": "none" }, other: false },
      { headers: { origin: "https://app.example.org", host: "chat.example.com:8443" }, other: true },
      { headers: { origin: "https://chat.example.com", host: "Chat.example.com:8443" }, other: false },
      { headers: { origin: "null", host: "chat.example.com" }, other: true },
      { headers: { host: "chat.example.com" }, other: false },
      { headers: {}, other: false }
    ])("over TLS goes along with requests of pages of other sites when such a page asks: $headers", ({ headers, other }) => {
      const set = attributes(cookie.write(0, asker({ headers, secure: true }), now)).slice(3)
      expect(set).toEqual(other ? ["SameSite=None", "Secure", "Partitioned"] : ["SameSite=Lax", "Secure"])
      // Browsers refuse SameSite=None without Secure.
      expect(attributes(cookie.write(0, asker({ headers }), now)).slice(3)).toEqual(["SameSite=Lax"])
    })

    it("has whole seconds for a ttl", () => {
      expect(new StickyCookie({ ...options, ttl: 0.2 }, ids).write(0, asker(), now)).toContain("Max-Age=1;")
      expect(new StickyCookie({ ...options, ttl: 90.4 }, ids).write(0, asker(), now)).toContain("Max-Age=90;")
    })
  })
})
