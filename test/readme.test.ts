/** What the README shows, done. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import WebSocket from "ws"
import { startProcess } from "./support/process.ts"
import { startWeft } from "./support/weft.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const readme = readFileSync(join(root, "README.md"), "utf8")

/** The fenced blocks of a language, with the package's names leading to this tree. */
const blocks = (language: string): ReadonlyArray<string> =>
  Array.from(readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g")), ([, text = ""]) =>
    text
      .replaceAll('"weft/client"', JSON.stringify(pathToFileURL(join(root, "src/client/index.ts")).href))
      .replaceAll('"weft"', JSON.stringify(pathToFileURL(join(root, "src/index.ts")).href))
  )

// Inside the project, where its dependencies are found. Not among them: Node strips no types there.
const folder = mkdtempSync(join(root, "test", ".readme-"))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe("the README", () => {
  it("shows a handler that answers as it says", async () => {
    const server = await startWeft({ args: ["--handlers", file("handlers.ts", blocks("ts")[0] ?? "")] })
    const [, request = "", reply = ""] = /answers `(\{.*?\})`\s+with `(\{.*?\})`/.exec(readme) ?? []
    const ws = new WebSocket(`${server.url.replace("http", "ws")}/ws`)
    const messages: Array<unknown> = []
    const answered = new Promise<void>((resolve) => {
      ws.on("message", (data: Buffer) => {
        messages.push(JSON.parse(data.toString()))
        if (messages.length === 2) resolve()
      })
    })
    ws.on("open", () => ws.send(request))
    await answered
    ws.close()
    expect(messages[1]).toEqual(JSON.parse(reply))
    await server.stop()
  })

  it("shows a client that talks in a room", async () => {
    const server = await startWeft()
    const source = (blocks("ts")[1] ?? "").replace("ws://127.0.0.1:8080", server.url.replace("http", "ws"))
    const client = await startProcess(process.execPath, [file("client.ts", source)])
    await client.output(/lobby \{ text: 'Hello!' \}/)
    await client.kill()
    await server.stop()
  })

  it("names commands that there are", async () => {
    const commands = Array.from(readme.matchAll(/npm run weft -- (\w+)/g), ([, command = ""]) => command)
    expect(new Set(commands)).toEqual(new Set(["serve", "check", "token", "connect", "bench"]))
    for (const command of new Set(commands)) {
      const help = await startProcess(process.execPath, [join(root, "bin/weft.js"), command, "--help"])
      expect((await help.exited).code).toBe(0)
      expect(help.stdout()).toContain(`weft ${command}`)
    }
  })

  it("links to files that there are", () => {
    for (const [, path = ""] of readme.matchAll(/\]\(([^)#:]+)\)/g)) expect(readFileSync(join(root, path)).length).toBeGreaterThan(0)
  })
})
