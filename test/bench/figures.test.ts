import { describe, expect, it } from "vitest"
import { type Figures, ratios, spread } from "../../bench/compare/figures.ts"
import { questionNamed } from "../../bench/compare/questions.ts"
import { caveats, table } from "../../bench/compare/table.ts"
import { encodeLatency, makeLatency, mergeLatencies, record, summarize } from "../../src/bench/Latency.ts"
import { loadWasBottleneck, lost, merge, Tally } from "../../src/bench/Result.ts"
import { readStamp, stamp } from "../../src/bench/Stamp.ts"

const figures = (cpu: number, rate: number, more: Partial<Figures> = {}): Figures => ({
  ...{ cpu, rate, busy: 1, waited: 0, loadBusy: 0.5, loadLimited: false, lost: 0 },
  ...more
})

describe("figures of a comparison", () => {
  it("take the median and keep the extremes", () => {
    expect(spread([])).toBeUndefined()
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
    expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 })
  })

  it("take ratios within each round, and leave out rounds that failed on either side", () => {
    const own = [figures(4, 1), undefined, figures(9, 1), figures(5, 1)]
    const base = [figures(2, 1), figures(1, 1), figures(3, 1), undefined]
    expect(ratios(own, base, ({ cpu }) => cpu)).toEqual({ median: 2.5, min: 2, max: 3 })
  })

  it("are shown with what has to be known to believe them", () => {
    const rows = [
      { name: "bare", rounds: [figures(2, 400_000)] },
      { name: "weft", rounds: [figures(2.5, 300_000, { loadLimited: true, waited: 0.2, lost: 3 })] }
    ]
    const lines = table(questionNamed("echo"), rows).split("\n")
    expect(lines[3]).toMatch(/^\| weft +\| 2\.50 .*\| 1\.25 .*\| 300 k .*\| 0\.75 .*\(limit\).*\| 3 +\|$/)
    expect(caveats(rows).join()).toMatch(/weft: these rates are lower bounds.*20 % of a window/)
    expect(caveats([rows[0]!])).toEqual([])
  })
})

describe("results", () => {
  it("of threads add up, with their latencies", () => {
    const thread = (received: number, milliseconds: number, utilization: number) => {
      const tally = new Tally()
      Object.assign(tally, { opened: 1, sent: 10, expected: 10, received, ramp: milliseconds })
      tally.count(tally.notices, "gap")
      record(tally.latency, milliseconds)
      return tally.result({ seconds: 2, sent: 8, received: 8, bytes: 80 }, { seconds: 2, cpu: 0.1, utilization }, undefined)
    }
    const sum = merge([thread(10, 0.5, 0.2), thread(7, 2, 0.95)])
    expect(sum).toMatchObject({
      opened: 2,
      sent: 20,
      received: 17,
      ramp: 2,
      notices: { gap: 2 },
      window: { seconds: 2, received: 16, bytes: 160 }
    })
    expect(lost(sum)).toBe(3)
    expect(loadWasBottleneck(sum)).toBe(true)
    expect(loadWasBottleneck(thread(1, 1, 0.2))).toBe(false)
    expect(summarize(mergeLatencies([sum.latency]))).toMatchObject({ count: 2, max: 2 })
  })

  it("keep latencies through the encoding, three digits of them", () => {
    const latency = makeLatency()
    for (let i = 1; i <= 1000; i++) record(latency, i / 10)
    const { p50, p99, max, count } = summarize(mergeLatencies([encodeLatency(latency)]))
    expect(count).toBe(1000)
    for (const [found, meant] of [
      [p50, 50],
      [p99, 99],
      [max, 100]
    ] as const)
      expect(Math.abs(found - meant) / meant).toBeLessThan(0.002)
  })
})

describe("stamps", () => {
  it("carry a moment in a text of the size that is asked for", () => {
    expect(stamp(1234.567, 64)).toHaveLength(64)
    expect(readStamp(stamp(1234.567, 64))).toBeCloseTo(1234.567, 3)
    expect(readStamp(stamp(0.001, 0))).toBeCloseTo(0.001, 3)
    expect(readStamp("hello")).toBeUndefined()
    expect(readStamp("hello, this is no stamp")).toBeUndefined()
  })
})
