/** Puts the sources of a configuration on top of each other and remembers where each value came from. */
import { copyValue, emptyTable, formatPath, isTable, isWithin, type Path, type Table, valueAt } from "./path.ts"

/** One value from the environment or the command line, with the name under which its source knows it. */
export interface Value {
  readonly path: ReadonlyArray<string>
  readonly value: unknown
  readonly source: string
  readonly name: string
}

/** Where something stands: the source and the name of the key in it. */
export interface Origin {
  readonly source: string
  readonly key: string
}

/** The merged values, and who is to be told about a mistake in one of them. */
export interface Merged {
  readonly table: Table
  /** The place to name for a mistake that hangs on these paths: the first of them that was set anywhere. */
  readonly originOf: (...paths: ReadonlyArray<Path>) => Origin
}

/** Sets a value; a way that is barred by something that is not a table is left for the schema to complain about. */
const assign = (root: Table, path: ReadonlyArray<string>, value: unknown): boolean => {
  let table = root
  for (const name of path.slice(0, -1)) {
    const next = (table[name] ??= emptyTable())
    if (!isTable(next)) return false
    table = next
  }
  const last = path.at(-1)
  if (last !== undefined) table[last] = copyValue(value)
  return true
}

/**
 * `base` is what the file holds (or a program passed), `baseName` its name in mistakes. Later `values` win. Tables are
 * merged key by key, everything else is replaced as a whole.
 */
export const merge = (base: Table, baseName: string, values: ReadonlyArray<Value>): Merged => {
  const table = emptyTable()
  for (const name of Object.keys(base)) table[name] = copyValue(base[name])
  const set = new Map<string, Value>()
  for (const value of values) if (assign(table, value.path, value.value)) set.set(formatPath(value.path), value)

  const origin = (value: Value): Origin => ({ source: value.source, key: value.name })
  const above = (text: string): Value | undefined => set.get(text) ?? [...set].find(([path]) => isWithin(text, path))?.[1]
  const below = (text: string): Value | undefined => [...set].find(([path]) => isWithin(path, text))?.[1]

  const written = (path: Path): Origin | undefined => {
    const text = formatPath(path)
    const over = above(text)
    if (over !== undefined) return origin(over)
    if (valueAt(base, path) !== undefined) return { source: baseName, key: text }
    const inner = below(text)
    return inner === undefined ? undefined : origin(inner)
  }
  /** For a key that is missing: the source that began the table it is missing in. */
  const missing = (path: Path): Origin => {
    const parent = path.slice(0, -1)
    const sibling = valueAt(base, parent) === undefined ? below(formatPath(parent)) : undefined
    return { source: sibling?.source ?? baseName, key: formatPath(path) }
  }

  return {
    table,
    originOf: (...paths) => {
      for (const path of paths) {
        const found = written(path)
        if (found !== undefined) return found
      }
      return missing(paths[0] ?? [])
    }
  }
}
