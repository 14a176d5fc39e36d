/** What a target gets in the moment of its return: enough to warm up and to be noticed if it fails at once. */
const FIRST_SHARE = 0.1

/**
 * The share of its weight that a target has `elapsed` ms after it returned: from a tenth in a straight line to 1 after
 * `slowStart` seconds. 0 seconds: all of it at once, and so too if the clock was set back since. Pure.
 */
export const slowStartShare = (elapsed: number, slowStart: number): number => {
  const full = slowStart * 1000
  return elapsed < 0 || elapsed >= full ? 1 : Math.max(FIRST_SHARE, elapsed / full)
}
