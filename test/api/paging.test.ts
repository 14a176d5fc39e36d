import * as fc from "fast-check"
import { expect, it } from "vitest"
import { pageOf } from "../../src/api/paging.ts"

it("pages put together are all names in order, each once, whatever the size of a page", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 10 }), (names, limit) => {
      const seen: Array<string> = []
      let after: string | undefined
      do {
        const page = pageOf(names, (name) => name, { limit, ...(after === undefined ? {} : { after }) })
        expect(page.items.length).toBeLessThanOrEqual(limit)
        seen.push(...page.items)
        after = page.next
      } while (after !== undefined)
      // By code unit, as the default order of strings is.
      expect(seen).toEqual(names.toSorted())
    })
  )
})

it("a page goes on where the last one ended although its last item has gone", () => {
  expect(pageOf(["a", "c", "d"], (name) => name, { limit: 1, after: "b" })).toEqual({ items: ["c"], next: "c" })
})

it("the last page says so, also when it is full", () => {
  expect(pageOf(["a", "b"], (name) => name, { limit: 2 })).toEqual({ items: ["a", "b"] })
})
