/** The report of a comparison as text. Pure. */
import { differences, disturbed, type Figures, onlyCalm, ratios, type Row, type Spread, spread } from "./figures.ts"
import type { Question } from "./questions.ts"

/** The contender without a proxy: what the others add to its latency is a figure of theirs. */
export const directWay = "direct"

const digits = (value: number): string => {
  const size = Math.abs(value)
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  if (size >= 10_000) return `${(value / 1e3).toFixed(0)} k`
  if (size >= 1000) return `${(value / 1e3).toFixed(1)} k`
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

const withSpread = (value: Spread | undefined): string =>
  value === undefined ? "–" : `${digits(value.median)} (${digits(value.min)}–${digits(value.max)})`

const ratio = (value: Spread | undefined): string =>
  value === undefined ? "–" : `${value.median.toFixed(2)} (${value.min.toFixed(2)}–${value.max.toFixed(2)})`

const percent = (value: Spread | undefined): string => (value === undefined ? "–" : `${Math.round(value.median * 100)} %`)

const plural = { message: "messages", delivery: "deliveries", connection: "connections", "round trip": "round trips" } as const

/** Columns as Markdown, padded so that it reads well as it is. */
export const markdown = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: ReadonlyArray<string>) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`
  return [line(rows[0]!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.slice(1).map(line)].join("\n")
}

/** Medians over the rounds with (least–most); ratios are taken round by round to the first row. */
export const table = (question: Question, rows: ReadonlyArray<Row>): string => {
  const yardstick = rows[0]!
  const memory = question.scenario.kind === "connect" && question.scenario.hold > 0
  const direct = rows.find(({ name }) => name === directWay)
  const paced = rows.some(({ rounds }) => rounds.some((figures) => figures?.late !== undefined))
  const watched = rows.some(({ rounds }) => rounds.some((figures) => figures?.slower !== undefined))
  const head = ["", `µs CPU / ${question.unit}`, `× ${yardstick.name}`, `${plural[question.unit]} / s`, `× ${yardstick.name}`]
  const added = direct === undefined ? [] : ["added p50 ms", "added p99 ms"]
  const rest = [
    "p50 ms",
    "p99 ms",
    ...added,
    ...(paced ? ["sent late p99 ms"] : []),
    ...(memory ? ["KB / connection"] : []),
    "server busy",
    "waited",
    ...(watched ? ["core slower"] : []),
    "load busy",
    "lost"
  ]
  const cells = rows.map(({ name, rounds }) => {
    const done = rounds.filter((figures) => figures !== undefined)
    const of = (read: (figures: Figures) => number | undefined) => spread(done.map(read).filter((value) => value !== undefined))
    return [
      name,
      withSpread(of((figures) => figures.cpu)),
      ratio(ratios(rounds, yardstick.rounds, (figures) => figures.cpu)),
      withSpread(of((figures) => figures.rate)),
      ratio(ratios(rounds, yardstick.rounds, (figures) => figures.rate)),
      withSpread(of((figures) => figures.p50)),
      withSpread(of((figures) => figures.p99)),
      ...(direct === undefined
        ? []
        : [
            withSpread(differences(rounds, direct.rounds, (figures) => figures.p50)),
            withSpread(differences(rounds, direct.rounds, (figures) => figures.p99))
          ]),
      ...(paced ? [withSpread(of((figures) => figures.late))] : []),
      ...(memory ? [withSpread(of((figures) => figures.memory && figures.memory / 1024))] : []),
      percent(of((figures) => figures.busy)),
      percent(of((figures) => figures.waited)),
      ...(watched ? [ratio(of((figures) => figures.slower))] : []),
      `${percent(of((figures) => figures.loadBusy))}${done.some((figures) => figures.loadLimited) ? " (limit)" : ""}`,
      String(done.reduce((total, figures) => total + figures.lost, 0))
    ]
  })
  return markdown([[...head, ...rest], ...cells])
}

/**
 * The table once more, of what was measured while the core did its reference work about as fast as it can. Undefined where that
 * is everything, or nothing of some contender.
 */
export const calmTable = (question: Question, rows: ReadonlyArray<Row>): string | undefined => {
  const count = (all: ReadonlyArray<Row>) => all.map(({ rounds }) => rounds.filter((figures) => figures !== undefined).length)
  const calm = onlyCalm(rows)
  const [kept, all] = [count(calm), count(rows)]
  if (kept.every((number, at) => number === all[at]) || kept.includes(0)) return undefined
  const share = rows.map(({ name }, at) => `${name} ${kept[at]} of ${all[at]}`).join(", ")
  return `Without those in which the core was more than ${disturbed} times slower than at best (${share}):\n\n${table(question, calm)}`
}

/** What a reader has to know before believing the table. */
export const caveats = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const done = rows.flatMap(({ name, rounds }) => rounds.flatMap((figures) => (figures === undefined ? [] : [{ name, figures }])))
  const limited = [...new Set(done.filter(({ figures }) => figures.loadLimited).map(({ name }) => name))]
  const waited = spread(done.flatMap(({ figures }) => (figures.waited === undefined ? [] : [figures.waited])))
  return [
    ...(limited.length === 0
      ? []
      : [`The load had no room left (limit) with ${limited.join(", ")}: these rates are lower bounds; the CPU figures stand.`]),
    ...(waited === undefined || waited.max < 0.05
      ? []
      : [`Noisy: servers waited for their core up to ${Math.round(waited.max * 100)} % of a window because something else ran there.`])
  ]
}
