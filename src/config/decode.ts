/**
 * From merged values to the configuration. Every mistake is told: what is wrong is taken out and the rest decoded
 * again, so that the checks between keys still see all that is right.
 */
import { Result, Schema, type SchemaIssue } from "effect"
import type { Key } from "./Key.ts"
import { copyValue, describeValue, emptyTable, formatPath, isTable, isWithin, keyPath, type Path, type Table, valueAt } from "./path.ts"
import { keys, SettingsFile } from "./Settings.ts"
import { suggest } from "./suggest.ts"

/** A mistake in one key. */
export interface Wrong {
  readonly path: Path
  readonly reason: string
}

export interface Decoded {
  /** The configuration without what is wrong; undefined when nothing of it could be read. */
  readonly settings: SettingsFile | undefined
  readonly mistakes: ReadonlyArray<Wrong>
  /** Keys (as texts) whose value here is not what was meant. */
  readonly unreliable: ReadonlyArray<string>
}

interface Found {
  readonly path: Path
  readonly kind: "missing" | "unknown" | "invalid"
  readonly message?: string
}

const byPath: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.path, key]))

const messageOf = (issue: SchemaIssue.Issue): string | undefined => {
  if (issue._tag !== "InvalidValue") return undefined
  const message = issue.annotations?.message
  return typeof message === "string" ? message : undefined
}

const partOf = (key: PropertyKey): string | number => (typeof key === "symbol" ? String(key) : key)

const flatten = (issue: SchemaIssue.Issue, path: Path): ReadonlyArray<Found> => {
  switch (issue._tag) {
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path.map(partOf)])
    case "Encoding":
    case "Filter":
      return flatten(issue.issue, path)
    case "AnyOf": {
      // One form of the value fits its type: what is wrong is inside of it.
      const [only, ...others] = issue.issues
      return only === undefined || others.length > 0 ? [{ path, kind: "invalid" }] : flatten(only, path)
    }
    case "Composite":
      return issue.issues.flatMap((inner) => flatten(inner, path))
    case "MissingKey":
      return [{ path, kind: "missing" }]
    case "UnexpectedKey":
      return [{ path, kind: "unknown" }]
    default: {
      const message = messageOf(issue)
      return [{ path, kind: "invalid", ...(message === undefined ? {} : { message }) }]
    }
  }
}

/** The key that was meant by an unknown one: a neighbour with a similar name, else one of that name elsewhere. */
const meant = (path: Path): { readonly text: string; readonly path: string } | undefined => {
  const parent = path.slice(0, -1)
  const name = String(path.at(-1))
  const prefix = keyPath(parent)
  const siblings = keys.filter((key) => key.path === (prefix === "" ? key.name : `${prefix}.${key.name}`))
  const near = suggest(
    name,
    siblings.map((key) => key.name)
  )
  if (near !== undefined) return { text: near, path: formatPath([...parent, near]) }
  const elsewhere = keys.find((key) => key.name === name)
  return elsewhere === undefined ? undefined : { text: elsewhere.path, path: elsewhere.path }
}

const expected = (path: Path): string => {
  const key = byPath.get(keyPath(path))
  if (key !== undefined) return key.expected
  const holder = byPath.get(keyPath(path.slice(0, -1)))
  return holder?.item ?? (holder?.kind === "list" ? "a non-empty string" : "a table")
}

const reasonOf = (found: Found, root: Table): string => {
  if (found.kind === "missing") return "is missing"
  if (found.kind === "unknown") {
    const near = meant(found.path)
    return `unknown key${near === undefined ? "" : `; did you mean ${near.text}?`}`
  }
  if (found.message !== undefined) return found.message
  const key = byPath.get(keyPath(found.path)) ?? byPath.get(keyPath(found.path.slice(0, -1)))
  return `expected ${expected(found.path)}, found ${describeValue(valueAt(root, found.path), key?.hidden === true)}`
}

/** Stands for a required key that can not be read, so that the rest of its table can; fits the rules of those that have no placeholder of their own. */
const PLACEHOLDER = "https://unreadable.invalid/"

const remove = (root: Table, path: Path): void => {
  const holder = valueAt(root, path.slice(0, -1))
  const last = path.at(-1)
  if (Array.isArray(holder) && typeof last === "number") holder[last] = emptyTable()
  else if (isTable(holder) && typeof last === "string") {
    const key = byPath.get(keyPath(path))
    if (key?.required === true) holder[last] = key.placeholder ?? PLACEHOLDER
    else delete holder[last]
  }
}

/** What has to go so that the rest can be read: the key, or the whole list that an item spoils. */
const culprit = (path: Path): Path => {
  const list = path.findIndex((part, index) => typeof part === "number" && byPath.get(keyPath(path.slice(0, index)))?.kind === "list")
  return list === -1 ? path : path.slice(0, list)
}

/** The keys whose value can not be relied on when this is wrong. */
const spoiled = (found: Found): string =>
  found.kind === "unknown" ? (meant(found.path)?.path ?? formatPath(found.path)) : formatPath(culprit(found.path))

const decodeFile = Schema.decodeUnknownResult(SettingsFile, { errors: "all", onExcessProperty: "error" })

/** More rounds than there are levels at which something can be wrong. */
const ROUNDS = 12

export const decode = (values: Table): Decoded => {
  const root = copyValue(values)
  const mistakes = new Map<string, Wrong>()
  const unreliable: Array<string> = []
  if (!isTable(root)) return { settings: undefined, mistakes: [], unreliable }
  for (let round = 0; round < ROUNDS; round++) {
    const result = decodeFile(root)
    if (Result.isSuccess(result)) return { settings: result.success, mistakes: [...mistakes.values()], unreliable }
    const all = flatten(result.failure.issue, [])
    // What is missing because it was misspelt, or because its table was taken out, has been told already.
    unreliable.push(...all.filter(({ kind }) => kind !== "missing").map(spoiled))
    for (const found of all) {
      const text = formatPath(found.path)
      const told = mistakes.has(text) || (found.kind === "missing" && unreliable.some((other) => isWithin(text, other)))
      if (!told) mistakes.set(text, { path: found.path, reason: reasonOf(found, root) })
    }
    unreliable.push(...all.filter(({ kind }) => kind === "missing").map(spoiled))
    for (const found of all) remove(root, culprit(found.path))
  }
  return { settings: undefined, mistakes: [...mistakes.values()], unreliable }
}
