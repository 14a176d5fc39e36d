/** A result as a picture: latency by percentile, as an SVG that stands for itself. Pure. */
import { curve, mergeLatencies } from "./Latency.ts"
import type { Result } from "./Result.ts"

const width = 720
const height = 400
const margin = { left: 70, right: 30, top: 50, bottom: 50 }

/** Each step to the right is ten times nearer to 100 %. */
const nines = (percentile: number): number => -Math.log10(1 - percentile / 100)
const mostNines = nines(99.999)
const marks = [0, 50, 90, 99, 99.9, 99.99, 99.999]

const colours = ["#2563eb", "#d97706", "#059669"]

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** 1, 2 or 5 times a power of ten, not under `value`. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10)
}

interface Series {
  readonly name: string
  readonly encoded: string
}

const text = (x: number, y: number, anchor: "start" | "middle" | "end", words: string, size = 12): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${escape(words)}</text>`

const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#8884"/>`

/** Latencies, requests and handshakes of `result`, as far as there are any; `title` stands above. */
export const plot = (title: string, result: Result): string => {
  const all: ReadonlyArray<Series> = [
    { name: "latency", encoded: result.latency },
    { name: "requests", encoded: result.requests },
    { name: "handshake", encoded: result.handshakes }
  ]
  const series = all
    .map(({ name, encoded }) => ({ name, latency: mergeLatencies([encoded]) }))
    .filter(({ latency }) => latency.totalCount > 0)
    .map(({ name, latency }) => ({ name, points: curve(latency) }))
  const top = roundUp(Math.max(0.001, ...series.flatMap(({ points }) => points.map(({ milliseconds }) => milliseconds))))
  const x = (percentile: number): number => margin.left + (nines(percentile) / mostNines) * (width - margin.left - margin.right)
  const y = (milliseconds: number): number => height - margin.bottom - (milliseconds / top) * (height - margin.top - margin.bottom)
  const grid = [
    ...marks.map(
      (mark) => line(x(mark), margin.top, x(mark), height - margin.bottom) + text(x(mark), height - margin.bottom + 18, "middle", `${mark}`)
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (part) =>
        line(margin.left, y(part * top), width - margin.right, y(part * top)) +
        text(margin.left - 8, y(part * top) + 4, "end", String(Number((part * top).toPrecision(3))))
    )
  ]
  const lines = series.map(({ name, points }, index) => {
    const path = points.map(({ percentile, milliseconds }) => `${x(percentile).toFixed(1)},${y(milliseconds).toFixed(1)}`).join(" ")
    const colour = colours[index]!
    const legend = `<g fill="${colour}">${text(width - margin.right, margin.top + 16 + index * 16, "end", name)}</g>`
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${legend}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(margin.left, 28, "start", result.partial === undefined ? title : `${title} (partial)`, 14),
    ...grid,
    text(margin.left, height - 10, "start", "percentile"),
    text(8, margin.top - 8, "start", "ms"),
    ...lines,
    "</svg>\n"
  ].join("\n")
}
