import { Effect } from "effect"
import { triesOf } from "../HealthState.ts"
import type { Probe } from "./Probe.ts"

/**
 * A check that does not take one lost answer for silence: while nothing comes, more probes begin, at equal distances within
 * `timeout` seconds. The first outcome counts, whichever probe has it; a timeout is the first probe's, and then none has had
 * an answer. Takes `timeout` at most, as the probe does.
 */
export const insist = (probe: Probe, check: { readonly down: number; readonly timeout: number }): Probe => {
  const tries = triesOf(check)
  return Effect.raceAllFirst(Array.from({ length: tries }, (_, turn) => Effect.delay(probe, (turn * check.timeout * 1000) / tries)))
}
