/** The entry of a worker thread of the load. */
import { parentPort, workerData } from "node:worker_threads"
import type { Result } from "./Result.ts"
import type { Progress } from "./Run.ts"
import type { Spec } from "./Spec.ts"
import { runThread } from "./Thread.ts"

export interface WorkerTask {
  readonly spec: Spec
  readonly thread: number
  readonly threads: number
  /** Whether the connections stay for further windows. */
  readonly stays: boolean
}

export type FromWorker =
  | { readonly type: "together"; readonly phase: string }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "window"; readonly result: Result }
  | { readonly type: "result"; readonly result: Result }

export type ToWorker = { readonly type: "go" } | { readonly type: "stop" }

const port = parentPort
if (port !== null) {
  const { spec, stays, thread, threads } = workerData as WorkerTask
  const stop = new AbortController()
  let go = () => {}
  const say = (message: FromWorker) => port.postMessage(message)
  port.on("message", (message: ToWorker) => {
    if (message.type === "stop") stop.abort()
    go()
  })
  const sayAndWait = (message: FromWorker) =>
    new Promise<void>((resolve) => {
      go = resolve
      say(message)
    })
  const control = {
    together: (phase: string) => sayAndWait({ type: "together", phase }),
    progress: (progress: Progress) => say({ type: "progress", progress }),
    signal: stop.signal,
    ...(stays ? { again: (result: Result) => sayAndWait({ type: "window", result }) } : {})
  }
  say({ type: "result", result: await runThread(spec, thread, threads, control) })
  port.close()
}
