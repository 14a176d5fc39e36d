/**
 * Writes the generated files of `protocol/`: `node scripts/protocol/generate.ts`. With `--check` it writes nothing, names
 * every file that is not as it would be written, validates the AsyncAPI document, and exits 1 if anything is wrong.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { generate } from "./documents.ts"
import { asyncapiProblems } from "./validateAsyncapi.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

const read = (path: string): string | undefined => {
  try {
    return readFileSync(`${root}${path}`, "utf8")
  } catch {
    return undefined
  }
}

const check = async (): Promise<ReadonlyArray<string>> => {
  const documents = await generate()
  const drift = documents.flatMap(([path, text]) => {
    const present = read(path)
    if (present === text) return []
    return [`${path} ${present === undefined ? "is missing" : "differs from its sources"}: run \`npm run generate\``]
  })
  const asyncapi = documents.find(([path]) => path === "protocol/asyncapi.json")?.[1] ?? ""
  return [...drift, ...(await asyncapiProblems(asyncapi)).map((problem) => `protocol/asyncapi.json: ${problem}`)]
}

const write = async (): Promise<void> => {
  for (const [path, text] of await generate()) {
    if (read(path) === text) continue
    mkdirSync(dirname(`${root}${path}`), { recursive: true })
    writeFileSync(`${root}${path}`, text)
    console.log(path)
  }
}

if (process.argv.includes("--check")) {
  const problems = await check()
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
} else await write()
