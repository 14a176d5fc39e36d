// @ts-check
/** Round trips measured with `ping`, for the number and the line in the page's head. */

const most = 40

export class Latency {
  /** @type {Array<number>} */
  #samples = []

  /** @param {number} ms */
  add(ms) {
    this.#samples.push(ms)
    if (this.#samples.length > most) this.#samples.shift()
  }

  clear() {
    this.#samples = []
  }

  get last() {
    return this.#samples.at(-1)
  }

  get median() {
    const sorted = this.#samples.toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]
  }

  get best() {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples)
  }

  /**
   * The samples as points of an SVG polyline in a box of that size: the newest at the right edge, the slower the higher,
   * and all that is beyond three times the median at the top.
   * @param {number} width
   * @param {number} height
   */
  points(width, height) {
    const slowest = Math.min(Math.max(...this.#samples), 3 * (this.median ?? 0))
    const step = width / (most - 1)
    const left = width - step * (this.#samples.length - 1)
    return this.#samples
      .map((ms, at) => `${(left + at * step).toFixed(1)},${(height - Math.min(1, ms / slowest) * height).toFixed(1)}`)
      .join(" ")
  }
}
