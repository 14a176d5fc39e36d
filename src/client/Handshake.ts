import type { Encoding } from "../wire/Codec.ts"

/** What a client says about itself while connecting. */
export interface Hello {
  readonly encoding: Encoding
  /** Asks the server to put several messages into one frame where it has them. */
  readonly batch: boolean
  readonly token: string | undefined
}

/** What a WebSocket constructor takes. */
export interface Handshake {
  readonly url: string
  readonly protocols: Array<string>
}

/** The characters of a subprotocol (RFC 6455 section 4.1: a token of RFC 9110 section 5.6.2). */
const subprotocol = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const withQuery = (url: string, name: string, value: string): string => {
  const parsed = new URL(url)
  parsed.searchParams.set(name, value)
  return parsed.href
}

/**
 * Encoding, batching and token as subprotocols, which is all that a browser lets a client say. The server selects
 * the encoding's and never repeats the token's. A token with characters that a subprotocol can not hold (a JWT has
 * none) travels as `?token=` instead.
 */
export const handshake = (url: string, hello: Hello): Handshake => {
  const protocols = [`weft.v1.${hello.encoding}`]
  if (hello.batch) protocols.push("weft.batch")
  if (hello.token === undefined) return { url, protocols }
  if (!subprotocol.test(hello.token)) return { url: withQuery(url, "token", hello.token), protocols }
  return { url, protocols: [...protocols, `weft.token.${hello.token}`] }
}

/**
 * The address as WebSocket URL: `http` becomes `ws`, a relative address is resolved against `base` (in a browser the
 * page's), the fragment goes. Throws `TypeError` when it is not an address of these schemes.
 */
export const webSocketUrl = (url: string | URL, base: string | undefined): string => {
  const parsed = new URL(url, base)
  parsed.hash = ""
  if (parsed.protocol === "http:") parsed.protocol = "ws:"
  if (parsed.protocol === "https:") parsed.protocol = "wss:"
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") throw new TypeError(`not a WebSocket address: ${parsed.protocol}//…`)
  return parsed.href
}
