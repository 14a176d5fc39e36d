import { describe, expect, it } from "vitest"
import { stickyKeyBy } from "../../src/gateway/StickyKey.ts"
import { asker } from "./asker.ts"

describe("stickyKeyBy", () => {
  it("has no key for clients that are known by a cookie", () => {
    expect(stickyKeyBy("cookie")).toBeUndefined()
  })

  it.each([
    { by: "ip", known: { address: "192.0.2.7" }, key: "192.0.2.7" },
    { by: "user", known: { user: "ada" }, key: "ada" },
    { by: "user", known: {}, key: undefined },
    { by: "header:X-Tenant", known: { headers: { "x-tenant": "blue" } }, key: "blue" },
    { by: "header:X-Tenant", known: { headers: { "x-other": "blue" } }, key: undefined },
    { by: "header:X-Tenant", known: { headers: { "x-tenant": "" } }, key: undefined },
    { by: "query:room", known: { query: "a=1&room=lobby&room=hall" }, key: "lobby" },
    { by: "query:room", known: { query: "room=two+words%21" }, key: "two words!" },
    { by: "query:room", known: { query: "r%6fom=lobby" }, key: "lobby" },
    { by: "query:room", known: { query: "room=%ff" }, key: "%ff" },
    { by: "query:room", known: { query: "%ff=1&room=lobby" }, key: "lobby" },
    { by: "query:room", known: { query: "room=" }, key: undefined },
    { by: "query:room", known: { query: "room" }, key: undefined },
    { by: "query:room", known: { query: "roommate=1&x=room=2" }, key: undefined },
    { by: "query:room", known: { query: "" }, key: undefined }
  ] as const)("by $by takes $key from $known", ({ by, key, known }) => {
    expect(stickyKeyBy(by)?.(asker(known))).toBe(key)
  })

  it("knows an IPv6 client by its network, for its address changes from day to day", () => {
    const byIp = stickyKeyBy("ip")
    expect(byIp?.(asker({ address: "2001:db8:1:2:aaaa::1" }))).toBe(byIp?.(asker({ address: "2001:db8:1:2:bbbb::2" })))
    expect(byIp?.(asker({ address: "2001:db8:1:2::1" }))).not.toBe(byIp?.(asker({ address: "2001:db8:1:3::1" })))
  })
})
