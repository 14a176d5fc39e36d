import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { expect, it } from "vitest"

/** Prints how often, all in all, twenty functions were called until V8 had optimized each of them. */
const program = (prepare: string): string => `
  ${prepare}
  const status = new Function("f", "return %GetOptimizationStatus(f)")
  const optimized = (f) => (status(f) & (1 << 6)) !== 0
  let total = 0
  for (let one = 0; one < 20; one++) {
    const work = new Function("list", \`let sum = \${one}; for (const item of list) sum += item.a; return JSON.stringify({ sum })\`)
    for (let calls = 1; !optimized(work) && calls < 50_000; calls++, total++) {
      work([{ a: 1 }, { a: 2 }])
      // A loop that never ends would be compiled as a whole.
      if (calls % 10 === 0) await new Promise(setImmediate)
    }
  }
  console.log(total)
`

/** Compiling has ended when it has begun, whatever else the machine does. */
const flags = ["--allow-natives-syntax", "--no-concurrent-recompilation"]

const callsUntilOptimized = async (prepare: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "-e", program(prepare)])
  return Number(stdout)
}

it("what runs often is optimized some times sooner than V8 would by itself", async () => {
  const file = new URL("../../src/cli/compileSooner.ts", import.meta.url).href
  const [before, after] = await Promise.all([
    callsUntilOptimized(""),
    callsUntilOptimized(`import { compileSooner } from ${JSON.stringify(file)}; compileSooner()`)
  ])
  expect(after).toBeGreaterThan(0)
  expect(after * 3).toBeLessThan(before)
})
