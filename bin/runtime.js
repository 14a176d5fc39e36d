// Which Node runs Weft. Plain JavaScript: it has to run on a Node that can not run the rest.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

/**
 * Weft runs on Node 22: uWebSockets.js ships binaries for it, and it reads TypeScript as it is.
 * @param {string} version as in `process.versions.node`
 */
export const isPreferred = (version) => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major === 22 && minor >= 19
}

/**
 * What to do on the Node that was started: run `here`, `switch` to the Node 22 that the package brought, or give up with one line of
 * text. Without Node 22 the compiled form runs on any Node from 20 on; `serve` then says whether uWebSockets.js has a binary for it.
 *
 * @param {object} situation
 * @param {string} situation.version of the running Node
 * @param {string} situation.platform for the text, such as `linux-x64`
 * @param {string | undefined} situation.bundled the executable that the package brought
 * @param {boolean} situation.compiled false in a checkout, which runs TypeScript
 * @returns {"here" | "switch" | { readonly refuse: string }}
 */
export const decide = ({ version, platform, bundled, compiled }) => {
  if (isPreferred(version)) return "here"
  if (bundled !== undefined) return "switch"
  if (compiled && Number.parseInt(version, 10) >= 20) return "here"
  const advice = "on Linux (glibc), macOS and Windows an install without --omit=optional brings one"
  return { refuse: `weft: needs Node 22.19 or a later 22, found Node ${version} on ${platform}; ${advice}` }
}

/**
 * The Node 22 that came as an optional dependency for this platform, if it is there.
 * @returns {string | undefined}
 */
export const bundledNode = () => {
  const platform = process.platform === "win32" ? "win" : process.platform
  const name = `${platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node"}-${platform}-${process.arch}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.node)
  } catch {
    return undefined
  }
}
