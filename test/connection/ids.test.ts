import { expect, it } from "vitest"
import { newConnectionId, newSession } from "../../src/connection/ids.ts"

it("ids are of their length, of URL-safe characters, and none comes twice", () => {
  const ids = Array.from({ length: 20_000 }, (_, n) => (n % 2 === 0 ? newConnectionId() : newSession()))
  for (const [n, id] of ids.entries()) expect(id).toMatch(n % 2 === 0 ? /^[\w-]{16}$/ : /^[\w-]{24}$/)
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBe(ids.length)
})
