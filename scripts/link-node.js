// After an install in a checkout: npm 9 and 10 remove node_modules/.bin/node together with the packages of the other platforms,
// whose program has the same name. With the link in place, Node 22 is the first in the PATH of npm scripts.
import { existsSync, mkdirSync, symlinkSync } from "node:fs"
import { dirname, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { bundledNode } from "../bin/runtime.js"

const link = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url))
const node = bundledNode()

if (node !== undefined && process.platform !== "win32" && !existsSync(link)) {
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(relative(dirname(link), node), link)
}
