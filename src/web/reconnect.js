// @ts-check
/**
 * When to connect again, and how long to wait before. Pure: the caller brings the randomness and keeps the time.
 */

const firstWait = 500
const longestWait = 10_000
const limitedWait = 5_000

/** The close codes after which connecting again makes no sense. After any other, and after a lost link, it does. */
const finalCodes = new Set([1000, 1009, 4400, 4401, 4403, 4409])

/** @type {Record<number, string>} */
const closeTexts = {
  1000: "The server closed the connection",
  1001: "The server is going away",
  1006: "The connection was lost",
  1009: "A message was too big",
  4400: "The server did not understand this client",
  4401: "The token is invalid or has expired",
  4403: "The server ended this connection",
  4408: "The server did not answer in time",
  4409: "Another connection took over this session",
  4413: "This connection was too slow",
  4429: "Too many messages or connections",
  4500: "The server had a fault",
  4503: "A backend of the server is unavailable"
}

/**
 * Whether a client that was closed with `code` should connect again.
 * @param {number} code
 */
export const shouldReconnect = (code) => !finalCodes.has(code)

/**
 * What happened, for a person.
 * @param {number} code
 * @param {string} [reason] the server's own words
 */
export const closeText = (code, reason) => {
  const text = closeTexts[code] ?? `The connection was closed (${code})`
  return reason ? `${text}: ${reason}` : text
}

/**
 * Milliseconds to wait before attempt number `attempt` (0 is the first): exponential backoff with full jitter, on top
 * of what the server asked for in `bye.after`. After a rate or connection limit (4429) the wait starts longer.
 * @param {{ attempt: number, code: number, after?: number | undefined, random: number }} input `random`: from 0 up to, not including, 1
 */
export const reconnectDelay = ({ attempt, code, after = 0, random }) => {
  const first = code === 4429 ? limitedWait : firstWait
  const ceiling = Math.min(longestWait, first * 2 ** Math.min(attempt, 16))
  return Math.round(after + random * ceiling)
}
