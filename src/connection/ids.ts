import { randomFillSync } from "node:crypto"

/** Random bytes are fetched for many ids at once: each call costs far more than the bytes. */
const pool = Buffer.alloc(3_000)
let used = pool.length

const randomText = (bytes: number): string => {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const text = pool.toString("base64url", used, used + bytes)
  // Spent: an id must not be found again in memory that others may read.
  pool.fill(0, used, used + bytes)
  used += bytes
  return text
}

/** Names a connection: 96 random bits. */
export const newConnectionId = (): string => randomText(12)

/** A secret of 144 bits: whoever shows a session may take it over. */
export const newSession = (): string => randomText(18)
