import { spawn } from "node:child_process"
import { readdir, readFile } from "node:fs/promises"
import { atEnd } from "./cleanup.ts"
import { eventually, within } from "./eventually.ts"

/** How a process ended: one of the two is set. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child process with its output. It is killed at the end of the test file if it still runs then. */
export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  readonly running: () => boolean
  readonly stdout: () => string
  readonly stderr: () => string
  /** The first match of `pattern` in what the process has written to stdout or will; fails when it ends or keeps silent for too long. */
  readonly output: (pattern: RegExp, options?: { readonly on?: "stdout" | "stderr"; readonly timeout?: number }) => Promise<RegExpExecArray>
  readonly write: (text: string) => void
  readonly endInput: () => void
  readonly signal: (signal: NodeJS.Signals) => void
  /** Stops it without its noticing (SIGSTOP) and resolves when it stands still: sockets stay open and nothing answers. */
  readonly freeze: () => Promise<void>
  readonly thaw: () => void
  /** SIGTERM, or SIGKILL when it does not end within `grace` milliseconds. */
  readonly stop: (grace?: number) => Promise<Exit>
  /** SIGKILL: no chance to clean up. */
  readonly kill: () => Promise<Exit>
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Runs it in a process group of its own, and signals go to the whole group: for commands that start others, such as npx. */
  readonly group?: boolean
}

/** The environment of this process without what would configure a Weft server. */
export const cleanEnvironment = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:WEFT_|NATS_URL$|NODE_ID$|NODE_OPTIONS$|VITEST)/.test(name)))

/** Starts a program. Resolves when it runs; rejects when it can not be started. `env` is added to a clean environment. */
export const startProcess = async (command: string, args: ReadonlyArray<string>, options: StartOptions = {}): Promise<Child> => {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...cleanEnvironment(), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    detached: options.group === true
  })
  const text = { stdout: "", stderr: "" }
  const watchers = new Set<() => void>()
  const tell = (): void => watchers.forEach((watcher) => watcher())
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk
      tell()
    })
  }
  child.stdin.on("error", () => undefined)
  let ended: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    child.on("close", (code, signal) => {
      ended = { code, signal }
      resolve(ended)
      tell()
    })
  })
  await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject))
  const pid = child.pid
  if (pid === undefined) throw new Error(`${command} has no process id`)

  const signal = (name: NodeJS.Signals): void => {
    if (options.group !== true) child.kill(name)
    else if (ended === undefined) process.kill(-pid, name)
  }
  const told = (): string => `${command} ${args.join(" ")}\n--- stdout\n${text.stdout}\n--- stderr\n${text.stderr}`
  const kill = (): Promise<Exit> => {
    signal("SIGKILL")
    return exited
  }
  const stop = async (grace = 15_000): Promise<Exit> => {
    signal("SIGTERM")
    signal("SIGCONT")
    return within(exited, "it did not end", grace).catch(kill)
  }
  const output: Child["output"] = (pattern, { on = "stdout", timeout } = {}) => {
    let look = (): void => undefined
    const found = new Promise<RegExpExecArray>((resolve, reject) => {
      look = () => {
        const match = pattern.exec(text[on])
        if (match !== null) resolve(match)
        else if (ended !== undefined) reject(new Error(`ended (${ended.code ?? ended.signal}) before it wrote ${pattern}: ${told()}`))
      }
      watchers.add(look)
      look()
    })
    return within(found, () => `nothing like ${pattern} in ${told()}`, timeout).finally(() => watchers.delete(look))
  }
  atEnd(() => (ended === undefined ? kill() : undefined))
  return {
    pid,
    exited,
    running: () => ended === undefined,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    output,
    write: (input) => void child.stdin.write(input),
    endInput: () => void child.stdin.end(),
    signal,
    freeze: async () => {
      signal("SIGSTOP")
      await eventually(() => standsStill(pid), { message: `process ${pid} did not stop` })
    },
    thaw: () => signal("SIGCONT"),
    stop,
    kill
  }
}

/** Whether all threads of a process are stopped. Only Linux tells; elsewhere the signal has to do. */
const standsStill = async (pid: number): Promise<boolean> => {
  if (process.platform !== "linux") return true
  const threads = await readdir(`/proc/${pid}/task`)
  const states = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")))
  return states.every((stat) => stat.slice(stat.lastIndexOf(")") + 2).startsWith("T"))
}

/** What a program wrote and how it ended. */
export interface Finished extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, with `input` as its standard input. Killed, with an error, when it takes longer than `timeout` milliseconds (90,000). */
export const run = async (
  command: string,
  args: ReadonlyArray<string>,
  { input, timeout = 90_000, ...options }: StartOptions & { readonly input?: string; readonly timeout?: number } = {}
): Promise<Finished> => {
  const child = await startProcess(command, args, options)
  if (input !== undefined) child.write(input)
  child.endInput()
  const slow = (): string => `${command} ${args.join(" ")} did not end\n${child.stdout()}\n${child.stderr()}`
  try {
    const exit = await within(child.exited, slow, timeout)
    return { ...exit, stdout: child.stdout(), stderr: child.stderr() }
  } finally {
    if (child.running()) await child.kill()
  }
}
