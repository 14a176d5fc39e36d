/** A strict reader of the Prometheus text format 0.0.4. Throws at whatever a scraper or `promtool check metrics` complains about. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelForm = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const numberForm = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf)$/

const readNumber = (text: string): number => {
  if (!numberForm.test(text)) throw new Error(`not a number: ${text}`)
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text)
}

const readLabels = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== "") {
    const [all = "", name = "", value = ""] = /^([^=]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ?? []
    if (all === "") throw new Error(`bad labels: ${text}`)
    if (!labelForm.test(name) || name.startsWith("__")) throw new Error(`bad label name: ${name}`)
    if (Object.hasOwn(labels, name)) throw new Error(`label ${name} twice: ${text}`)
    labels[name] = value.replace(/\\([\\"n])/g, (_, char: string) => (char === "n" ? "\n" : char))
    rest = rest.slice(all.length)
  }
  return labels
}

const readSample = (line: string): Sample => {
  const [, name = "", , labels = "", value = ""] = /^([^{ ]+)(\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (!nameForm.test(name)) throw new Error(`bad sample: ${line}`)
  return { name, labels: readLabels(labels), value: readNumber(value) }
}

const belongs = (sample: string, family: string, type: string): boolean =>
  sample === family || (type === "histogram" && ["_bucket", "_sum", "_count"].some((suffix) => sample === family + suffix))

const checkCounter = ({ name, samples }: Family): void => {
  if (!name.endsWith("_total")) throw new Error(`counter ${name} does not end in _total`)
  for (const { value } of samples) if (!(value >= 0)) throw new Error(`counter ${name} is ${value}`)
}

/** One for each set of labels but `le`. */
const histogramsOf = (samples: ReadonlyArray<Sample>): ReadonlyArray<ReadonlyArray<Sample>> => {
  const groups = new Map<string, Array<Sample>>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(Object.entries(labels).toSorted())
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  return [...groups.values()]
}

const checkHistogram = (name: string, samples: ReadonlyArray<Sample>): void => {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`)
  const bounds = buckets.map(({ labels }) => readNumber(labels["le"] ?? ""))
  if (bounds.at(-1) !== Infinity || bounds.some((bound, i) => i > 0 && bound <= (bounds[i - 1] ?? 0)))
    throw new Error(`bounds of ${name}: ${bounds}`)
  if (buckets.some(({ value }, i) => i > 0 && value < (buckets[i - 1]?.value ?? 0))) throw new Error(`buckets of ${name} do not grow`)
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value
  if (count === undefined || count !== buckets.at(-1)?.value) throw new Error(`count of ${name} is not its last bucket`)
  if (!samples.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name} has no sum`)
}

/** Families by name. Every family must have HELP and TYPE once, in this order, before its samples, which stand together. */
export const parsePrometheus = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end")
  const families = new Map<string, Family & { samples: Array<Sample> }>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | undefined
  let family: (Family & { samples: Array<Sample> }) | undefined
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === "HELP") {
      if (families.has(name)) throw new Error(`${name} comes twice`)
      if (rest === "") throw new Error(`${name} has no help`)
      help = { name, text: rest }
    } else if (keyword === "TYPE") {
      if (help?.name !== name) throw new Error(`TYPE of ${name} without its HELP`)
      if (!["counter", "gauge", "histogram", "summary", "untyped"].includes(rest)) throw new Error(`type ${rest}`)
      family = { name, type: rest, help: help.text, samples: [] }
      families.set(name, family)
    } else {
      const sample = readSample(line)
      if (family === undefined || !belongs(sample.name, family.name, family.type)) throw new Error(`stray sample: ${line}`)
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`
      if (seen.has(key)) throw new Error(`sample twice: ${line}`)
      seen.add(key)
      family.samples.push(sample)
    }
  }
  for (const each of families.values()) {
    if (each.samples.length === 0) throw new Error(`${each.name} has no samples`)
    if (each.type === "counter") checkCounter(each)
    if (each.type === "histogram") for (const samples of histogramsOf(each.samples)) checkHistogram(each.name, samples)
  }
  return families
}

/** The value of the one sample that has these labels. */
export const sampleOf = (
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number | undefined =>
  families
    .get(name)
    ?.samples.find((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    ?.value
