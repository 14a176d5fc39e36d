import { createHash, timingSafeEqual } from "node:crypto"
import { Redacted } from "effect"

/** What a key may do: see, make messages, send clients away. `*` is everything. */
export type Scope = "read" | "publish" | "manage"

export interface ApiKey {
  readonly name: string
  readonly key: Redacted.Redacted<string>
  readonly scopes: ReadonlyArray<string>
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/**
 * Finds the key that a request presents. Takes the same time whichever key it is, and whether it is one: digests of equal
 * length are compared, all of them, each in constant time.
 */
export const matchKey = (keys: ReadonlyArray<ApiKey>): ((presented: Redacted.Redacted<string>) => ApiKey | undefined) => {
  const known = keys.map((key) => ({ key, digest: digest(Redacted.value(key.key)) }))
  return (presented) => {
    const given = digest(Redacted.value(presented))
    let found: ApiKey | undefined
    for (const candidate of known) if (timingSafeEqual(candidate.digest, given)) found = candidate.key
    return found
  }
}

export const allows = (key: ApiKey, scope: Scope): boolean => key.scopes.includes("*") || key.scopes.includes(scope)
