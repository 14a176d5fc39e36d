import { expect, it } from "vitest"
import { run } from "../support/process.ts"
import { projectRoot } from "../support/weft.ts"

const lie = 'data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "20.11.0" } })'

it("scripts of a checkout stop with one line on a Node that can not run them", async () => {
  expect(await run(process.execPath, ["scripts/need-node.js"], { cwd: projectRoot })).toMatchObject({ code: 0, stderr: "" })
  const { code, stderr } = await run(process.execPath, ["--import", lie, "scripts/need-node.js"], { cwd: projectRoot })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^weft: [^\n]*needs Node 22[^\n]*\n$/)
})
