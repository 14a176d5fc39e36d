/** Times one small operation: nanoseconds of its thread's CPU time, and bytes of heap that it leaves to the collector. */
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { threadCpu } from "../../src/bench/Meter.ts"
import { type Spread, spread } from "../compare/figures.ts"

/** One operation, to be called any number of times. Its result is kept, so that it is not optimised away. */
export interface Part {
  readonly name: string
  readonly run: () => unknown
}

export interface Timing {
  readonly name: string
  readonly nanoseconds: Spread
  /** Per operation; the median of several counts between two collections. */
  readonly bytes: number
}

const rounds = 15
/** Milliseconds of one round. */
const roundTime = 40
/** Less than the young generation, so that no collection falls between the two looks at the heap. */
const allocation = 2 * 1024 * 1024

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** What the last operation gave. */
export let kept: unknown

const repeat = (run: () => unknown, count: number): void => {
  for (let i = 0; i < count; i++) kept = run()
}

/** Milliseconds; CPU time where the system tells it, so that what else runs on the machine counts less. */
const now = (): number => (threadCpu()?.used ?? performance.now() / 1000) * 1000

const timed = (run: () => unknown, count: number): number => {
  const since = now()
  repeat(run, count)
  return now() - since
}

/** How many repetitions fill a round, found on the way to being compiled. */
const calibrate = (run: () => unknown): number => {
  let count = 16
  while (timed(run, count) < roundTime) count *= 2
  return count
}

const bytesPerRun = (run: () => unknown): number => {
  const used = (count: number): number => {
    collect()
    const before = process.memoryUsage().heapUsed
    repeat(run, count)
    return process.memoryUsage().heapUsed - before
  }
  // As many as fit the allocation, judged by a first few.
  const count = Math.max(100, Math.min(20_000, Math.floor(allocation / Math.max(1, used(200) / 200))))
  const nothing = used(0)
  return Math.max(0, spread([1, 2, 3, 4, 5].map(() => (used(count) - nothing) / count))?.median ?? 0)
}

export const measure = ({ name, run }: Part): Timing => {
  const count = calibrate(run)
  const times = Array.from({ length: rounds }, () => (timed(run, count) / count) * 1e6)
  return { name, nanoseconds: spread(times) ?? { median: 0, min: 0, max: 0 }, bytes: bytesPerRun(run) }
}
