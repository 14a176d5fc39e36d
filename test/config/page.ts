import { readFileSync } from "node:fs"
import type { Key } from "../../src/config/Key.ts"

export const page = readFileSync(new URL("../../docker/configuration.md", import.meta.url), "utf8")
export const example = readFileSync(new URL("../../docker/weft.example.toml", import.meta.url), "utf8")

const cell = (text: string): string => text.replaceAll("|", "\\|")

const fallback = (key: Key): string =>
  key.required === true ? "required" : key.default === undefined ? "none" : key.default === "see text" ? "see text" : `\`${key.default}\``

/** The row of the page for a key. A tested page holds exactly this; after a change of the schema copy it from the failing test. */
export const keyRow = (key: Key): string => `| \`${key.name}\` | ${cell(key.type)} | ${fallback(key)} | ${cell(key.doc)} |`

/** The heading of a table's part of the page. */
export const heading = (key: Key): string => {
  const path = key.path.replaceAll("[]", "")
  return key.kind === "tables" ? `### [[${path}]]` : `### [${path}]`
}

/** The code blocks of the page in one language. */
export const blocks = (language: string): ReadonlyArray<string> =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text)
