/** Where and with what a measurement was made: the head of every report. */
import { spawnSync } from "node:child_process"
import os from "node:os"

export interface Machine {
  /** ISO 8601, UTC. */
  readonly date: string
  /** Of the working folder's checkout, with a + when it holds changes; `unknown` outside of one. */
  readonly commit: string
  readonly cpus: number
  readonly cpu: string
  readonly memory: number
  readonly system: string
  readonly node: string
}

const git = (...args: ReadonlyArray<string>): string | undefined => {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" })
  return status === 0 ? stdout.trim() : undefined
}

export const describeMachine = (): Machine => {
  const commit = git("rev-parse", "--short", "HEAD")
  const dirty = commit !== undefined && git("status", "--porcelain", "--untracked-files=no", "src") !== ""
  return {
    date: new Date().toISOString(),
    commit: commit === undefined ? "unknown" : `${commit}${dirty ? "+" : ""}`,
    cpus: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    memory: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node
  }
}
