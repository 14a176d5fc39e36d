/** The processes that a comparison starts, each on its own core, and their certain end. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import net from "node:net"
import { availableParallelism } from "node:os"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { Command } from "../contenders/Contender.ts"

const running = new Set<ChildProcess>()

/** Whatever happens to this process, its children do not outlive it. */
const endAll = (): void => {
  for (const child of running) child.kill("SIGKILL")
}
process.once("exit", endAll)
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130))

/** Whether each process can be given a core of its own. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0

/** Starts a program; `onOutput` gets what it writes. Its pid is the program's own: taskset gives way to it. */
export const start = (core: number, command: Command, onOutput: (text: string) => void): ChildProcessWithoutNullStreams => {
  const [program, args] = canPin
    ? ["taskset", ["-c", String(core), command.command, ...command.args]]
    : [command.command, [...command.args]]
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...command.env } })
  running.add(child)
  child.once("exit", () => running.delete(child))
  child.stdout.setEncoding("utf8").on("data", onOutput)
  child.stderr.setEncoding("utf8").on("data", onOutput)
  child.stdin.on("error", () => {})
  return child
}

/** A program that answers each line with a line. */
export interface Answering {
  readonly child: ChildProcess
  /** Undefined: it has ended. One line is asked after the other. */
  readonly ask: (line: string) => Promise<string | undefined>
  /** What it wrote last. */
  readonly output: () => string
}

export const startAnswering = (core: number, command: Command): Answering => {
  let output = ""
  const child = start(core, command, (text) => (output = (output + text).slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (line: string): Promise<string | undefined> => {
    child.stdin.write(`${line}\n`)
    const answer = await lines.next()
    return answer.done === true ? undefined : answer.value
  }
  return { child, ask, output: () => output }
}

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Ends a child: politely, and after two seconds in any way. */
export const stop = async (child: ChildProcess): Promise<void> => {
  child.kill("SIGTERM")
  for (let waited = 0; !exited(child) && waited < 2000; waited += 20) await sleep(20)
  child.kill("SIGKILL")
  while (!exited(child)) await sleep(10)
}

/** A port of the loopback address that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))))
    })
  })

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.once("connect", () => resolve((socket.destroy(), true)))
    socket.once("error", () => resolve(false))
  })

/** Waits until `port` takes connections; false when the child ends or 15 seconds pass before. */
export const ready = async (child: ChildProcess, port: number): Promise<boolean> => {
  for (let waited = 0; waited < 15_000 && !exited(child); waited += 50) {
    if (await answers(port)) return true
    await sleep(50)
  }
  return false
}

/** A process and all that it has started (a server with worker processes). */
export const family = (pid: number): ReadonlyArray<number> => {
  let children: ReadonlyArray<number> = []
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)
  } catch {
    // Not Linux, or gone: then there is only itself.
  }
  return [pid, ...children.flatMap(family)]
}
