/** From the results of the rounds to the figures of the report. Pure. */
import { mergeLatencies, summarize } from "../../src/bench/Latency.ts"
import { busyShare } from "../../src/bench/Meter.ts"
import { cpuPerMessage, loadWasBottleneck, lost } from "../../src/bench/Result.ts"
import type { Question } from "./questions.ts"
import type { Measured } from "./round.ts"

/** The middle of several figures and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spread = (values: ReadonlyArray<number>): Spread | undefined => {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** One round of one contender. Undefined figures could not be measured or do not apply. */
export interface Figures {
  /** Microseconds of the server's CPU per message, delivery or connection. */
  readonly cpu?: number
  /** Messages, deliveries or connections a second. */
  readonly rate: number
  /** Share of its core that the server used, and for which it waited because something else had it. */
  readonly busy?: number
  readonly waited?: number
  /** Milliseconds. */
  readonly p50?: number
  readonly p99?: number
  /** Milliseconds by which the open loop's own sends were late (99th percentile). */
  readonly late?: number
  /** Bytes of resident memory per connection. */
  readonly memory?: number
  /** Nanoseconds of the core's reference work, and how many times as long that is as it took at best in the whole comparison. */
  readonly core?: number
  readonly slower?: number
  readonly loadBusy: number
  readonly loadLimited: boolean
  readonly lost: number
}

export const figuresOf = (question: Question, result: Measured): Figures => {
  const { core, server, window } = result
  const connecting = question.scenario.kind === "connect"
  const latency = summarize(mergeLatencies([connecting ? result.handshakes : result.latency]))
  const lateness = summarize(mergeLatencies([result.lateness]))
  const cpu = cpuPerMessage(result)
  const load = result.loads[0]
  return {
    rate: connecting ? result.opened / result.ramp : window.received / window.seconds,
    loadBusy: load === undefined ? 0 : busyShare(load),
    loadLimited: loadWasBottleneck(result),
    lost: lost(result),
    ...(cpu === undefined ? {} : { cpu }),
    ...(core === undefined ? {} : { core }),
    ...(server === undefined ? {} : { busy: server.cpu / window.seconds, waited: server.waited / window.seconds }),
    ...(latency.count === 0 ? {} : { p50: latency.p50, p99: latency.p99 }),
    ...(lateness.count === 0 ? {} : { late: lateness.p99 }),
    ...(connecting && server !== undefined ? { memory: (server.memoryAfter - server.memoryBefore) / result.opened } : {})
  }
}

/** The rounds of one contender; undefined where a round failed. */
export interface Row {
  readonly name: string
  readonly rounds: ReadonlyArray<Figures | undefined>
}

/** A core that takes more than this times as long as at best has somebody else on it. */
export const disturbed = 1.15

/** With how much slower the core was than at its best. */
export const withSlowdown = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const best = Math.min(...rows.flatMap(({ rounds }) => rounds.flatMap((figures) => figures?.core ?? [])))
  return rows.map(({ name, rounds }) => ({
    name,
    rounds: rounds.map((figures) => (figures?.core === undefined ? figures : { ...figures, slower: figures.core / best }))
  }))
}

/** Only what was measured while nobody else had a part of the core. The others become undefined. */
export const onlyCalm = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.map(({ name, rounds }) => ({
    name,
    rounds: rounds.map((figures) => (figures?.slower !== undefined && figures.slower > disturbed ? undefined : figures))
  }))

const pairs = (
  own: ReadonlyArray<Figures | undefined>,
  yardstick: ReadonlyArray<Figures | undefined>,
  of: (figures: Figures) => number | undefined,
  compare: (own: number, yardstick: number) => number | undefined
): Spread | undefined =>
  spread(
    own.flatMap((figures, round) => {
      const base = yardstick[round]
      const [a, b] = [figures && of(figures), base && of(base)]
      const value = a === undefined || b === undefined ? undefined : compare(a, b)
      return value === undefined ? [] : [value]
    })
  )

/** Each round's figure over the yardstick's in the same round. */
export const ratios = (
  own: ReadonlyArray<Figures | undefined>,
  yardstick: ReadonlyArray<Figures | undefined>,
  of: (figures: Figures) => number | undefined
): Spread | undefined => pairs(own, yardstick, of, (a, b) => (b === 0 ? undefined : a / b))

/** Each round's figure less the yardstick's in the same round. */
export const differences = (
  own: ReadonlyArray<Figures | undefined>,
  yardstick: ReadonlyArray<Figures | undefined>,
  of: (figures: Figures) => number | undefined
): Spread | undefined => pairs(own, yardstick, of, (a, b) => a - b)
