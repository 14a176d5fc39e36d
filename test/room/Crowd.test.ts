import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Crowd } from "../../src/room/Crowd.ts"

const publishers = fc.array(fc.constantFrom("ada", "bob", undefined), { maxLength: 50 })

describe("a crowd", () => {
  it("is not one who publishes much, or many who do so now and then", () => {
    fc.assert(
      fc.property(publishers, fc.integer({ min: 0, max: 9 }), (many, apart) => {
        const [alone, slow] = [new Crowd<string>(), new Crowd<string>()]
        for (const [n, publisher] of many.entries()) {
          expect(alone.joinedBy("ada", n * apart)).toBe(false)
          expect(slow.joinedBy(publisher, n * (10 + apart))).toBe(false)
        }
      })
    )
  })

  it("is many who publish closely after each other, until there is a pause", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 5, max: 50 }), (apart, count) => {
        const crowd = new Crowd<number>()
        let now = 0
        const broadcast = (publisher: number): boolean => crowd.joinedBy(publisher, (now += apart))
        const noted = Array.from({ length: count }, (_, n) => broadcast(n))
        expect(noted).toEqual(noted.map((_, n) => n >= 4))
        // One of them going on by itself does not end it, for the others' messages may wait for it.
        expect(broadcast(count)).toBe(true)
        expect(broadcast(count)).toBe(true)
        now += 10
        expect(broadcast(0)).toBe(false)
      })
    )
  })

  it("does not keep a publisher that is gone", () => {
    const crowd = new Crowd<object>()
    const publisher = { name: "ada" }
    crowd.joinedBy(publisher, 0)
    expect(Object.values(crowd)).toContain(publisher)
    crowd.forget(publisher)
    expect(Object.values(crowd)).not.toContain(publisher)
  })
})
