import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { run } from "../support/process.ts"
import { projectRoot, temporaryFolder } from "../support/weft.ts"

const vitest = `${projectRoot}node_modules/vitest/dist/index.js`

/** Runs Vitest with the reporter on files of a folder of its own and gives the last line it prints and its exit code. */
const lastLine = async (files: Record<string, string>): Promise<readonly [line: string | undefined, code: number | null]> => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, "test"))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, "test", name), `import { beforeAll, describe, it } from ${JSON.stringify(vitest)}\n${text}`)
  }
  const args = [`${projectRoot}node_modules/vitest/vitest.mjs`, "run", "--root", folder, "--dir", folder]
  const reporters = ["--reporter", "default", "--reporter", `${projectRoot}scripts/summary-reporter.ts`]
  // One stream for both outputs, as a terminal or CI has it.
  const { stdout, code } = await run("sh", ["-c", 'exec "$@" 2>&1', "sh", process.execPath, ...args, ...reporters], { timeout: 60_000 })
  return [stdout.trim().split("\n").at(-1), code]
}

const pass = 'it("passes", () => {})'
const fail = 'it("fails", () => { throw new Error("on purpose") })'

it("ends a run with its counts", async () => {
  const text = `${pass}\n${pass}\n${fail}\nit.skip("later", () => {})`
  expect(await lastLine({ "a.test.js": text, "b.test.js": pass })).toEqual(["3 passed, 1 failed, 1 skipped", 1])
  expect(await lastLine({ "a.test.js": pass })).toEqual(["1 passed, 0 failed, 0 skipped", 0])
})

it("counts what fails outside of a test", async () => {
  expect(await lastLine({ "a.test.js": 'throw new Error("on purpose")', "b.test.js": pass })).toEqual(["1 passed, 1 failed, 0 skipped", 1])
  const hook = `describe("s", () => { beforeAll(() => { throw new Error("on purpose") }); ${pass} })`
  expect(await lastLine({ "a.test.js": hook })).toEqual([expect.stringMatching(/^0 passed, [12] failed/), 1])
  const late = `it("leaves a rejection", () => { void Promise.reject(new Error("on purpose")) })`
  expect(await lastLine({ "a.test.js": late })).toEqual(["1 passed, 1 failed, 0 skipped", 1])
})
