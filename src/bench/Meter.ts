/**
 * What processes and threads have used, from Linux's /proc. CPU times come from schedstat, which counts nanoseconds; the
 * clock ticks of stat are too coarse for windows of seconds. On other systems there are no figures (`undefined`).
 */
import { readdirSync, readFileSync } from "node:fs"
import { performance } from "node:perf_hooks"

/** Seconds. `waited`: ready to run while something else had the core. */
export interface Cpu {
  readonly used: number
  readonly waited: number
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

const schedstat = (path: string): Cpu | undefined => {
  const fields = read(path)?.split(" ")
  return fields === undefined ? undefined : { used: Number(fields[0]) / 1e9, waited: Number(fields[1]) / 1e9 }
}

/** The calling thread. */
export const threadCpu = (): Cpu | undefined => schedstat("/proc/thread-self/schedstat")

/** All threads of all of `pids` that still live. */
export const processCpu = (pids: ReadonlyArray<number>): Cpu | undefined => {
  let used = 0
  let waited = 0
  let seen = false
  for (const pid of pids) {
    for (const task of listTasks(pid)) {
      const cpu = schedstat(`/proc/${pid}/task/${task}/schedstat`)
      if (cpu === undefined) continue
      seen = true
      used += cpu.used
      waited += cpu.waited
    }
  }
  return seen ? { used, waited } : undefined
}

const listTasks = (pid: number): ReadonlyArray<string> => {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** Resident memory of `pids` in bytes. */
export const residentMemory = (pids: ReadonlyArray<number>): number | undefined => {
  let bytes: number | undefined
  for (const pid of pids) {
    const kilobytes = /^Rss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")
    if (kilobytes !== null) bytes = (bytes ?? 0) + Number(kilobytes[1]) * 1024
  }
  return bytes
}

/** What the server's processes did between two moments. */
export interface ServerUse {
  readonly cpu: number
  readonly waited: number
  readonly memoryBefore: number
  readonly memoryAfter: number
}

/** How busy the thread that made the load was. */
export interface LoadUse {
  readonly seconds: number
  readonly cpu: number
  /** Event-loop utilisation, 0 to 1. */
  readonly utilization: number
  /** Seconds of both in which the thread only looked whether something had come. */
  readonly polled: number
}

/** Starts measuring `pids` and the calling thread; the result measures up to its call. `polled` counts milliseconds of empty polls. */
export const startMeter = (
  pids: ReadonlyArray<number>,
  polled: () => number
): (() => { readonly load: LoadUse; readonly server?: ServerUse }) => {
  const memoryBefore = pids.length === 0 ? undefined : residentMemory(pids)
  const since = performance.now()
  const loop = performance.eventLoopUtilization()
  const own = threadCpu()
  const server = processCpu(pids)
  const polledBefore = polled()
  return () => {
    const serverNow = processCpu(pids)
    const ownNow = threadCpu()
    const load = {
      seconds: (performance.now() - since) / 1000,
      cpu: own === undefined || ownNow === undefined ? 0 : ownNow.used - own.used,
      utilization: performance.eventLoopUtilization(loop).utilization,
      polled: (polled() - polledBefore) / 1000
    }
    if (server === undefined || serverNow === undefined) return { load }
    const use = { cpu: serverNow.used - server.used, waited: serverNow.waited - server.waited }
    return { load, server: { ...use, memoryBefore: memoryBefore ?? 0, memoryAfter: residentMemory(pids) ?? 0 } }
  }
}

/** At this share of one core the load's thread, and not the server, may be what limits the rate. */
export const saturation = 0.9

/** The share of the time, 0 to 1, in which the thread had something to do: by its event loop or by its CPU, whichever says more. */
export const busyShare = ({ cpu, polled, seconds, utilization }: LoadUse): number =>
  seconds === 0 ? utilization : Math.max(0, Math.max(utilization, cpu / seconds) - polled / seconds)

export const isSaturated = (load: LoadUse): boolean => busyShare(load) >= saturation
