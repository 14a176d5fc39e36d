/** `npm run check`: everything that can be said about the tree without running the tests. Runs all steps, then exits 1 if one failed. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const tool = (name: string): string => `${root}node_modules/.bin/${name}`

const steps: ReadonlyArray<readonly [name: string, ...command: ReadonlyArray<string>]> = [
  ["types", tool("tsc"), "-p", "."],
  ["lint", tool("oxlint"), "--deny-warnings", "."],
  ["import limits", process.execPath, "scripts/boundaries.ts"],
  ["format", tool("prettier"), "--check", "--log-level=warn", "."],
  ["generated files", process.execPath, "scripts/protocol/generate.ts", "--check"]
]

const failed: Array<string> = []
for (const [name, command = "", ...args] of steps) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" })
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`)
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) process.exitCode = 1
