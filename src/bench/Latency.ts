/** Latencies in an HDR histogram: microseconds, three significant digits. */
import * as hdr from "hdr-histogram-js"

export type Latency = hdr.Histogram

/** The longest latency that is told apart: an hour. */
const longest = 3_600_000_000

const empty = (): Latency =>
  hdr.build({ bitBucketSize: 32, lowestDiscernibleValue: 1, highestTrackableValue: longest, numberOfSignificantValueDigits: 3 })

/** Milliseconds, as reports show them. */
export interface LatencySummary {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export const makeLatency = empty

/** Records a duration in milliseconds. */
export const record = (latency: Latency, milliseconds: number): void => {
  latency.recordValue(Math.min(longest, Math.max(1, Math.round(milliseconds * 1000))))
}

export const summarize = (latency: Latency): LatencySummary => {
  const at = (percentile: number) => latency.getValueAtPercentile(percentile) / 1000
  return {
    count: latency.totalCount,
    mean: latency.mean / 1000,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: latency.maxValue / 1000
  }
}

/** Text that crosses threads and files; the standard form that HDR tools read. */
export const encodeLatency = (latency: Latency): string => hdr.encodeIntoCompressedBase64(latency)

/** All of the encoded histograms in one. */
export const mergeLatencies = (encoded: ReadonlyArray<string>): Latency => {
  const sum = empty()
  for (const one of encoded) sum.add(hdr.decodeFromCompressedBase64(one))
  return sum
}

/** Latency in milliseconds at each percentile, closer together towards the end: the curve of a plot. */
export const curve = (latency: Latency): ReadonlyArray<{ readonly percentile: number; readonly milliseconds: number }> => {
  const percentiles = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999]
  return percentiles.map((percentile) => ({ percentile, milliseconds: latency.getValueAtPercentile(percentile) / 1000 }))
}
