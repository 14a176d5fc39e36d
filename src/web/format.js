// @ts-check
/** How values are put into words. Pure. */

const longestData = 20_000

/**
 * The chat message in `data`, if it is one: `{text, name?}`.
 * @param {unknown} data
 * @returns {{ text: string, name: string | undefined } | undefined}
 */
export const chatOf = (data) => {
  if (typeof data !== "object" || data === null || !("text" in data) || typeof data.text !== "string") return undefined
  const name = "name" in data && typeof data.name === "string" ? data.name.trim().slice(0, 40) : ""
  return { text: data.text, name: name === "" ? undefined : name }
}

/** @param {Uint8Array} bytes */
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))

/**
 * Any value as JSON text; bin values of MessagePack as the base64 that a JSON client would get.
 * @param {unknown} value
 * @param {number} [indent]
 */
export const dataText = (value, indent) => {
  const text = JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? base64(part) : part), indent) ?? "nothing"
  return text.length > longestData ? `${text.slice(0, longestData)}…` : text
}

/**
 * The first `most` bytes in hexadecimal.
 * @param {Uint8Array} bytes
 */
export const hexText = (bytes, most = 256) => {
  const shown = Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
  return bytes.length > most ? `${shown} …` : shown
}

/** @param {number} bytes */
export const sizeText = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`)

/** @param {number} ms */
export const latencyText = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

/**
 * An identifier short enough to read.
 * @param {string} id
 */
export const shortId = (id) => (id.length > 10 ? `${id.slice(0, 8)}…` : id)

/**
 * @param {number} count
 * @param {string} singular
 * @param {string} [plural]
 */
export const countText = (count, singular, plural = `${singular}s`) => `${count} ${count === 1 ? singular : plural}`

/**
 * How long ago, in one unit.
 * @param {number} ms
 */
export const ageText = (ms) => {
  const minutes = Math.floor(Math.max(0, ms) / 60_000)
  if (minutes < 1) return "just now"
  if (minutes < 60) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const dateAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })

/** @param {number} time */
export const timeText = (time) => clock.format(time)
/** @param {number} time */
export const secondsText = (time) => clockSeconds.format(time)
/** @param {number} time */
export const fullTimeText = (time) => dateAndClock.format(time)

export const hues = 8

/**
 * One of eight colours, always the same for the same text.
 * @param {string} text
 */
export const hueOf = (text) => {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return ((hash ^ (hash >>> 15)) >>> 0) % hues
}

/**
 * One or two letters that stand for a name.
 * @param {string} name
 */
export const initialsOf = (name) => {
  const words = name.split(/[\s._@-]+/u).filter((word) => word !== "")
  const first = Array.from(words[0] ?? "?")[0] ?? "?"
  const last = words.length > 1 ? (Array.from(words.at(-1) ?? "")[0] ?? "") : ""
  return (first + last).toUpperCase()
}
