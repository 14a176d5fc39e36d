/** Series of the metric registry whose values live elsewhere and are read when somebody looks. */
import { type Context, Metric } from "effect"
import type { HistogramCounts } from "./Counters.ts"

type Labels = Readonly<Record<string, string>>

const ignore = (): void => undefined

/** One histogram of several that have the same boundaries. */
const sumOf = (all: ReadonlyArray<HistogramCounts>, boundaries: ReadonlyArray<number>): Metric.HistogramState => {
  const sum = (valueOf: (counts: HistogramCounts) => number): number => all.reduce((total, counts) => total + valueOf(counts), 0)
  const buckets = all.map((counts) => counts.cumulative())
  const seen = all.filter(({ count }) => count > 0)
  return {
    buckets: boundaries.map((boundary, i) => [boundary, buckets.reduce((total, each) => total + (each[i]?.[1] ?? 0), 0)]),
    count: sum(({ count }) => count),
    sum: sum((counts) => counts.sum),
    min: seen.length === 0 ? 0 : Math.min(...seen.map(({ min }) => min)),
    max: seen.length === 0 ? 0 : Math.max(...seen.map(({ max }) => max))
  }
}

/** Puts series into the registry of a context, in this order, until `remove`. */
export class Series {
  readonly #context: Context.Context<never>
  readonly #registrations: Array<Metric.Registration> = []

  constructor(context: Context.Context<never>) {
    this.#context = context
  }

  counter(name: string, description: string, read: () => number, attributes?: Labels): void {
    const metric = Metric.counter(name, { description, incremental: true, attributes })
    const hooks = { get: () => ({ count: read(), incremental: true }), update: ignore, modify: ignore }
    this.#registrations.push(Metric.registerUnsafe(metric, this.#context, hooks))
  }

  gauge(name: string, description: string, read: () => number, attributes?: Labels): void {
    const hooks = { get: () => ({ value: read() }), update: ignore, modify: ignore }
    this.#registrations.push(Metric.registerUnsafe(Metric.gauge(name, { description, attributes }), this.#context, hooks))
  }

  /** The sum of `all`, which have the same boundaries. */
  histogram(name: string, description: string, all: ReadonlyArray<HistogramCounts>, attributes?: Labels): void {
    const boundaries = all[0]?.boundaries ?? []
    const hooks = { get: () => sumOf(all, boundaries), update: ignore, modify: ignore }
    const metric = Metric.histogram(name, { description, boundaries, attributes })
    this.#registrations.push(Metric.registerUnsafe(metric, this.#context, hooks))
  }

  remove(): void {
    for (const registration of this.#registrations.splice(0)) registration.remove()
  }
}
