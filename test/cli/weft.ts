import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { run, type Finished } from "../support/process.ts"
import { projectRoot, temporaryFolder } from "../support/weft.ts"

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Options of Node itself. */
  readonly node?: ReadonlyArray<string>
}

/** Runs `weft ARGS` to its end, as a process of its own. */
export const weft = (args: ReadonlyArray<string>, { node = [], ...options }: RunOptions = {}): Promise<Finished> =>
  run(process.execPath, [...node, join(projectRoot, "src/main.ts"), ...args], { cwd: projectRoot, ...options })

/** A configuration file with this text; gives its path. */
export const configFile = async (text: string): Promise<string> => {
  const file = join(await temporaryFolder(), "weft.toml")
  await writeFile(file, text)
  return file
}

/** Options for a Node that pretends to be one that uWebSockets.js has no binary for. */
export const foreignNode = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "24.1.0", modules: "137" } })'
  )}`
]
