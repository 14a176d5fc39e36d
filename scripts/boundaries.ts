/**
 * The import limits of the source tree, checked. Two kinds:
 * who may name a package at all, and what must not be reached at run time from code that a browser runs.
 * `node scripts/boundaries.ts` prints one line for each breach and exits 1 if there is one.
 */
import { globSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join } from "node:path/posix"
import { fileURLToPath } from "node:url"

/** An import as it stands in a file. `runtime` is false for `import type` and `export type`, which leave no trace in JavaScript. */
export interface Import {
  readonly specifier: string
  readonly runtime: boolean
}

/** Only files that `from` matches may import `package`, not even a type of it. */
interface OwnerRule {
  readonly package: string
  readonly from: RegExp
}

/** Nothing that files matching `from` load at run time, directly or through other files, may be `forbidden`. */
interface ReachRule {
  readonly from: RegExp
  readonly forbidden: (specifier: string) => boolean
}

const isPackage =
  (name: string) =>
  (specifier: string): boolean =>
    specifier === name || specifier.startsWith(`${name}/`)
const isEffect = (specifier: string): boolean => isPackage("effect")(specifier) || specifier.startsWith("@effect/")

const owners: ReadonlyArray<OwnerRule> = [
  { package: "uWebSockets.js", from: /^src\/transport\/Uws[^/]*\.ts$/ },
  { package: "nats", from: /^src\/(?:.+\/)?Nats[^/]*\.ts$/ }
]

const reaches: ReadonlyArray<ReachRule> = [
  { from: /^src\/client\//, forbidden: (specifier) => isBuiltin(specifier) || isEffect(specifier) },
  { from: /^src\/wire\//, forbidden: isBuiltin },
  { from: /^src\/wire\/(?:Codec|Codes|JsonCodec|MsgpackCodec)\.ts$/, forbidden: isEffect }
]

const statement = /^(?:import|export)\s+(type\s+(?!from\b))?(?:[\w$*{][\w$*{}\s,]*?\bfrom\s*)?["']([^"']+)["']/gm
const dynamic = /(?<!typeof\s+)\bimport\(\s*["']([^"']+)["']\s*\)/g

/** The imports of a TypeScript module, in the order of the text. Under `verbatimModuleSyntax` the keyword alone tells type from run time. */
export const importsOf = (source: string): ReadonlyArray<Import> => [
  ...[...source.matchAll(statement)].map(([, type, specifier = ""]) => ({ specifier, runtime: type === undefined })),
  ...[...source.matchAll(dynamic)].map(([, specifier = ""]) => ({ specifier, runtime: true }))
]

/** The breaches of the limits in a tree of sources, keyed by their path from the project's root. */
export const breaches = (sources: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [file, source] of sources) {
    for (const { specifier } of importsOf(source)) {
      const owner = owners.find((rule) => isPackage(rule.package)(specifier))
      if (owner !== undefined && !owner.from.test(file)) found.push(`${file} imports ${specifier}: only ${owner.from.source} may`)
    }
    for (const rule of reaches) {
      if (rule.from.test(file)) found.push(...reached(sources, file, rule.forbidden))
    }
  }
  return found
}

/** Walks what `start` loads at run time and tells each forbidden import with the way that leads there. */
const reached = (sources: ReadonlyMap<string, string>, start: string, forbidden: (specifier: string) => boolean): ReadonlyArray<string> => {
  const found: Array<string> = []
  const ways = new Map<string, string>([[start, start]])
  for (const [file, way] of ways) {
    for (const { specifier, runtime } of importsOf(sources.get(file) ?? "")) {
      if (!runtime) continue
      if (forbidden(specifier)) found.push(`${start} must not load ${specifier} at run time: ${way} -> ${specifier}`)
      const target = specifier.startsWith(".") ? join(dirname(file), specifier) : undefined
      if (target !== undefined && !ways.has(target)) ways.set(target, `${way} -> ${target}`)
    }
  }
  return found
}

/** Reads all TypeScript of `src` under the project's root. */
export const readSources = (root: string): ReadonlyMap<string, string> =>
  new Map(globSync("src/**/*.ts", { cwd: root }).map((file) => [file.replaceAll("\\", "/"), readFileSync(join(root, file), "utf8")]))

if (import.meta.main) {
  const found = breaches(readSources(fileURLToPath(new URL("..", import.meta.url))))
  for (const line of found) console.error(line)
  if (found.length > 0) process.exitCode = 1
}
