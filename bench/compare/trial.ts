/** One contender, started, measured, stopped. */
import type { ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Result } from "../../src/bench/Result.ts"
import { connectionsOf, type Spec } from "../../src/bench/Spec.ts"
import type { Order } from "../load.ts"
import type { Command, Contender, Subject } from "../contenders/Contender.ts"
import { type Answering, family, freePort, ready, start, startAnswering, stop } from "./children.ts"
import type { Question } from "./questions.ts"

const loadFile = fileURLToPath(new URL("../load.ts", import.meta.url))
const backendFile = fileURLToPath(new URL("../servers/echo.ts", import.meta.url))

/** What is measured has a core of its own; the load, and the backend of a gateway, share the other. */
export const serverCore = 0
const loadCore = 1

/** The contender can not be measured; the message says why, with what it wrote last. */
export class TrialFailure extends Error {}

/** Handshakes under way at once. */
const ramp = 256

const makeSpec = (question: Question, contender: Contender, port: number, secret: string, pids: ReadonlyArray<number>): Spec => ({
  target: {
    url: `ws://127.0.0.1:${port}${contender.path}`,
    encodings: question.encodings.filter((encoding) => contender.encodings.includes(encoding)),
    batch: question.batch && contender.batch,
    pids,
    ...(contender.dialect === undefined ? {} : { dialect: contender.dialect }),
    ...(contender.authenticates ? { secret } : {})
  },
  scenario: question.scenario,
  warmup: question.warmup,
  seconds: question.seconds,
  ramp,
  patience: 10
})

/** The process of the load, started by its first order. It takes each as a line and answers with a result, within `seconds` or never. */
const makeLoad = (children: Array<ChildProcess>): ((order: string, seconds: number) => Promise<Result>) => {
  let running: Answering | undefined
  const begin = (): Answering => {
    const load = startAnswering(loadCore, { command: process.execPath, args: [loadFile] })
    children.push(load.child)
    return load
  }
  return async (order, seconds) => {
    const { ask, child, output } = (running ??= begin())
    const limit = setTimeout(() => child.kill("SIGKILL"), seconds * 1000)
    const result = await ask(order)
    clearTimeout(limit)
    try {
      return JSON.parse(result ?? "") as Result
    } catch {
      throw new TrialFailure(`the load ended without a result: ${output()}`)
    }
  }
}

interface Running {
  readonly port: number
  readonly pids: ReadonlyArray<number>
  /** What it wrote last. */
  readonly output: () => string
}

const launch = async (name: string, core: number, port: number, command: Command, children: Array<ChildProcess>): Promise<Running> => {
  let output = ""
  const child = start(core, command, (text) => (output = (output + text).slice(-4000)))
  children.push(child)
  if (child.pid === undefined || !(await ready(child, port))) throw new TrialFailure(`${name} did not start: ${output}`)
  return { port, pids: family(child.pid), output: () => output }
}

const startBackend = async (children: Array<ChildProcess>): Promise<Running> => {
  const port = await freePort()
  return launch("the backend", loadCore, port, { command: process.execPath, args: [backendFile, String(port)] }, children)
}

interface Surroundings {
  readonly backend: Running | undefined
  readonly secret: string
  readonly folder: string
}

const startContender = async (
  contender: Contender,
  connections: number,
  { backend, folder, secret }: Surroundings,
  children: Array<ChildProcess>
): Promise<Running> => {
  if (contender.start === undefined) {
    if (backend === undefined) throw new TrialFailure(`${contender.name} has nothing to start`)
    return { ...backend, pids: [] }
  }
  const port = await freePort()
  const command = contender.start({ port, backend: backend?.port ?? 0, secret, folder, connections })
  return launch(contender.name, serverCore, port, command, children)
}

/** A contender that runs and can be asked questions of its subject. */
export interface Host {
  /**
   * Each call of what it returns puts the question's load on the contender for a window: once or, if the load `stays`, several
   * times with the same connections. One question is asked after the other. Rejects with `TrialFailure`, also for a run that
   * was not what it was to be.
   */
  readonly ask: (question: Question, stays: boolean) => () => Promise<Result>
  /** Leaves no process and no file behind. */
  readonly end: () => Promise<void>
}

/** Starts a contender for at most so many `connections`. Throws `TrialFailure`. */
export const openHost = async (subject: Subject, contender: Contender, connections: number): Promise<Host> => {
  const folder = mkdtempSync(join(tmpdir(), "weft-bench-"))
  const children: Array<ChildProcess> = []
  const end = async (): Promise<void> => {
    for (const child of children.reverse()) if (child.pid !== undefined) await stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const secret = randomBytes(24).toString("hex")
    const backend = subject === "gateway" ? await startBackend(children) : undefined
    const server = await startContender(contender, connections, { backend, secret, folder }, children)
    const load = makeLoad(children)
    const ask: Host["ask"] = (question, stays) => {
      const spec = makeSpec(question, contender, server.port, secret, server.pids)
      let order = JSON.stringify({ ...spec, stays } satisfies Order)
      return async () => {
        const result = await load(order, spec.warmup + spec.seconds + 60)
        order = "again"
        if (result.partial !== undefined)
          throw new TrialFailure(`${result.partial}; ${contender.name} wrote: ${server.output() || "nothing"}`)
        return result
      }
    }
    return { ask, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** A contender that runs for one question. */
export interface Trial {
  readonly measure: () => Promise<Result>
  readonly end: () => Promise<void>
}

/** Starts a contender for a question, to be measured once or, if the load `stays`, several times. Throws `TrialFailure`. */
export const openTrial = async (question: Question, contender: Contender, stays: boolean): Promise<Trial> => {
  const { ask, end } = await openHost(question.subject, contender, connectionsOf(question.scenario))
  return { measure: ask(question, stays), end }
}

/** A contender, started, measured once, stopped. Throws `TrialFailure`. */
export const trial = async (question: Question, contender: Contender): Promise<Result> => {
  const running = await openTrial(question, contender, false)
  try {
    return await running.measure()
  } finally {
    await running.end()
  }
}
