import { describe, expect, it } from "vitest"
import { builtInRoom, type RoomBlock } from "../../src/config/Settings.ts"
import { type Asker, compileGrants, mayJoin, mayPublish, mayReadHistory, mayReadPresence, noGrants } from "../../src/room/Permissions.ts"

const block = (changes: Partial<RoomBlock> = {}): RoomBlock => ({ ...builtInRoom, ...changes })
const nobody: Asker = { user: undefined, grants: noGrants }
const ada: Asker = { user: "ada", grants: noGrants }
const granted: Asker = { user: "ada", grants: compileGrants({ join: ["chat:*"], publish: ["chat:1"], presence: [], history: ["*"] }) }

describe("mayJoin", () => {
  it.each([
    ["anyone", nobody, undefined],
    ["users", nobody, "forbidden"],
    ["users", ada, undefined],
    ["token", ada, "forbidden"],
    ["token", granted, undefined],
    ["none", granted, "forbidden"]
  ] as const)("join = %s, %o: %s", (join, asker, code) => {
    expect(mayJoin(block({ join }), asker, "chat:1")?.code).toBe(code)
  })

  it("a token that lists rooms also limits to them", () => {
    expect(mayJoin(block(), granted, "news")?.code).toBe("forbidden")
  })
})

describe("mayPublish", () => {
  it.each([
    ["members", nobody, false, "not_in_room"],
    ["members", nobody, true, undefined],
    ["members", granted, true, undefined],
    ["anyone", nobody, false, undefined],
    ["users", nobody, true, "forbidden"],
    ["users", ada, false, undefined],
    ["token", ada, true, "forbidden"],
    ["token", granted, false, undefined],
    ["none", granted, true, "forbidden"]
  ] as const)("publish = %s, %o, member %s: %s", (publish, asker, isMember, code) => {
    expect(mayPublish(block({ publish }), asker, "chat:1", isMember)?.code).toBe(code)
  })

  it("a token that may join a room may still not be allowed to publish there", () => {
    expect(mayPublish(block(), granted, "chat:2", true)?.code).toBe("forbidden")
  })
})

describe("mayReadPresence", () => {
  it.each([
    ["members", nobody, false, "not_in_room"],
    ["members", nobody, true, undefined],
    ["anyone", nobody, false, undefined],
    ["none", nobody, true, "forbidden"],
    ["anyone", granted, true, "forbidden"]
  ] as const)("presence = %s, %o, member %s: %s", (presence, asker, isMember, code) => {
    expect(mayReadPresence(block({ presence }), asker, "chat:1", isMember)?.code).toBe(code)
  })
})

describe("mayReadHistory", () => {
  it("is for members whose token does not say otherwise", () => {
    expect(mayReadHistory(nobody, "chat:1", false)?.code).toBe("not_in_room")
    expect(mayReadHistory(nobody, "chat:1", true)).toBeUndefined()
    expect(mayReadHistory({ user: "ada", grants: compileGrants({ history: ["news"] }) }, "chat:1", true)?.code).toBe("forbidden")
  })
})
