/** Runs a specification in worker threads and adds up what they have seen. */
import { Worker } from "node:worker_threads"
import type { FromWorker, ToWorker, WorkerTask } from "./LoadWorker.ts"
import { merge, type Result } from "./Result.ts"
import type { Progress } from "./Run.ts"
import type { Scenario, Spec } from "./Spec.ts"

export interface LoadOptions {
  readonly threads: number
  readonly onProgress?: (progress: Progress) => void
  /** Calls the run off; the result is then partial. */
  readonly signal?: AbortSignal
  /** Gets each window's result; when it resolves, another one is measured with the same connections, until the run is called off. */
  readonly again?: (result: Result) => Promise<void>
}

const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./LoadWorker.ts" : "./LoadWorker.js", import.meta.url)

/** A room lies whole in one thread, so that more threads than rooms would have nothing to do. */
const usefulThreads = (scenario: Scenario, threads: number): number => {
  if (scenario.kind === "fanout") return Math.min(threads, scenario.rooms)
  if (scenario.kind === "mixed") return Math.min(threads, Math.max(1, Math.floor(scenario.users / scenario.members)))
  if (scenario.kind === "gateway") return Math.min(threads, scenario.connections)
  return threads
}

/** One thread of the load, seen from outside. */
class LoadThread {
  waiting = false
  /** What the last window has shown, until the next one is asked for. */
  window: Result | undefined = undefined
  progress: Progress = { phase: "starting", opened: 0, sent: 0, received: 0 }
  readonly result: Promise<Result>
  readonly #worker: Worker

  constructor(task: WorkerTask, onChange: () => void) {
    this.#worker = new Worker(workerFile, { workerData: task })
    this.result = new Promise((resolve, reject) => {
      this.#worker.on("message", (message: FromWorker) => {
        if (message.type === "result") resolve(message.result)
        else if (message.type === "progress") this.progress = message.progress
        else if (message.type === "window") this.window = message.result
        else this.waiting = true
        onChange()
      })
      this.#worker.once("error", reject)
      this.#worker.once("exit", (code) => reject(new Error(`a thread of the load ended with ${code}`)))
    })
  }

  tell(type: ToWorker["type"]): void {
    this.waiting = false
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows; this is a thread
    this.#worker.postMessage({ type } satisfies ToWorker)
  }
}

/** Rejects only for a fault of the harness itself; what the server does wrong stands in the result's `partial`. */
export const runLoad = async (spec: Spec, options: LoadOptions): Promise<Result> => {
  const count = usefulThreads(spec.scenario, options.threads)
  const threads: Array<LoadThread> = []
  const stop = () => {
    for (const thread of threads) thread.tell("stop")
  }
  const go = () => {
    for (const thread of threads) thread.tell("go")
  }
  const onWindow = () => {
    const windows = threads.flatMap(({ window }) => window ?? [])
    if (windows.length < count) return
    for (const thread of threads) thread.window = undefined
    void options.again?.(merge(windows)).then(go, stop)
  }
  const onChange = () => {
    if (threads.length === count && threads.every((thread) => thread.waiting)) go()
    onWindow()
    const sum = (of: (progress: Progress) => number) => threads.reduce((total, thread) => total + of(thread.progress), 0)
    options.onProgress?.({
      phase: threads[0]?.progress.phase ?? "starting",
      opened: sum((progress) => progress.opened),
      sent: sum((progress) => progress.sent),
      received: sum((progress) => progress.received)
    })
  }
  for (let thread = 0; thread < count; thread++)
    threads.push(new LoadThread({ spec, stays: options.again !== undefined, thread, threads: count }, onChange))
  options.signal?.addEventListener("abort", stop, { once: true })
  if (options.signal?.aborted === true) stop()
  try {
    const results = threads.map((thread) => thread.result)
    // One thread that had to give up ends the run of the others.
    for (const result of results) void result.then((one) => one.partial !== undefined && stop(), stop)
    return merge(await Promise.all(results))
  } finally {
    options.signal?.removeEventListener("abort", stop)
  }
}
