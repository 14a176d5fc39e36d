import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"

/** Milliseconds between two looks at the event loop. Small enough to see a stall, large enough to cost nothing. */
const resolution = 50

/** How late the event loop came to its timers, in seconds, since the figures were last read. */
export interface LoopLag {
  readonly mean: number
  readonly p99: number
  readonly max: number
}

const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - resolution / 1000) : 0)

const take = (histogram: IntervalHistogram): LoopLag => {
  // The samples hold the interval itself: what is above it is the delay.
  const lag =
    histogram.count === 0
      ? { mean: 0, p99: 0, max: 0 }
      : { mean: seconds(histogram.mean), p99: seconds(histogram.percentile(99)), max: seconds(histogram.max) }
  histogram.reset()
  return lag
}

export interface LoopLagMonitor {
  /** The figures since the last call. */
  readonly take: () => LoopLag
  readonly stop: () => void
}

/** Starts to watch the event loop. Does not keep the process alive. */
export const monitorLoopLag = (): LoopLagMonitor => {
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  return { take: () => take(histogram), stop: () => void histogram.disable() }
}

/** CPU time of the process in seconds, in user and kernel mode. */
export const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export const residentBytes = (): number => process.memoryUsage.rss()
