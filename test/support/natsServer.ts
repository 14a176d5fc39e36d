import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { eventually } from "./eventually.ts"
import { findProgram, isExecutable } from "./find.ts"
import { type Child, type Exit, run, startProcess } from "./process.ts"
import { projectRoot, temporaryFolder } from "./weft.ts"

/** A real nats-server with JetStream, its store in a folder of its own. Killed at the end of the test file. */
export interface NatsServer {
  readonly url: string
  readonly port: number
  /** The process of now; another one after `restart`. */
  readonly process: () => Child
  readonly stop: () => Promise<Exit>
  readonly kill: () => Promise<Exit>
  readonly freeze: () => Promise<void>
  readonly thaw: () => void
  /** Starts it again on the same port and store. Ends it first when it still runs. */
  readonly restart: () => Promise<void>
}

export interface NatsOptions {
  readonly jetstream?: boolean
  /** Lines to add to its configuration file. */
  readonly config?: string
}

const cache = join(projectRoot, "node_modules/.cache/weft")
const cached = join(cache, "nats-server/usr/sbin/nats-server")

/**
 * NATS_SERVER_BIN, else the one of the system, else Debian's package unpacked into a cache folder, which needs no root.
 * Fails with one line that says what to install.
 */
export const findNatsServer = async (): Promise<string> => {
  const found = findProgram("NATS_SERVER_BIN", "nats-server")
  if (found !== undefined) return found
  if (isExecutable(cached) || (await download())) return cached
  throw new Error("tests need nats-server: apt-get install nats-server, or name its file in NATS_SERVER_BIN")
}

/** Unpacks Debian's package. Test files run at once: each unpacks into a folder of its own, and one of them becomes the cache. */
const download = async (): Promise<boolean> => {
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, "download-"))
  try {
    const fetched = await run("apt-get", ["download", "nats-server"], { cwd: folder, timeout: 60_000 }).catch(() => undefined)
    const archive = (await readdir(folder)).find((name) => name.endsWith(".deb"))
    if (fetched?.code !== 0 || archive === undefined) return false
    const unpacked = await run("dpkg", ["-x", archive, "unpacked"], { cwd: folder, timeout: 60_000 })
    if (unpacked.code !== 0) return false
    await rename(join(folder, "unpacked"), join(cache, "nats-server")).catch(() => undefined)
    return isExecutable(cached)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts a nats-server on a free port of 127.0.0.1 and resolves when it greets clients. */
export const startNatsServer = async ({ jetstream = true, config = "" }: NatsOptions = {}): Promise<NatsServer> => {
  const program = await findNatsServer()
  const folder = await temporaryFolder()
  const file = join(folder, "nats.conf")
  const store = jetstream ? `jetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }` : ""
  await writeFile(file, `${store}\n${config}\n`)

  /** Port -1: one that the server chooses and writes to a file that carries its process id. */
  const start = async (wanted: number): Promise<{ readonly child: Child; readonly port: number }> => {
    const child = await startProcess(program, ["-c", file, "-a", "127.0.0.1", "-p", String(wanted), "--ports_file_dir", folder])
    const ready = async (): Promise<number | undefined | "ended"> => {
      if (!child.running()) return "ended"
      const port = await chosenPort(join(folder, `nats-server_${child.pid}.ports`))
      return port !== undefined && (await greets(port)) ? port : undefined
    }
    const port = await eventually(ready, { message: () => `nats-server does not answer\n${child.stderr()}\n` })
    if (port === "ended") throw new Error(`nats-server ended at once\n${child.stderr()}`)
    return { child, port }
  }
  const first = await start(-1)
  const { port } = first
  let child = first.child
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    process: () => child,
    stop: () => child.stop(),
    kill: () => child.kill(),
    freeze: () => child.freeze(),
    thaw: () => child.thaw(),
    restart: async () => {
      if (child.running()) await child.stop()
      child = (await start(port)).child
    }
  }
}

const chosenPort = async (file: string): Promise<number | undefined> => {
  const text = await readFile(file, "utf8").catch(() => "")
  const port = /"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1]
  return port === undefined ? undefined : Number(port)
}

/** Whether a NATS server on that port sends its INFO, the first line of its protocol. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => done(false))
    socket.on("error", () => done(false))
    socket.on("data", (data) => done(data.toString("latin1").startsWith("INFO ")))
  })
