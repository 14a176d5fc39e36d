import { describe, expect, it } from "vitest"
import { roomNameProblem } from "../../src/room/RoomNames.ts"

describe("roomNameProblem", () => {
  it.each(["a", "chat:1", "日本語", "with space", "a/b?c#d", "@ada", `@${"u".repeat(128)}`, "x".repeat(128), "é".repeat(64)])(
    "takes %s",
    (name) => {
      expect(roomNameProblem(name, 128)).toBeUndefined()
    }
  )

  it.each(["", "x".repeat(129), "é".repeat(65), "a\u0000b", "a\nb", "a\u007fb", "a\u0085b", "\ud800"])("refuses %j", (name) => {
    expect(roomNameProblem(name, 128)).toBeDefined()
  })
})
