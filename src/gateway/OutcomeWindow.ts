/** How many attempts succeeded and how many failed over the last while. Pure: the time is passed in. */

/** The outcomes of one tenth of the window. */
interface Slice {
  /** The time divided by the width of a slice, rounded down. */
  readonly index: number
  readonly successes: number
  readonly failures: number
}

/**
 * Counts in ten slices, so that it takes the same room whatever the traffic. An outcome counts for at least nine tenths of
 * the window and never longer than the window. If the clock is set back, what came after the new time is forgotten.
 */
export interface OutcomeWindow {
  /** Milliseconds. */
  readonly width: number
  /** Oldest first, at most `SLICES`. */
  readonly slices: ReadonlyArray<Slice>
}

export interface OutcomeCounts {
  readonly successes: number
  readonly failures: number
}

const SLICES = 10

/** `window` in milliseconds, more than 0. */
export const makeWindow = (window: number): OutcomeWindow => ({ width: window / SLICES, slices: [] })

const indexAt = (window: OutcomeWindow, now: number) => Math.floor(now / window.width)

const live = (window: OutcomeWindow, index: number) => window.slices.filter((slice) => slice.index > index - SLICES && slice.index <= index)

/** The window with one more outcome at `now` (ms). */
export const record = (window: OutcomeWindow, success: boolean, now: number): OutcomeWindow => {
  const index = indexAt(window, now)
  const slices = live(window, index)
  const last = slices.at(-1)
  const current = last?.index === index ? last : { index, successes: 0, failures: 0 }
  const counted = success ? { ...current, successes: current.successes + 1 } : { ...current, failures: current.failures + 1 }
  return { width: window.width, slices: current === last ? [...slices.slice(0, -1), counted] : [...slices, counted] }
}

/** What counts at `now` (ms). */
export const countsAt = (window: OutcomeWindow, now: number): OutcomeCounts => {
  let successes = 0
  let failures = 0
  for (const slice of live(window, indexAt(window, now))) {
    successes += slice.successes
    failures += slice.failures
  }
  return { successes, failures }
}

/** The share of failures, 0 to 1; 0 when there were no attempts. */
export const failureRate = ({ failures, successes }: OutcomeCounts): number => (failures === 0 ? 0 : failures / (successes + failures))
