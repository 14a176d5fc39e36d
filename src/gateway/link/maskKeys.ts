/** Mask keys for frames to backends (RFC 6455, section 5.3). */
import { randomFillSync } from "node:crypto"

const poolSize = 8_192

/**
 * Writes keys from what `fill` gives, but never one of four zeros: `ws` does not copy a payload that such a key would leave
 * as it is, and sends it from where it lies, at a time when lent bytes are no longer there.
 */
export const makeMaskKeys = (fill: (bytes: Uint8Array) => void = randomFillSync): ((key: Uint8Array) => void) => {
  const pool = new Uint8Array(poolSize)
  let at = poolSize
  return (key) => {
    do {
      if (at === poolSize) {
        fill(pool)
        at = 0
      }
      for (let i = 0; i < 4; i++) key[i] = pool[at++] ?? 0
    } while ((key[0]! | key[1]! | key[2]! | key[3]!) === 0)
  }
}
