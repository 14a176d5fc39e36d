/** What a run has shown: counted by each thread, added up for the report. Plain data. */
import { encodeLatency, type Latency, makeLatency, mergeLatencies } from "./Latency.ts"
import { isSaturated, type LoadUse, type ServerUse } from "./Meter.ts"

/** The reason of a run, or of one thread of it, that was called off from outside. */
export const calledOff = "stopped before its end"

/** The measured window. `sent` requests or publishes, `received` replies or deliveries. */
export interface Window {
  readonly seconds: number
  readonly sent: number
  readonly received: number
  readonly bytes: number
}

/** Counts by text: why connections ended, what the server said beside what was asked. */
export type Counts = Readonly<Record<string, number>>

/** One thread's share, or all threads together. Counts are of the whole run, warm-up and the wait for the last replies included. */
export interface Result {
  readonly opened: number
  /** Requests, or publishes. */
  readonly sent: number
  /** Replies or deliveries that `sent` must lead to. */
  readonly expected: number
  readonly received: number
  readonly window: Window
  /** Seconds from the first handshake to the last usable session. */
  readonly ramp: number
  /** Encoded histograms: replies or deliveries, handshakes, and the requests of a mixed load. */
  readonly latency: string
  readonly handshakes: string
  readonly requests: string
  /** How late the open loop's own sends were; it is part of `latency`, except through a gateway. */
  readonly lateness: string
  readonly endings: Counts
  readonly notices: Counts
  readonly loads: ReadonlyArray<LoadUse>
  readonly server?: ServerUse
  /** Resident memory of the server, one sample a second, in a mixed load with processes named. */
  readonly memory: ReadonlyArray<number>
  /** Why the run is not what it was to be. Absent: it is. */
  readonly partial?: string
}

/** What a thread counts while it runs. */
export class Tally {
  opened = 0
  sent = 0
  expected = 0
  received = 0
  bytes = 0
  ramp = 0
  latency: Latency = makeLatency()
  handshakes: Latency = makeLatency()
  requests: Latency = makeLatency()
  lateness: Latency = makeLatency()
  readonly endings: Record<string, number> = {}
  readonly notices: Record<string, number> = {}
  readonly memory: Array<number> = []
  /** Milliseconds of polls that found nothing. */
  polled = 0
  partial: string | undefined

  count(counts: Record<string, number>, what: string): void {
    counts[what] = (counts[what] ?? 0) + 1
  }

  /** Forgets the latencies of the warm-up. */
  startWindow(): void {
    this.latency = makeLatency()
    this.requests = makeLatency()
    this.lateness = makeLatency()
  }

  /** As if nothing had been opened yet. */
  forgetHandshakes(): void {
    this.opened = 0
    this.handshakes = makeLatency()
  }

  result(window: Window, load: LoadUse, server: ServerUse | undefined): Result {
    return {
      opened: this.opened,
      sent: this.sent,
      expected: this.expected,
      received: this.received,
      window,
      ramp: this.ramp,
      latency: encodeLatency(this.latency),
      handshakes: encodeLatency(this.handshakes),
      requests: encodeLatency(this.requests),
      lateness: encodeLatency(this.lateness),
      endings: this.endings,
      notices: this.notices,
      loads: [load],
      ...(server === undefined ? {} : { server }),
      memory: this.memory,
      ...(this.partial === undefined ? {} : { partial: this.partial })
    }
  }
}

const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number): number => all.reduce((total, one) => total + of(one), 0)

const addCounts = (all: ReadonlyArray<Counts>): Counts => {
  const total: Record<string, number> = {}
  for (const counts of all) for (const what in counts) total[what] = (total[what] ?? 0) + counts[what]!
  return total
}

/** The threads' results as one. Rates add up, since the windows lie side by side. */
export const merge = (all: ReadonlyArray<Result>): Result => {
  const server = all.find((one) => one.server !== undefined)?.server
  // A thread that gave up has stopped the others: its reason is the one that says something.
  const reasons = all.flatMap((one) => one.partial ?? [])
  const partial = reasons.find((reason) => reason !== calledOff) ?? reasons[0]
  const histogram = (of: (one: Result) => string) => encodeLatency(mergeLatencies(all.map(of)))
  return {
    opened: sum(all, (one) => one.opened),
    sent: sum(all, (one) => one.sent),
    expected: sum(all, (one) => one.expected),
    received: sum(all, (one) => one.received),
    window: {
      seconds: all.length === 0 ? 0 : sum(all, (one) => one.window.seconds) / all.length,
      sent: sum(all, (one) => one.window.sent),
      received: sum(all, (one) => one.window.received),
      bytes: sum(all, (one) => one.window.bytes)
    },
    ramp: Math.max(0, ...all.map((one) => one.ramp)),
    latency: histogram((one) => one.latency),
    handshakes: histogram((one) => one.handshakes),
    requests: histogram((one) => one.requests),
    lateness: histogram((one) => one.lateness),
    endings: addCounts(all.map((one) => one.endings)),
    notices: addCounts(all.map((one) => one.notices)),
    loads: all.flatMap((one) => one.loads),
    ...(server === undefined ? {} : { server }),
    memory: all.find((one) => one.memory.length > 0)?.memory ?? [],
    ...(partial === undefined ? {} : { partial })
  }
}

/** Replies or deliveries that did not come. */
export const lost = (result: Result): number => result.expected - result.received

/** Whether some thread of the load had no room left, so that the rate is a lower bound of what the server can do. */
export const loadWasBottleneck = (result: Result): boolean => result.loads.some(isSaturated)

/** Seconds of the server's CPU over the messages of the window, in microseconds. */
export const cpuPerMessage = (result: Result): number | undefined =>
  result.server === undefined || result.window.received === 0 ? undefined : (result.server.cpu / result.window.received) * 1e6
