/** Milliseconds before the second round, doubled for each further one up to the most. */
const firstDelay = 50
export const mostDelay = 2_000

/** How long to wait before round `round` (from 0), in milliseconds; `random` in [0, 1) spreads it over its upper half. Pure. */
export const seekDelay = (round: number, random: number): number => {
  if (round === 0) return 0
  const full = Math.min(mostDelay, firstDelay * 2 ** (round - 1))
  return full / 2 + (random * full) / 2
}
