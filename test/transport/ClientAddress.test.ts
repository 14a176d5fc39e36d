import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientAddress, type ForwardingHeaders, trustedProxies } from "../../src/transport/ClientAddress.ts"

const headers = (told: Partial<ForwardingHeaders> = {}): ForwardingHeaders => ({
  forwardedFor: undefined,
  forwarded: undefined,
  forwardedProto: undefined,
  ...told
})

const proxies = trustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.53"])

type Case = readonly [what: string, socket: string, told: Partial<ForwardingHeaders>, address: string, secure?: boolean]

const cases: ReadonlyArray<Case> = [
  ["no proxy", "198.51.100.7", {}, "198.51.100.7"],
  [
    "an untrusted peer's claims",
    "198.51.100.7",
    { forwardedFor: "1.1.1.1", forwarded: "for=1.1.1.1", forwardedProto: "https" },
    "198.51.100.7",
    false
  ],
  ["a trusted peer that says nothing", "10.0.0.1", {}, "10.0.0.1"],
  ["one proxy", "10.0.0.1", { forwardedFor: "198.51.100.7" }, "198.51.100.7"],
  ["a single trusted address", "192.0.2.53", { forwardedFor: "198.51.100.7" }, "198.51.100.7"],
  ["its neighbour", "192.0.2.54", { forwardedFor: "198.51.100.7" }, "192.0.2.54"],
  ["two proxies", "10.0.0.1", { forwardedFor: "198.51.100.7, 10.0.0.2" }, "198.51.100.7"],
  ["a client that forges", "10.0.0.1", { forwardedFor: "1.1.1.1, 198.51.100.7" }, "198.51.100.7"],
  ["a client that forges a trusted hop", "10.0.0.1", { forwardedFor: "1.1.1.1, 10.0.0.9, 198.51.100.7" }, "198.51.100.7"],
  ["a client inside the trusted network", "10.0.0.1", { forwardedFor: "10.0.0.7, 10.0.0.2" }, "10.0.0.7"],
  ["a port", "10.0.0.1", { forwardedFor: "198.51.100.7:5678" }, "198.51.100.7"],
  ["IPv6", "2001:db8:ffff::1", { forwardedFor: "2001:DB8:0:0::7" }, "2001:db8::7"],
  ["IPv6 with a port", "10.0.0.1", { forwardedFor: "[2001:db8::7]:5678" }, "2001:db8::7"],
  ["a socket's long IPv6", "2001:0db8:0000:0000:0000:0000:0000:0007", {}, "2001:db8::7"],
  ["a mapped peer", "::ffff:10.0.0.1", { forwardedFor: "::ffff:198.51.100.7" }, "198.51.100.7"],
  ["a mapped peer in full", "0000:0000:0000:0000:0000:ffff:0a00:0001", { forwardedFor: "198.51.100.7" }, "198.51.100.7"],
  ["garbage", "10.0.0.1", { forwardedFor: "unknown" }, "10.0.0.1"],
  ["garbage from a client, passed on", "10.0.0.1", { forwardedFor: "<script>, ,,198.51.100.7" }, "198.51.100.7"],
  ["garbage behind a second proxy", "10.0.0.1", { forwardedFor: "1.1.1.1, unknown, 10.0.0.2" }, "10.0.0.2"],
  ["an empty header", "10.0.0.1", { forwardedFor: "" }, "10.0.0.1"],
  ["octal and hex are nobody", "10.0.0.1", { forwardedFor: "0x7f.1" }, "10.0.0.1"],
  ["a zone is nobody", "10.0.0.1", { forwardedFor: "fe80::1%eth0" }, "10.0.0.1"],
  ["a peer without an address", "", { forwardedFor: "1.1.1.1" }, ""],
  ["Forwarded", "10.0.0.1", { forwarded: "for=198.51.100.7;proto=https;by=10.0.0.1" }, "198.51.100.7", true],
  ["Forwarded with quotes", "10.0.0.1", { forwarded: 'For="[2001:db8::7]:4711"' }, "2001:db8::7"],
  [
    "Forwarded through two",
    "10.0.0.1",
    { forwarded: "for=1.1.1.1, for=198.51.100.7;proto=http, for=10.0.0.2;proto=https" },
    "198.51.100.7",
    false
  ],
  ["Forwarded, hidden", "10.0.0.1", { forwarded: "for=_hidden" }, "10.0.0.1"],
  ["both headers that agree", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=198.51.100.7" }, "198.51.100.7"],
  ["a client's own Forwarded beside the proxy's list", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=1.1.1.1" }, "10.0.0.1"],
  ["a client's own list beside the proxy's Forwarded", "10.0.0.1", { forwardedFor: "1.1.1.1", forwarded: "for=198.51.100.7" }, "10.0.0.1"],
  ["https", "10.0.0.1", { forwardedFor: "198.51.100.7", forwardedProto: "HTTPS" }, "198.51.100.7", true],
  ["https without an address", "10.0.0.1", { forwardedProto: "https" }, "10.0.0.1", true],
  [
    "https forged before the proxy's word",
    "10.0.0.1",
    { forwardedFor: "198.51.100.7", forwardedProto: "https, http" },
    "198.51.100.7",
    false
  ],
  [
    "https at the first of two proxies",
    "10.0.0.1",
    { forwardedFor: "198.51.100.7, 10.0.0.2", forwardedProto: "https, http" },
    "198.51.100.7",
    true
  ],
  ["https where proxies overwrite", "10.0.0.1", { forwardedFor: "198.51.100.7, 10.0.0.2", forwardedProto: "https" }, "198.51.100.7", true],
  [
    "http at the list, https in a forged Forwarded",
    "10.0.0.1",
    { forwardedFor: "198.51.100.7", forwarded: "for=1.1.1.1;proto=https" },
    "10.0.0.1",
    false
  ]
]

const address = fc.oneof(fc.ipV4(), fc.ipV6())
const garbage = fc.oneof(fc.string(), fc.constantFrom("unknown", "_x", "", "10.0.0.300", "[::1", "for=", '"', "1.2.3.4:x"))

describe("clientAddress", () => {
  it.each(cases.map(([what, socket, told, address, secure = false]) => ({ what, socket, told, client: { address, secure } })))(
    "$what",
    ({ client, socket, told }) => {
      expect(clientAddress(socket, headers(told), proxies)).toMatchObject(client)
    }
  )

  it.each([
    ["an untrusted peer", "::ffff:198.51.100.7", { forwardedFor: "1.1.1.1" }, "198.51.100.7", false],
    ["a trusted peer that says nothing", "2001:0db8:ffff:0000:0000:0000:0000:0001", {}, "2001:db8:ffff::1", true],
    ["a trusted peer's word", "10.0.0.1", { forwardedFor: "198.51.100.7" }, "10.0.0.1", true],
    ["two words that agree", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=198.51.100.7" }, "10.0.0.1", true],
    ["two words that do not", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=1.1.1.1" }, "10.0.0.1", false],
    ["no address", "", { forwardedFor: "1.1.1.1" }, "", false]
  ])("tells the peer and whether it is believed: %s", (_, socket, told, peer, trusted) => {
    expect(clientAddress(socket, headers(told), proxies)).toMatchObject({ peer, trusted })
  })

  it.each([
    ["an untrusted peer", "::ffff:198.51.100.7", { forwardedFor: "1.1.1.1" }, "198.51.100.7", false],
    ["a trusted peer that says nothing", "2001:0db8:ffff:0000:0000:0000:0000:0001", {}, "2001:db8:ffff::1", true],
    ["a trusted peer's word", "10.0.0.1", { forwardedFor: "198.51.100.7" }, "10.0.0.1", true],
    ["two words that agree", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=198.51.100.7" }, "10.0.0.1", true],
    ["two words that do not", "10.0.0.1", { forwardedFor: "198.51.100.7", forwarded: "for=1.1.1.1" }, "10.0.0.1", false],
    ["no address", "", { forwardedFor: "1.1.1.1" }, "", false]
  ])("tells the peer and whether it is believed: %s", (_, socket, told, peer, trusted) => {
    expect(clientAddress(socket, headers(told), proxies)).toMatchObject({ peer, trusted })
  })

  it("never returns what an untrusted hop claims", () => {
    const trustedHop = fc.integer({ min: 1, max: 0xffffff }).map((n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    // 172.16/12 is not trusted here, so that the real client is none of the proxies.
    const realClient = fc.integer({ min: 1, max: 0xffff }).map((n) => `172.16.${n >> 8}.${n & 255}`)
    const claims = fc.array(fc.oneof(address, trustedHop, garbage), { maxLength: 6 })
    fc.assert(
      fc.property(
        claims,
        realClient,
        fc.array(trustedHop, { maxLength: 4 }),
        trustedHop,
        fc.boolean(),
        (forged, client, hops, peer, standard) => {
          const clean = forged.map((claim) => claim.replaceAll(/["\\]/g, ""))
          const list = standard
            ? [...clean.map((claim) => `for="${claim}"`), ...[client, ...hops].map((hop) => `for=${hop}`)].join(", ")
            : [...clean, client, ...hops].join(", ")
          const told = headers(standard ? { forwarded: list } : { forwardedFor: list })
          expect(clientAddress(peer, told, proxies).address).toBe(client)
          expect(clientAddress(client, told, proxies).address).toBe(client)
        }
      ),
      { numRuns: 500 }
    )
  })

  it("answers a proxy or the proxy's word whatever the headers hold", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (forwardedFor, forwarded, forwardedProto) => {
        const told = { forwardedFor, forwarded, forwardedProto }
        expect(clientAddress("10.0.0.1", told, proxies).address).toMatch(/^[0-9a-f.:]+$/)
        expect(clientAddress("198.51.100.7", told, proxies)).toEqual({
          address: "198.51.100.7",
          secure: false,
          peer: "198.51.100.7",
          trusted: false
        })
      })
    )
  })
})

describe("trustedProxies", () => {
  it.each([
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "11.1.2.3", false],
    ["::1", "::1", true],
    ["::1", "::2", false],
    // Mistakes trust nobody.
    ["10.0.0.1/8", "10.0.0.1", false],
    ["10.0.0.0/", "10.0.0.1", false],
    ["0.0.0.0/", "10.0.0.1", false],
    ["10.0.0.0/8/8", "10.0.0.1", false],
    ["10.0.0.0/33", "10.0.0.1", false],
    ["::/x", "::1", false],
    ["proxy.example.com", "10.0.0.1", false],
    ["", "10.0.0.1", false]
  ])("%s trusts %s: %s", (entry, peer, trusted) => {
    const client = clientAddress(peer, headers({ forwardedFor: "198.51.100.7" }), trustedProxies([entry]))
    expect(client.address === "198.51.100.7").toBe(trusted)
  })
})
