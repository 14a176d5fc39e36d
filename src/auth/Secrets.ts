/** Comparison of secrets that takes the same time whatever is presented. */
import { hash, timingSafeEqual } from "node:crypto"
import { Redacted } from "effect"

/** SHA-256. Digests are of one length, and how many of their bytes agree says nothing about the secrets. */
const digest = (secret: string): Buffer => hash("sha256", secret, "buffer")

/** Whether both are the same text, in a time that depends on their lengths only. */
export const secretEquals = (expected: Redacted.Redacted<string>, presented: string): boolean =>
  timingSafeEqual(digest(Redacted.value(expected)), digest(presented))

/**
 * A lookup of the key that was presented among `keys`. It compares with every key, so that its time tells neither whether
 * nor where one was found. Of equal keys the last one wins; the configuration refuses them.
 */
export const keyLookup = <K extends { readonly key: Redacted.Redacted<string> }>(
  keys: ReadonlyArray<K>
): ((presented: string) => K | undefined) => {
  const known = keys.map((entry) => ({ entry, digest: digest(Redacted.value(entry.key)) }))
  return (presented) => {
    const asked = digest(presented)
    let found = -1
    for (let index = 0; index < known.length; index++) {
      const candidate = known[index]
      // No branch on the comparison: 1 selects the index, 0 keeps what was found before.
      const equal = Number(candidate !== undefined && timingSafeEqual(candidate.digest, asked))
      found = equal * index + (1 - equal) * found
    }
    return known[found]?.entry
  }
}
