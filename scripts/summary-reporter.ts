import type { Reporter, SerializedError, TestModule } from "vitest/node"

/** The counts of one run. `failed` also counts what broke outside of a test: a file that did not load, a hook, an unhandled error. */
export interface Summary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Adds up the results of a run. */
export const summarize = (modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): Summary => {
  const count = { passed: 0, failed: unhandled.length, skipped: 0 }
  for (const module of modules) {
    count.failed += module.errors().length
    for (const suite of module.children.allSuites()) count.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      count[state === "pending" ? "failed" : state] += 1
    }
  }
  return count
}

/** Ends the output of a run with one plain line, for people and for CI: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): void {
    const { passed, failed, skipped } = summarize(modules, unhandled)
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  }
}
