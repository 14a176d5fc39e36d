import { expect, it } from "vitest"
import { makeMaskKeys } from "../../../src/gateway/link/maskKeys.ts"

it("mask keys are what the source of randomness gives, one after the other, without those of four zeros", () => {
  let byte = 0
  // 0 0 0 0 0 0 0 1 0 0 0 2 …
  const keys = makeMaskKeys((bytes) => {
    for (let i = 0; i < bytes.length; i += 4, byte++) bytes.set([0, 0, byte >> 8, byte & 0xff], i)
  })
  const key = new Uint8Array(4)
  const seen = Array.from({ length: 5000 }, () => {
    keys(key)
    return key[2]! * 256 + key[3]!
  })
  expect(seen).toEqual(Array.from({ length: 5000 }, (_, index) => index + 1))
})

it("mask keys differ from each other by themselves", () => {
  const keys = makeMaskKeys()
  const seen = new Set<string>()
  for (let count = 0; count < 10_000; count++) {
    const key = Buffer.alloc(4)
    keys(key)
    seen.add(key.toString("hex"))
  }
  expect(seen.size).toBeGreaterThan(9_900)
})
