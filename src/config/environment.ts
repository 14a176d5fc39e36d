/** The environment as a layer of the configuration: `WEFT_SECTION_KEY`, `NATS_URL` and `NODE_ID`. */
import type { Key } from "./Key.ts"
import type { Value } from "./layers.ts"
import type { Mistake } from "./Mistake.ts"
import { describeValue } from "./path.ts"
import { keys } from "./Settings.ts"
import { suggest } from "./suggest.ts"

export type Environment = Readonly<Record<string, string | undefined>>

export const ENVIRONMENT = "environment"

/** The variable of a key, or undefined for keys inside arrays of tables and for tables themselves. */
export const variableOf = (key: Key): string | undefined =>
  key.path.includes("[]") || key.fields !== undefined || key.kind === "any" || key.kind === "map"
    ? undefined
    : `WEFT_${key.path.replaceAll(".", "_").toUpperCase()}`

const byVariable: ReadonlyMap<string, Key> = new Map(
  keys.flatMap((key): Array<[string, Key]> => {
    const variable = variableOf(key)
    return variable === undefined ? [] : [[variable, key]]
  })
)

/** Other names of a key, the strongest first. Those without the prefix count as not set when they are empty. */
const aliases: Record<string, ReadonlyArray<string>> = { "nats.servers": ["WEFT_NATS_URL", "NATS_URL"], "node.id": ["NODE_ID"] }

const variables: ReadonlyMap<string, Key> = new Map([
  ...byVariable,
  ...[...byVariable.values()].flatMap((key) => (aliases[key.path] ?? []).map((alias): [string, Key] => [alias, key]))
])

/**
 * Whether Kubernetes made this variable for a Service whose name begins with "weft" (`WEFT_SERVICE_HOST`,
 * `WEFT_SERVER_PORT=tcp://10.0.0.7:8080`): nobody meant to configure anything with it.
 */
const isServiceLink = (name: string, value: string): boolean =>
  /^WEFT(_[A-Z0-9_]+)?_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name) ||
  /^WEFT(_[A-Z0-9_]+)?_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
  (/^WEFT(_[A-Z0-9_]+)?_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value))

const truths: Record<string, boolean> = { true: true, "1": true, yes: true, on: true, false: false, "0": false, no: false, off: false }

/** The value that a variable's text means for a key; undefined when it means none. */
const parse = (key: Key, text: string): unknown => {
  switch (key.kind) {
    case "number":
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined
    case "boolean": {
      const word = text.trim().toLowerCase()
      return Object.hasOwn(truths, word) ? truths[word] : undefined
    }
    case "list":
      return text.trim() === "" ? [] : text.split(",").map((item) => item.trim())
    default:
      return text
  }
}

const unknown = (variable: string): Mistake => {
  const near = suggest(variable, byVariable.keys())
  return { source: ENVIRONMENT, key: variable, reason: `no such setting${near === undefined ? "" : `; did you mean ${near}?`}` }
}

/**
 * Reads the variables that are Weft's. Every variable with the prefix must be known, or be a link that Kubernetes made.
 * `wrong` names the keys whose variable holds no value for them.
 */
export const readEnvironment = (
  environment: Environment
): { readonly values: ReadonlyArray<Value>; readonly mistakes: ReadonlyArray<Mistake>; readonly wrong: ReadonlyArray<string> } => {
  const values: Array<Value> = []
  const mistakes: Array<Mistake> = []
  const wrong: Array<string> = []
  const taken = new Set<Key>()
  for (const [variable, key] of variables) {
    const text = Object.hasOwn(environment, variable) ? environment[variable] : undefined
    if (text === undefined || isServiceLink(variable, text) || taken.has(key)) continue
    if (text === "" && !variable.startsWith("WEFT_")) continue
    taken.add(key)
    const value = parse(key, text)
    if (value === undefined || value === "") {
      const reason =
        text === ""
          ? "is empty; leave it unset to keep the file's value or the default"
          : `expected ${key.expected}, found ${describeValue(text, key.hidden === true)}`
      mistakes.push({ source: ENVIRONMENT, key: variable, reason })
      wrong.push(key.path)
    } else values.push({ path: key.path.split("."), value, source: ENVIRONMENT, name: variable })
  }
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable]
    if (text === undefined || !variable.startsWith("WEFT_") || variables.has(variable) || isServiceLink(variable, text)) continue
    mistakes.push(unknown(variable))
  }
  return { values, mistakes, wrong }
}
