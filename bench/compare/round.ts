/** One round of a comparison. */
import { inSequence } from "../../src/bench/Rounds.ts"
import type { Result } from "../../src/bench/Result.ts"
import type { Contender } from "../contenders/Contender.ts"
import type { Question } from "./questions.ts"
import { openTrial, type Trial, TrialFailure } from "./trial.ts"

/** `core`: what the core's reference work took before or after it, whichever was slower, in nanoseconds. */
export type Measured = Result & { readonly core?: number }

/** What came of a contender. */
export type Outcome = Measured | TrialFailure

/** Asks how fast the server's core is. */
export type ReadCore = () => Promise<number>

const orFailure = async <A>(work: () => Promise<A>): Promise<A | TrialFailure> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TrialFailure) return error
    throw error
  }
}

const measured = async (trial: Trial, readCore: ReadCore | undefined): Promise<Measured> => {
  if (readCore === undefined) return trial.measure()
  const before = await readCore()
  const result = await trial.measure()
  return { ...result, core: Math.max(before, await readCore()) }
}

const merged = (results: ReadonlyArray<Measured>): Measured => {
  const cores = results.flatMap(({ core }) => (core === undefined ? [] : [core]))
  return { ...inSequence(results), ...(cores.length === 0 ? {} : { core: Math.max(...cores) }) }
}

/** All of them run at the same time, and are measured in turn, every other time in reverse order. */
const together = async (
  question: Question,
  contenders: ReadonlyArray<Contender>,
  windows: number,
  readCore: ReadCore | undefined
): Promise<ReadonlyArray<Outcome>> => {
  const running: Array<{ readonly trial: Trial | TrialFailure; failure?: TrialFailure; readonly results: Array<Measured> }> = []
  try {
    for (const contender of contenders) running.push({ trial: await orFailure(() => openTrial(question, contender, true)), results: [] })
    for (let window = 0; window < windows; window++)
      for (const one of window % 2 === 0 ? running : running.toReversed()) {
        const { trial } = one
        if (trial instanceof TrialFailure || one.failure !== undefined) continue
        const result = await orFailure(() => measured(trial, readCore))
        if (result instanceof TrialFailure) one.failure = result
        else one.results.push(result)
      }
    return running.map(({ failure, results, trial }) => failure ?? (trial instanceof TrialFailure ? trial : merged(results)))
  } finally {
    for (const { trial } of running) if (!(trial instanceof TrialFailure)) await trial.end()
  }
}

/** One contender by itself, with what came of each of its windows. One that fails has no more. */
async function* inWindows(
  question: Question,
  contender: Contender,
  windows: number,
  readCore: ReadCore | undefined
): AsyncGenerator<Outcome> {
  const trial = await orFailure(() => openTrial(question, contender, windows > 1))
  if (trial instanceof TrialFailure) return yield trial
  try {
    for (let window = 0; window < windows; window++) {
      const outcome = await orFailure(() => measured(trial, readCore))
      yield outcome
      if (outcome instanceof TrialFailure) return
    }
  } finally {
    await trial.end()
  }
}

/** Every contender by itself, in order, with what came of each window, which is told by its number. */
export async function* runApart(
  question: Question,
  contenders: ReadonlyArray<Contender>,
  windows: number,
  readCore?: ReadCore
): AsyncGenerator<readonly [Contender, Outcome, window: number]> {
  for (const contender of contenders) {
    let window = 0
    for await (const outcome of inWindows(question, contender, windows, readCore)) yield [contender, outcome, window++]
  }
}

/**
 * Each contender with what came of it, in order. With one window each is started, measured and stopped before the next one;
 * with more, what the machine does for some seconds falls on all of them alike. Connections last for all windows, and only the
 * first one sees a process that has not compiled its code yet.
 */
export async function* runRound(
  question: Question,
  contenders: ReadonlyArray<Contender>,
  windows: number,
  readCore?: ReadCore
): AsyncGenerator<readonly [Contender, Outcome, window: number]> {
  if (windows === 1) return yield* runApart(question, contenders, windows, readCore)
  const outcomes = await together(question, contenders, windows, readCore)
  for (const [at, contender] of contenders.entries()) yield [contender, outcomes[at]!, 0]
}
