/**
 * The cookie that names a client's target: `TAG.EXPIRY.MAC`. TAG is a keyed hash of the target's id, so that the cookie does
 * not tell where the targets are; EXPIRY is in seconds since 1970, in base 36; MAC is HMAC-SHA256 over both and the cookie's
 * name. Nothing is stored: the cookie is as good after a restart and on every node with the same secret and targets.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto"
import type { Asker } from "./Asker.ts"

export interface StickyCookieOptions {
  readonly name: string
  /** Seconds. */
  readonly ttl: number
  /** The same on all nodes. At least 16 bytes. */
  readonly secret: Uint8Array
}

export interface Stuck {
  /** Of the target, in the list that the cookie was made for. */
  readonly index: number
  /** More than half of its time has passed: it should be set anew. */
  readonly stale: boolean
}

const SHAPE = /^([A-Za-z0-9_-]{16})\.([0-9a-z]{1,9})\.([A-Za-z0-9_-]{43})$/

/** A browser may send several cookies of one name. What more a client sends is not looked at: each costs a MAC. */
const MAX_COOKIES = 4

export class StickyCookie {
  readonly #name: string
  readonly #ttl: number
  readonly #key: KeyObject
  readonly #tags: ReadonlyArray<string>
  readonly #indices: ReadonlyMap<string, number>

  /** `ids` are the targets of the route. */
  constructor(options: StickyCookieOptions, ids: ReadonlyArray<string>) {
    this.#name = options.name
    this.#ttl = Math.max(1, Math.round(options.ttl))
    this.#key = createSecretKey(options.secret)
    this.#tags = ids.map((id) => this.#mac(`target\n${id}`).slice(0, 16))
    this.#indices = new Map(this.#tags.map((tag, index) => [tag, index]))
  }

  /** The target that the client's cookies name. Forged, expired and foreign ones are as good as none. `now` in ms since 1970. */
  read(cookies: string | undefined, now: number): Stuck | undefined {
    if (cookies === undefined) return undefined
    for (const value of valuesOf(cookies, this.#name, MAX_COOKIES)) {
      const [, tag = "", expiry = "", mac = ""] = SHAPE.exec(value) ?? []
      const index = this.#indices.get(tag)
      const left = Number.parseInt(expiry, 36) - now / 1000
      if (index !== undefined && left > 0 && sameText(mac, this.#sign(tag, expiry))) return { index, stale: left < this.#ttl / 2 }
    }
    return undefined
  }

  /** A Set-Cookie value that sticks the client to the target at `index`. `now` in ms since 1970. */
  write(index: number, asker: Asker, now: number): string {
    const tag = this.#tags[index] ?? ""
    const expiry = (Math.floor(now / 1000) + this.#ttl).toString(36)
    const value = `${tag}.${expiry}.${this.#sign(tag, expiry)}`
    return `${this.#name}=${value}; Path=/; Max-Age=${this.#ttl}; HttpOnly; ${siteOf(asker)}`
  }

  #sign(tag: string, expiry: string): string {
    return this.#mac(`cookie\n${this.#name}\n${tag}.${expiry}`)
  }

  #mac(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url")
  }
}

/** In constant time. Different lengths are no secret. */
const sameText = (given: string, expected: string): boolean =>
  given.length === expected.length && timingSafeEqual(Buffer.from(given, "latin1"), Buffer.from(expected, "latin1"))

/** The values of the cookies of this name, in the order given (RFC 6265, section 5.4: the most specific first). */
const valuesOf = (cookies: string, name: string, most: number): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (let start = 0; start < cookies.length && values.length < most;) {
    const semicolon = cookies.indexOf(";", start)
    const end = semicolon === -1 ? cookies.length : semicolon
    while (cookies[start] === " ") start++
    if (cookies.startsWith(name, start) && cookies[start + name.length] === "=")
      values.push(cookies.slice(start + name.length + 1, end).trim())
    start = end + 1
  }
  return values
}

/**
 * A page of another site sends a Lax cookie neither with its polling requests nor with its WebSocket handshakes, and a
 * Socket.IO session would be torn apart. Other balancers set a second cookie with SameSite=None for that; here the request
 * tells which one is needed. It is no risk: the cookie chooses a target, it proves nothing. Browsers take SameSite=None over
 * TLS only, and Partitioned makes it pass where cookies of other sites are blocked otherwise.
 */
const siteOf = ({ headers, secure }: Asker): string =>
  !secure ? "SameSite=Lax" : fromOtherSite(headers) ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax; Secure"

/** A browser's own word if it gives it; else whether the page comes from another host. */
const fromOtherSite = (headers: ReadonlyMap<string, string>): boolean => {
  const site = headers.get("sec-fetch-site")
  if (site !== undefined) return site === "cross-site"
  const origin = headers.get("origin")
  if (origin === undefined) return false
  const host = URL.parse(`http://${headers.get("host") ?? ""}`)
  return URL.parse(origin)?.hostname !== host?.hostname
}
