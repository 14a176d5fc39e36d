/** One load against two addresses in turn, so that whatever else the machine does falls on both alike. */
import { mergeLatencies, summarize } from "./Latency.ts"
import type { LoadUse } from "./Meter.ts"
import { merge, type Result } from "./Result.ts"
import type { Spec } from "./Spec.ts"

/** The same load through a proxy and straight to what stands behind it. */
export interface Pair {
  readonly through: Result
  readonly direct: Result
}

const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number): number => all.reduce((total, one) => total + of(one), 0)

const total = (uses: ReadonlyArray<LoadUse>): LoadUse => {
  const seconds = sum(uses, (use) => use.seconds)
  return {
    seconds,
    cpu: sum(uses, (use) => use.cpu),
    utilization: sum(uses, (use) => use.utilization * (use.seconds / (seconds || 1))),
    polled: sum(uses, (use) => use.polled)
  }
}

/** Rounds of the same load, one after another, as one result: their windows add up. Memory is from before the first to after the last. */
export const inSequence = (rounds: ReadonlyArray<Result>): Result => {
  const { window, ...rest } = merge(rounds)
  const servers = rounds.flatMap(({ server }) => (server === undefined ? [] : [server]))
  const threads = Math.max(0, ...rounds.map(({ loads }) => loads.length))
  return {
    ...rest,
    window: { ...window, seconds: sum(rounds, (round) => round.window.seconds) },
    ramp: sum(rounds, ({ ramp }) => ramp),
    loads: Array.from({ length: threads }, (_, thread) => total(rounds.flatMap(({ loads }) => loads[thread] ?? []))),
    ...(servers.length === 0
      ? {}
      : {
          server: {
            cpu: sum(servers, ({ cpu }) => cpu),
            waited: sum(servers, ({ waited }) => waited),
            memoryBefore: servers[0]!.memoryBefore,
            memoryAfter: servers.at(-1)!.memoryAfter
          }
        })
  }
}

/** Milliseconds that the proxy adds at each percentile: the difference of the two percentiles, not a percentile of differences. */
export interface Added {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
}

/** Undefined where one side has no latencies. */
export const added = ({ direct, through }: Pair): Added | undefined => {
  const [a, b] = [summarize(mergeLatencies([through.latency])), summarize(mergeLatencies([direct.latency]))]
  if (a.count === 0 || b.count === 0) return undefined
  return { p50: a.p50 - b.p50, p90: a.p90 - b.p90, p99: a.p99 - b.p99, p999: a.p999 - b.p999 }
}

/** The specification for the way without the proxy: its processes are not measured, and the proxy's tokens stay with the proxy. */
export const directSpec = (spec: Spec, url: string): Spec => {
  const { secret: _, token: __, ...target } = spec.target
  return { ...spec, target: { ...target, url, pids: [] } }
}

/**
 * Runs `rounds` of both, beginning with another side each time. A round in which something went wrong is the last one.
 * `load` runs one specification.
 */
export const runPair = async (through: Spec, direct: Spec, rounds: number, load: (spec: Spec) => Promise<Result>): Promise<Pair> => {
  const done: Record<keyof Pair, Array<Result>> = { through: [], direct: [] }
  const specs: Readonly<Record<keyof Pair, Spec>> = { through, direct }
  const sides = ["direct", "through"] as const
  for (let turn = 0; turn < rounds * 2; turn++) {
    const side = sides[((turn % 2) + Math.floor(turn / 2)) % 2]!
    const result = await load(specs[side])
    done[side].push(result)
    if (result.partial !== undefined) break
  }
  return { through: inSequence(done.through), direct: inSequence(done.direct) }
}
