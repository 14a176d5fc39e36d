/** What keeps foreign text from steering the terminal: control characters, and marks that turn the direction of text around. */
const steering = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const escaped = (char: string): string => {
  if (char === "\n") return "\\n"
  const code = char.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

/** Text from outside as one harmless line. */
export const harmless = (text: string): string => text.replace(steering, escaped)

/** How parts of a line are marked. Foreign text goes through `harmless` before. */
export interface Style {
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
  readonly room: (text: string) => string
  readonly error: (text: string) => string
}

const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`
const plain = (text: string): string => text

export const colours: Style = { dim: sgr(2), bold: sgr(1), room: sgr(36), error: sgr(31) }
export const noColours: Style = { dim: plain, bold: plain, room: plain, error: plain }
