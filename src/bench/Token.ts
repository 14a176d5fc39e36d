import { createHmac } from "node:crypto"
import type { DialectOptions } from "./Dialect.ts"

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

const head = part({ alg: "HS256", typ: "JWT" })

/** Longer than any run. */
const tokenLife = 6 * 3600

/** A JWT (HS256, RFC 7519) for `user`, good for `seconds` from now. Synchronous, so that thousands are minted before a run. */
export const mintToken = (secret: string, user: string, seconds: number): string => {
  const body = `${head}.${part({ sub: user, exp: Math.floor(Date.now() / 1000) + seconds })}`
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`
}

/** The token of connection `index`: the given one, one of its own by the secret, or none. */
export const bearerOf = ({ secret, token }: Pick<DialectOptions, "secret" | "token">, index: number): string | undefined =>
  token ?? (secret === undefined ? undefined : mintToken(secret, `load-${index}`, tokenLife))
