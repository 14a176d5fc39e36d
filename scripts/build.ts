/** `npm run build`: compiles src to dist (JavaScript and types) and copies what is not TypeScript, such as the pages. */
import { spawnSync } from "node:child_process"
import { cpSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

rmSync(`${root}dist`, { recursive: true, force: true })
const { status } = spawnSync(`${root}node_modules/.bin/tsc`, ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" })
if (status === 0) cpSync(`${root}src`, `${root}dist`, { recursive: true, filter: (file) => !file.endsWith(".ts") })
else process.exitCode = 1
