import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { atEnd } from "./cleanup.ts"
import { type Child, startProcess } from "./process.ts"

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url))

/** The line that `weft serve` prints when clients can connect. */
export const readyLine = /^weft listening on (https?:\/\/\S+) \(node (\S+)\)$/m

export interface WeftOptions {
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The text of a configuration file (TOML). */
  readonly config?: string
  /** The command instead of `node src/main.ts`, such as an installed one. `serve` and the arguments are added. */
  readonly command?: readonly [string, ...ReadonlyArray<string>]
  readonly cwd?: string
  /** Milliseconds until the ready line must be there. */
  readonly timeout?: number
}

/** A `weft serve` of its own process. */
export interface Weft extends Child {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly url: string
  /** `ws://127.0.0.1:PORT/ws` */
  readonly socketUrl: string
  readonly port: number
  /** Its node id. */
  readonly node: string
}

/** A new folder for one test file, removed at its end. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "weft-test-"))
  atEnd(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a server on a port of its own (unless `env` or `args` name one) and resolves when it is ready. Stopped at the end of the test file. */
export const startWeft = async (options: WeftOptions = {}): Promise<Weft> => {
  const [program, ...first] = options.command ?? [process.execPath, join(projectRoot, "src/main.ts")]
  const args = [...first, "serve", ...(options.args ?? [])]
  if (options.config !== undefined) {
    const file = join(await temporaryFolder(), "weft.toml")
    await writeFile(file, options.config)
    args.push("--config", file)
  }
  const child = await startProcess(program, args, {
    cwd: options.cwd ?? projectRoot,
    env: { WEFT_SERVER_PORT: "0", ...options.env }
  })
  const [, url = "", node = ""] = await child.output(readyLine, options.timeout === undefined ? {} : { timeout: options.timeout })
  const { port } = new URL(url)
  return { ...child, url, node, port: Number(port), socketUrl: `${url.replace(/^http/, "ws")}/ws` }
}
