import { afterAll } from "vitest"

const tasks: Array<() => unknown> = []

/** Runs `task` after the last test of this file, the latest one first. For what a test starts and may leave running. */
export const atEnd = (task: () => unknown): void => {
  tasks.push(task)
}

/** Ends everything that was registered. Called once for each test file, from the setup file. */
export const cleanUpAfterFile = (): void =>
  afterAll(async () => {
    const failures: Array<unknown> = []
    for (const task of tasks.splice(0).toReversed())
      await Promise.resolve()
        .then(task)
        .catch((cause: unknown) => failures.push(cause))
    if (failures.length > 0) throw new AggregateError(failures, `cleaning up: ${failures.map(String).join("; ")}`)
  })
