import { describe, expect, it } from "vitest"
import { type Figures, ratios, spread, withSlowdown } from "../../bench/compare/figures.ts"
import { questionNamed } from "../../bench/compare/questions.ts"
import { calmTable, caveats, table } from "../../bench/compare/table.ts"
import { encodeLatency, makeLatency, mergeLatencies, record, summarize } from "../../src/bench/Latency.ts"
import { loadWasBottleneck, lost, merge, Tally } from "../../src/bench/Result.ts"
import { added, directSpec, inSequence, runPair } from "../../src/bench/Rounds.ts"
import type { Spec } from "../../src/bench/Spec.ts"
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

  it("are shown a second time without what was measured while somebody else had a part of the core", () => {
    const row = (name: string, ...rounds: ReadonlyArray<readonly [cpu: number, core: number]>) => ({
      name,
      rounds: rounds.map(([cpu, core]) => figures(cpu, 1000, { core }))
    })
    const question = questionNamed("rooms")
    const rows = withSlowdown([row("bare", [2, 100], [3, 150], [2, 110]), row("weft", [9, 180], [4, 105], [3, 100])])
    expect(table(question, rows)).toMatch(/core slower.*\n.*\n.*bare.* 1\.10 \(1\.00–1\.50\).*\n.*weft +\| 4\.00 .* 1\.05 \(1\.00–1\.80\)/)
    const calm = calmTable(question, rows)
    expect(calm).toMatch(/\(bare 2 of 3, weft 2 of 3\)/)
    expect(calm).toMatch(/\| weft +\| 3\.50 \(3\.00–4\.00\) +\| 1\.50 \(1\.50–1\.50\)/)
    // Nothing to leave out, and nothing left.
    expect(calmTable(question, withSlowdown([row("bare", [2, 100]), row("weft", [2, 110])]))).toBeUndefined()
    expect(calmTable(question, withSlowdown([row("bare", [2, 100]), row("weft", [2, 190])]))).toBeUndefined()
  })

  it("show what a proxy adds to the direct way, round by round", () => {
    const proxied = [figures(12, 2000, { p50: 0.3, p99: 1.5, late: 0.25 }), figures(14, 2000, { p50: 0.5, p99: 3 })]
    const { cpu: _, ...unmeasured } = figures(0, 2000)
    const rows = [
      { name: "haproxy", rounds: proxied },
      { name: "direct", rounds: [{ ...unmeasured, p50: 0.1, p99: 0.5 }, undefined] }
    ]
    const [head, , haproxy, direct] = table(questionNamed("gateway-latency"), rows).split("\n")
    expect(head).toMatch(/µs CPU \/ round trip .*added p50 ms .*added p99 ms .*sent late p99 ms/)
    expect(haproxy).toMatch(/0\.20 \(0\.20–0\.20\) +\| 1\.00 \(1\.00–1\.00\) +\| 0\.25 /)
    expect(direct).toMatch(/^\| direct +\| – +\| – .*\| 0\.00 /)
  })
})

describe("results", () => {
  it("of threads add up, with their latencies", () => {
    const thread = (received: number, milliseconds: number, utilization: number, polled = 0) => {
      const tally = new Tally()
      Object.assign(tally, { opened: 1, sent: 10, expected: 10, received, ramp: milliseconds })
      tally.count(tally.notices, "gap")
      record(tally.latency, milliseconds)
      return tally.result({ seconds: 2, sent: 8, received: 8, bytes: 80 }, { seconds: 2, cpu: 0.1, utilization, polled }, undefined)
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
    // One that has time to look again and again whether something has come is not full, though it never sleeps.
    expect(loadWasBottleneck(thread(1, 1, 1, 1.5))).toBe(false)
    expect(loadWasBottleneck(thread(1, 1, 1, 0.1))).toBe(true)
    expect(summarize(mergeLatencies([sum.latency]))).toMatchObject({ count: 2, max: 2 })
  })

  it("of rounds follow each other: windows add up, and so does the use of each thread", () => {
    const round = (thread: number, memory: number) => {
      const tally = new Tally()
      Object.assign(tally, { opened: 1, sent: 10, expected: 10, received: 10 })
      record(tally.latency, 1)
      const server = { cpu: 0.5, waited: 0, memoryBefore: memory, memoryAfter: memory + 1 }
      const window = { seconds: 2, sent: 8, received: 8, bytes: 80 }
      return tally.result(window, { seconds: 2, cpu: 1, utilization: 0.5, polled: 0.5 }, thread === 0 ? server : undefined)
    }
    const sum = inSequence([merge([round(0, 10), round(1, 0)]), merge([round(0, 20), round(1, 0)])])
    expect(sum).toMatchObject({
      sent: 40,
      window: { seconds: 4, received: 32 },
      server: { cpu: 1, memoryBefore: 10, memoryAfter: 21 }
    })
    expect(sum.loads).toEqual([
      { seconds: 4, cpu: 2, utilization: 0.5, polled: 1 },
      { seconds: 4, cpu: 2, utilization: 0.5, polled: 1 }
    ])
  })

  it("of a pair are of the same load in turn, each side first by turns, until something goes wrong", async () => {
    const spec = {
      target: { url: "ws://through", encodings: ["json"], batch: false, secret: "s", pids: [1] },
      scenario: { kind: "gateway", connections: 1, idle: 0, inflight: 1, size: 1 },
      ...{ warmup: 0, seconds: 1, ramp: 1, patience: 1 }
    } as const
    const direct = directSpec(spec, "ws://direct")
    expect(direct.target).toEqual({ url: "ws://direct", encodings: ["json"], batch: false, pids: [] })
    const load = (breaksAt: number) => {
      const asked: Array<string> = []
      const run = async ({ target: { url } }: Spec) => {
        asked.push(url.slice(5))
        const tally = new Tally()
        record(tally.latency, url === "ws://direct" ? 1 : 3)
        if (asked.length === breaksAt) tally.partial = "broken"
        return tally.result({ seconds: 1, sent: 0, received: 0, bytes: 0 }, { seconds: 1, cpu: 0, utilization: 0, polled: 0 }, undefined)
      }
      return { asked, pair: runPair(spec, direct, 3, run) }
    }
    const whole = load(0)
    const { p50, p99 } = added(await whole.pair)!
    expect(whole.asked).toEqual(["direct", "through", "through", "direct", "direct", "through"])
    expect(p50).toBeCloseTo(2, 1)
    expect(p99).toBeCloseTo(2, 1)
    const broken = load(2)
    expect(await broken.pair).toMatchObject({ through: { partial: "broken" } })
    expect(broken.asked).toEqual(["direct", "through"])
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
