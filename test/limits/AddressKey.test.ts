import { describe, expect, it } from "vitest"
import { addressKey } from "../../src/limits/AddressKey.ts"

describe("addressKey", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["", ""]
  ])("%s counts as %s", (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
