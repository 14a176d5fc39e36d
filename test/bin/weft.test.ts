import { cp, mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { decide } from "../../bin/runtime.js"
import { run, startProcess } from "../support/process.ts"
import { projectRoot, temporaryFolder } from "../support/weft.ts"

const situation = { version: "22.23.3", platform: "linux-x64", bundled: undefined, compiled: true }

describe("which Node runs Weft", () => {
  it.each([
    ["Node 22: this one", {}, "here"],
    ["Node 22, though one was brought", { bundled: "/n/node" }, "here"],
    ["an older Node: the one that was brought", { version: "20.11.0", bundled: "/n/node" }, "switch"],
    ["a newer Node: the one that was brought", { version: "26.1.0", bundled: "/n/node" }, "switch"],
    ["an early 22: the one that was brought", { version: "22.5.0", bundled: "/n/node" }, "switch"],
    ["another Node from 20 on, alone, with compiled code: this one", { version: "20.11.0" }, "here"],
    [
      "another Node, alone, in a checkout",
      { version: "24.1.0", compiled: false },
      { refuse: expect.stringMatching(/needs Node 22.*24\.1\.0/) }
    ],
    ["a Node too old for the compiled code", { version: "18.20.0" }, { refuse: expect.stringMatching(/needs Node 22.*18\.20\.0/) }]
  ])("%s", (_, change, expected) => {
    const choice = decide({ ...situation, ...change })
    expect(choice).toEqual(expected)
    if (typeof choice === "object") expect(choice.refuse).not.toContain("\n")
  })
})

/** A folder as an install makes it, with a `main` that tells what runs it; `modules` are linked from this checkout. */
const install = async (main: string, modules: ReadonlyArray<string>): Promise<string> => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, "dist"))
  await mkdir(join(folder, "node_modules"))
  await cp(join(projectRoot, "bin"), join(folder, "bin"), { recursive: true })
  await writeFile(join(folder, "package.json"), '{"type":"module"}')
  await writeFile(join(folder, "dist/main.js"), main)
  for (const name of modules) await symlink(join(projectRoot, "node_modules", name), join(folder, "node_modules", name))
  return folder
}

/** Arguments that make the first Node, but not the one it switches to, pass for another version. */
const pretend = async (folder: string, version: string, more = ""): Promise<ReadonlyArray<string>> => {
  const file = join(folder, "pretend.cjs")
  const lie = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } }); ${more}`
  await writeFile(file, `if (!process.env.PRETENDED) { process.env.PRETENDED = "1"; ${lie} }`)
  return ["--require", file]
}

const platform = `node-${process.platform}-${process.arch}`
const report = "console.log(JSON.stringify([process.versions.node, process.pid, process.argv.slice(2)]))"
const withoutExecve = "process.execve = undefined"

describe("the weft command", () => {
  it("runs the server on the Node that started it when it fits, with its arguments", async () => {
    const folder = await install(report, [])
    const { stdout, stderr, code } = await run(process.execPath, [join(folder, "bin/weft.js"), "serve", "--port", "1"])
    expect([JSON.parse(stdout)[0], JSON.parse(stdout)[2], stderr, code]).toEqual([process.versions.node, ["serve", "--port", "1"], "", 0])
  })

  it.each([
    ["by replacing the process", "", true],
    ["by a child where a process can not be replaced", withoutExecve, false]
  ])("switches to the Node that was brought, %s", async (_, more, same) => {
    const folder = await install(report, [platform])
    const child = await startProcess(process.execPath, [
      ...(await pretend(folder, "20.11.0", more)),
      join(folder, "bin/weft.js"),
      "check",
      "a b"
    ])
    expect(await child.exited).toEqual({ code: 0, signal: null })
    const [version, pid, args] = JSON.parse(child.stdout())
    expect([version, args, child.stderr()]).toEqual([expect.stringMatching(/^22\./), ["check", "a b"], ""])
    expect(pid === child.pid).toBe(same)
  })

  it.each([
    ["its exit code", 'process.on("SIGTERM", () => process.exit(42))', { code: 42, signal: null }],
    ["the signal that ended it", "", { code: null, signal: "SIGTERM" }]
  ])("passes a signal on to the child and takes over %s", async (_, handler, expected) => {
    const folder = await install(`${handler}; console.log("ready"); setInterval(() => {}, 1000)`, [platform])
    const child = await startProcess(process.execPath, [...(await pretend(folder, "20.11.0", withoutExecve)), join(folder, "bin/weft.js")])
    await child.output(/ready/)
    child.signal("SIGTERM")
    expect(await child.exited).toEqual(expected)
  })

  it("says in one line what is missing and exits 1", async () => {
    const folder = await install(report, [])
    const { stdout, stderr, code } = await run(process.execPath, [
      ...(await pretend(folder, "18.20.0")),
      join(folder, "bin/weft.js"),
      "serve"
    ])
    expect([stdout, code]).toEqual(["", 1])
    expect(stderr).toMatch(/^weft: needs Node 22[^\n]*found Node 18\.20\.0[^\n]*\n$/)
  })
})
