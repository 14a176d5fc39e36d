/** The moment at which a message was due, carried in its text, so that whoever receives it knows how long it took. */

const digits = 14

/** `size` characters, at least the stamp's own. `due` is in milliseconds on the clock of `performance.now()`. */
export const stamp = (due: number, size: number): string => {
  const text = Math.round(due * 1000)
    .toString()
    .padStart(digits, "0")
  return size > digits ? text.padEnd(size, ".") : text
}

/** Milliseconds, as `stamp` was given them; undefined for a text without a stamp. */
export const readStamp = (text: string): number | undefined => {
  const due = Number(text.slice(0, digits))
  return text.length >= digits && Number.isFinite(due) ? due / 1000 : undefined
}
