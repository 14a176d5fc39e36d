/** Places in the configuration, as a person reads them: `server.port`, `room[1].publish`. */

export type Path = ReadonlyArray<string | number>

const bare = /^[A-Za-z0-9_-]+$/

/** The text of a path. Names that TOML would quote are quoted, control characters escaped. */
export const formatPath = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`
    const name = bare.test(part) ? part : JSON.stringify(part)
    return text === "" ? name : `${text}.${name}`
  }, "")

/** The path of a text that `formatPath` made from bare names. */
export const parsePath = (text: string): Path =>
  [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) => (index === undefined ? part : Number(index)))

/** The path of the key's description in the table of keys: every index becomes `[]`. */
export const keyPath = (path: Path): string =>
  path
    .map((part) => (typeof part === "number" ? "[]" : part))
    .join(".")
    .replaceAll(".[]", "[]")

/** Whether `text` is `ancestor` or lies below it. */
export const isWithin = (text: string, ancestor: string): boolean =>
  text === ancestor || text.startsWith(`${ancestor}.`) || text.startsWith(`${ancestor}[`)

export type Table = { [name: string]: unknown }

/** A table without a prototype, so that no name in a file can mean anything but a key. */
export const emptyTable = (): Table => Object.create(null)

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** What a value is, for "found …": a value that may be secret only by its type. */
export const describeValue = (value: unknown, hidden: boolean): string => {
  if (Array.isArray(value)) return "a list"
  if (value instanceof Date) return "a date"
  if (isTable(value)) return "a table"
  if (typeof value === "string") {
    if (value === "") return "an empty string"
    return hidden ? "a string" : JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  }
  return hidden ? `a ${typeof value}` : String(value)
}

/** A deep copy of tables and arrays; other values are shared. */
export const copyValue = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copyValue)
  if (!isTable(value)) return value
  const copy = emptyTable()
  for (const name of Object.keys(value)) copy[name] = copyValue(value[name])
  return copy
}

/** The value at a path, or undefined. */
export const valueAt = (root: unknown, path: Path): unknown => {
  let value = root
  for (const part of path) {
    if (typeof part === "number") {
      if (!Array.isArray(value)) return undefined
      value = value[part]
    } else {
      if (!isTable(value) || !Object.hasOwn(value, part)) return undefined
      value = value[part]
    }
  }
  return value
}
