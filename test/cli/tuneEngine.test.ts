import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { expect, it } from "vitest"

const tuned = `import { tuneEngine } from ${JSON.stringify(new URL("../../src/cli/tuneEngine.ts", import.meta.url).href)}; tuneEngine()`

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
  const [before, after] = await Promise.all([callsUntilOptimized(""), callsUntilOptimized(tuned)])
  expect(after).toBeGreaterThan(0)
  expect(after * 3).toBeLessThan(before)
})

/** Fills the heap, and ends once V8 has looked whether it should give memory back; or when it is told to. */
const filling = (prepare: string): string => `
  ${prepare}
  const kept = []
  for (let i = 0; i < 600_000; i++) kept.push({ a: [i], b: { c: "x" + i } })
  setInterval(() => kept.length, 10)
`

/** What V8 does after its first look at whether memory could be given back. */
const afterFirstLook = (prepare: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const traced = ["--trace-memory-reducer", "--gc-memory-reducer-start-delay-ms=100", "--input-type=module", "-e", filling(prepare)]
    const child = execFile(process.execPath, traced, () => resolve(output))
    let output = ""
    child.on("error", reject)
    child.stdout?.on("data", (text: string) => {
      output += text
      // What follows from a look is written with it.
      if (/(?:high|low) alloc.*\n/.test(output)) setTimeout(() => child.kill(), 100)
    })
  })

it("the heap is not collected just because little is allocated", async () => {
  const [before, after] = await Promise.all([afterFirstLook(""), afterFirstLook(tuned)])
  expect(before).toMatch(/alloc/)
  expect(before).toMatch(/waiting for|started GC/)
  expect(after).toMatch(/alloc/)
  expect(after).not.toMatch(/waiting for|started GC/)
})
