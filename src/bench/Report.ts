/** A result for people: a few aligned lines. Pure. */
import { type LatencySummary, mergeLatencies, summarize } from "./Latency.ts"
import type { Added } from "./Rounds.ts"
import { busyShare, isSaturated } from "./Meter.ts"
import { type Counts, cpuPerMessage, loadWasBottleneck, lost, type Result } from "./Result.ts"
import type { Scenario, Spec } from "./Spec.ts"

const grouped = (count: number): string => Math.round(count).toLocaleString("en-US")

/** Three digits that matter: 0.123, 12.3, 1,234. */
const figure = (value: number): string =>
  value >= 100 ? grouped(value) : value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)

const share = (part: number): string => `${Math.round(part * 100)} %`

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** What a count of replies or deliveries is called. */
export const unitOf = ({ kind }: Scenario): "replies" | "deliveries" | "connections" =>
  kind === "connect" ? "connections" : kind === "fanout" || kind === "mixed" ? "deliveries" : "replies"

/** The scenario on one line. */
export const describeScenario = (scenario: Scenario): string => {
  switch (scenario.kind) {
    case "connect":
      return `${grouped(scenario.connections)} connections${scenario.members > 0 ? `, each in a room of ${scenario.members}` : ""}`
    case "echo":
      return `${grouped(scenario.connections)} connections, ${scenario.inflight} in flight, ${scenario.size} bytes`
    case "presence":
      return `${grouped(scenario.connections)} connections in rooms of ${scenario.members}, ${scenario.inflight} in flight`
    case "fanout": {
      const pace = scenario.rate === undefined ? `${scenario.outstanding} outstanding in each` : `${scenario.rate} publishes a second`
      return `${grouped(scenario.rooms)} rooms of ${scenario.publishers} publishers and ${scenario.subscribers} subscribers, ${pace}, ${scenario.size} bytes`
    }
    case "mixed":
      return `${grouped(scenario.users)} users in rooms of ${scenario.members}, thinking ${scenario.think} s, ${scenario.size} bytes, ${scenario.churn} guests a second`
    case "gateway": {
      const pace = scenario.rate === undefined ? `${scenario.inflight} in flight` : `${grouped(scenario.rate)} messages a second over all`
      const idle = scenario.idle === 0 ? "" : ` and ${grouped(scenario.idle)} idle ones`
      return `${grouped(scenario.connections)} connections${idle}, ${pace}, ${scenario.size} bytes`
    }
  }
}

const latencyLine = ({ p50, p90, p99, p999, max }: LatencySummary): string =>
  `p50 ${figure(p50)}   p90 ${figure(p90)}   p99 ${figure(p99)}   p99.9 ${figure(p999)}   max ${figure(max)}`

/** What lies between the two sides of a pair. */
export const reportAdded = ({ p50, p90, p99, p999 }: Added, rounds: number): string => {
  const signed = (value: number): string => `${value < 0 ? "−" : ""}${figure(Math.abs(value))}`
  const values = `p50 ${signed(p50)}   p90 ${signed(p90)}   p99 ${signed(p99)}   p99.9 ${signed(p999)}`
  return `added latency ms: ${values}  (percentiles, less those of the direct way; ${rounds} ${rounds === 1 ? "round" : "rounds"} of each in turn)`
}

const counted = (name: string, counts: Counts): ReadonlyArray<readonly [string, string]> =>
  Object.entries(counts).map(([what, count]) => [name, `${what}: ${grouped(count)}`])

/** The whole run's samples; the first may be from before the connections. */
const overTime = (samples: ReadonlyArray<number>): string =>
  samples.length < 2 ? "" : `; sampled each second: least ${megabytes(Math.min(...samples))}, most ${megabytes(Math.max(...samples))}`

const serverLines = (result: Result, unit: string): ReadonlyArray<readonly [string, string]> => {
  const { server, window } = result
  if (server === undefined) return []
  const cpu = cpuPerMessage(result)
  const each = cpu === undefined ? "" : `${figure(cpu)} µs for each of the ${unit}, `
  const waited = server.waited / window.seconds
  return [
    ["server CPU", `${each}${share(server.cpu / window.seconds)} of a core${waited > 0.05 ? `, waited ${share(waited)} for one` : ""}`],
    ["server memory", `${megabytes(server.memoryBefore)} before, ${megabytes(server.memoryAfter)} after${overTime(result.memory)}`]
  ]
}

const loadLine = (result: Result): string => {
  const busy = result.loads.map((load) => {
    const of = (seconds: number) => share(load.seconds === 0 ? 0 : seconds / load.seconds)
    return `${share(busyShare(load))} busy, ${of(load.cpu)} CPU${load.polled > 0 ? ` (${of(load.polled)} polling)` : ""}`
  })
  return `${result.loads.length} ${result.loads.length === 1 ? "thread" : "threads"}: ${busy.join("; ")}`
}

const rateLines = (scenario: Scenario, result: Result): ReadonlyArray<readonly [string, string]> => {
  const { window } = result
  if (scenario.kind === "connect")
    return [["rate", `${figure(result.opened / result.ramp)} connections/s, all within ${figure(result.ramp)} s`]]
  if (window.seconds === 0) return []
  const rate = `${grouped(window.received / window.seconds)} ${unitOf(scenario)}/s`
  return [["rate", `${rate}, ${megabytes(window.bytes / window.seconds)}/s received, over ${figure(window.seconds)} s`]]
}

/** Counts, rate, latencies in milliseconds, the load's own state; what went wrong comes last. */
export const report = (spec: Spec, result: Result): string => {
  const { scenario } = spec
  const latency = (name: string, encoded: string): ReadonlyArray<readonly [string, string]> => {
    const summary = summarize(mergeLatencies([encoded]))
    return summary.count === 0 ? [] : [[`${name} ms`, latencyLine(summary)]]
  }
  const lines: ReadonlyArray<readonly [string, string]> = [
    ["connections", grouped(result.opened)],
    ...(scenario.kind === "connect"
      ? []
      : ([
          [
            "sent",
            `${grouped(result.sent)}   expected ${grouped(result.expected)}   received ${grouped(result.received)}   lost ${grouped(lost(result))}`
          ]
        ] as const)),
    ...rateLines(scenario, result),
    ...latency(scenario.kind === "fanout" && scenario.rate === undefined ? "to the last" : "latency", result.latency),
    ...latency("requests", result.requests),
    ...latency("sent late", result.lateness),
    ...latency("handshake", result.handshakes),
    ...serverLines(result, unitOf(scenario)),
    ["load", loadLine(result)],
    ...counted("server said", result.notices),
    ...counted("ended", result.endings)
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  const text = lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
  if (loadWasBottleneck(result)) {
    const busiest = result.loads.filter(isSaturated).length
    text.push(
      `The load generator was the bottleneck (${busiest} of ${result.loads.length} threads full): the server can do more than this.`
    )
  }
  if (result.partial !== undefined) text.push(`PARTIAL: ${result.partial}. The figures are of what was done until then.`)
  return text.join("\n")
}
