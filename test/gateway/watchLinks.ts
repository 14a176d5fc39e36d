import { vi } from "vitest"
import type { Link } from "../../src/gateway/link/Link.ts"
import { Links } from "../../src/gateway/Links.ts"
import { atEndOfTest } from "../hub/support.ts"

/** The links of the servers of this process, as they are opened, until the test ends. */
export const watchLinks = (): ReadonlyArray<Link> => {
  const links: Array<Link> = []
  const { open } = Links.prototype
  const spy = vi.spyOn(Links.prototype, "open").mockImplementation(function (this: Links, ...args) {
    const link = open.apply(this, args)
    links.push(link)
    return link
  })
  atEndOfTest(() => spy.mockRestore())
  return links
}
