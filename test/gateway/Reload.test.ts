import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { SettingsInput } from "../../src/config/Settings.ts"
import { reloadOf } from "../../src/gateway/Reload.ts"
import { atEndOfTest, settingsOf } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { startWeft } from "../support/weft.ts"
import { backend, client } from "./support.ts"

const routes = (proxy: NonNullable<SettingsInput["proxy"]>) => settingsOf({ proxy }).proxy

const a = "http://127.0.0.1:9001"
const b = "http://127.0.0.1:9002"

describe("a changed configuration", () => {
  it("drains targets that are disabled or gone and serves the others", () => {
    const running = routes([{ path: "/app", targets: [a, b] }])
    expect(reloadOf(running, routes([{ path: "/app", targets: [a, { url: b, enabled: false }] }]))).toEqual({
      serve: [{ route: "/app", backend: a }],
      drain: [{ route: "/app", backend: b }],
      later: []
    })
    expect(reloadOf(running, routes([{ path: "/app", targets: [b] }])).drain).toEqual([{ route: "/app", backend: a }])
    expect(reloadOf(running, routes([{ path: "/other", targets: [a] }])).drain).toHaveLength(2)
    expect(reloadOf(running, running)).toEqual({
      serve: [
        { route: "/app", backend: a },
        { route: "/app", backend: b }
      ],
      drain: [],
      later: []
    })
  })

  it("names what takes a restart", () => {
    const running = routes([{ path: "/app", targets: [{ url: a, weight: 1 }] }])
    const wanted = routes([
      { path: "/app", targets: [{ url: a, weight: 2 }, b], timeout: 5 },
      { path: "/new", targets: [a] }
    ])
    expect(reloadOf(running, wanted).later).toEqual([
      `route /app: the weight of ${a}`,
      "route /app: its settings",
      `route /app: the new target ${b}`,
      "the new route /new"
    ])
  })

  it("is taken over at SIGHUP, and one with a mistake is not", async () => {
    const [first, second] = await Promise.all([backend(), backend()])
    const folder = await mkdtemp(join(tmpdir(), "weft-test-"))
    atEndOfTest(() => rm(folder, { recursive: true }))
    const file = join(folder, "weft.toml")
    const write = (more: string): Promise<void> =>
      writeFile(file, `[[proxy]]\npath = "/app"\ntargets = ["${first.url}", { url = "${second.url}", enabled = ${more} }]\n`)
    await write("false")
    const weft = await startWeft({ args: ["--config", file] })
    const served = async (): Promise<number> => {
      const ada = await client(weft, "/app").opened()
      ada.ws.send("hello")
      await ada.take(1)
      return second.links.length
    }
    for (let n = 0; n < 4; n++) expect(await served()).toBe(0)
    await write("true")
    weft.signal("SIGHUP")
    await eventually(async () => (await served()) > 0)
    await write("perhaps")
    weft.signal("SIGHUP")
    await weft.output(/is not taken over/, { on: "stderr" })
    const before = second.links.length
    await eventually(async () => (await served()) > before)
  })
})
