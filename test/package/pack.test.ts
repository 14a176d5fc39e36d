import { mkdir, readdir, writeFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { run, startProcess } from "../support/process.ts"
import { projectRoot, readyLine, startWeft, temporaryFolder } from "../support/weft.ts"
import { connect } from "../support/wsClient.ts"

/** The environment of someone who uses the package: the Node of the system, and nothing of the npm that runs these tests. */
const userEnvironment: Record<string, string | undefined> = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^npm_(?:package|lifecycle|command|execpath|node_execpath|config_(?:local_)?prefix)|^INIT_CWD$|^NODE$/.test(name))
      .map((name) => [name, undefined])
  ),
  PATH: (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter)
}

let folder = ""
let files: ReadonlyArray<string> = []

const inFolder = (command: string, ...args: ReadonlyArray<string>): ReturnType<typeof run> =>
  run(command, args, { cwd: folder, env: userEnvironment, timeout: 100_000 })

beforeAll(async () => {
  const base = await temporaryFolder()
  const packed = await run("npm", ["pack", "--json", "--pack-destination", base], {
    cwd: projectRoot,
    env: userEnvironment,
    timeout: 100_000
  })
  expect(packed.code, packed.stdout + packed.stderr).toBe(0)
  const archive = (await readdir(base)).find((name) => name.endsWith(".tgz")) ?? ""
  files = (await run("tar", ["-tzf", join(base, archive)])).stdout.trim().split("\n").toSorted()

  folder = join(base, "empty")
  await mkdir(folder)
  const installed = await inFolder("npm", "install", "--no-audit", "--no-fund", join(base, archive))
  expect(installed.code, installed.stdout + installed.stderr).toBe(0)
}, 200_000)

describe("the packed package", () => {
  it("holds compiled code with types, pages and the protocol, and nothing else", () => {
    for (const file of [
      "LICENSE",
      "README.md",
      "bin/weft.js",
      "dist/main.js",
      "dist/index.d.ts",
      "dist/client/index.js",
      "dist/web/index.html"
    ]) {
      expect(files).toContain(`package/${file}`)
    }
    expect(files.filter((file) => !/^package\/(?:bin|dist|protocol)\/|^package\/(?:LICENSE|README\.md|package\.json)$/.test(file))).toEqual(
      []
    )
    expect(files.filter((file) => file.startsWith("package/dist/") && /(?<!\.d)\.ts$/.test(file))).toEqual([])
  })

  it("gives the command weft to npx", async () => {
    const help = await inFolder("npx", "weft", "--help")
    expect(help).toMatchObject({ code: 0 })
    for (const command of ["serve", "check", "token", "connect"]) expect(help.stdout).toContain(command)
  })

  it("serves through npx, in both encodings", async () => {
    const server = await startProcess("npx", ["weft", "serve"], {
      cwd: folder,
      env: { ...userEnvironment, WEFT_SERVER_PORT: "0" },
      group: true
    })
    const [, url = ""] = await server.output(readyLine)
    for (const encoding of ["json", "msgpack"] as const) {
      const client = await connect(`${url.replace("http", "ws")}/ws`, { encoding })
      expect(await client.next()).toMatchObject({ type: "welcome" })
      expect(await client.request({ type: "echo", data: { text: "hello" } })).toMatchObject({ type: "echo", data: { text: "hello" } })
      await client.close()
    }
    expect((await fetch(url)).headers.get("content-type")).toContain("text/html")
    await server.kill()
  })

  it("answers calls with handlers in TypeScript, and ends in order when its process is told to", async () => {
    const handlers = `
      import { handler } from "weft"
      import { Effect, Schema } from "effect"
      export default { double: handler({ input: Schema.Number, handle: (n: number) => Effect.succeed(2 * n) }) }
    `
    await writeFile(join(folder, "handlers.ts"), handlers)
    const command = [join(folder, "node_modules/.bin/weft")] as const
    const server = await startWeft({ command, args: ["--handlers", "handlers.ts"], cwd: folder, env: userEnvironment })
    const client = await connect(server.socketUrl)
    expect(await client.request({ type: "call", method: "double", data: 21 })).toMatchObject({ type: "result", data: 42 })
    await client.close()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })

  it("has the entries weft, weft/client and weft/protocol, with types", async () => {
    const program = `
      import * as server from "weft"
      import { createClient, WeftError } from "weft/client"
      import { errorCodes, jsonCodec } from "weft/protocol"
      const code: keyof typeof errorCodes = "not_found"
      console.log(typeof server, typeof createClient, typeof WeftError, errorCodes[code].status, jsonCodec().encoding)
    `
    await writeFile(join(folder, "use.mts"), program)
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--module", "nodenext", "--types", ""]
    const checked = await inFolder(join(projectRoot, "node_modules/.bin/tsc"), ...options, "use.mts")
    expect(checked.stdout + checked.stderr).toBe("")
    const { stdout, stderr } = await inFolder(process.execPath, "use.mts")
    expect(stdout + stderr).toBe("object function function 404 json\n")
  })
})
