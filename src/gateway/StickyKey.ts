/** By what a client is known again where nothing is stored with it. Pure. */
import { decodeFormText } from "../auth/TokenSource.ts"
import type { ProxyRoute } from "../config/proxy.ts"
import { addressKey } from "../limits/AddressKey.ts"
import type { Asker } from "./Asker.ts"

export type StickyBy = NonNullable<ProxyRoute["sticky_sessions"]>["by"]

/** Takes the key from a client; undefined if it has none, such as a client without a user. */
export type StickyKey = (asker: Asker) => string | undefined

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

/** An IPv6 client counts as its network: the address within it changes from day to day (RFC 8981). */
export const byAddress: StickyKey = (asker) => addressKey(asker.address)

/** The first value of a parameter, decoded; as it is where it cannot be decoded. */
const parameter = (query: string, name: string): string | undefined => {
  for (const pair of query.split("&")) {
    const at = pair.indexOf("=")
    if (at === -1 || decodeFormText(pair.slice(0, at)) !== name) continue
    const value = pair.slice(at + 1)
    return decodeFormText(value) ?? value
  }
  return undefined
}

/** For "cookie" there is no key: see `StickyCookie`. An empty header or parameter is as good as none. */
export const stickyKeyBy = (by: StickyBy): StickyKey | undefined => {
  switch (by) {
    case "cookie":
      return undefined
    case "ip":
      return byAddress
    case "user":
      return (asker) => nonEmpty(asker.user)
  }
  const name = by.slice(by.indexOf(":") + 1)
  if (by.startsWith("query:")) return (asker) => nonEmpty(parameter(asker.query, name))
  const header = name.toLowerCase()
  return (asker) => nonEmpty(asker.headers.get(header))
}
