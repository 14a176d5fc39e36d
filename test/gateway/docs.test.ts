import { readFileSync } from "node:fs"
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { load, parseToml } from "../../src/config/load.ts"

const page = readFileSync(new URL("../../docker/gateway.md", import.meta.url), "utf8")
const examples = [...page.matchAll(/```toml\n([^]*?)```/g)].map(([, text = ""]) => text)

describe("the page about the gateway", () => {
  it("has examples", () => {
    expect(examples.length).toBeGreaterThan(3)
  })

  it.each(examples)("has an example without a mistake:\n%s", async (text) => {
    const table = parseToml(text, "example")
    if (table._tag === "Failure") throw new Error(table.failure.reason)
    const { settings, warnings } = await Effect.runPromise(load({ values: table.success }).pipe(Effect.provide(NodeServices.layer)))
    expect(settings.proxy).toHaveLength(1)
    expect(warnings).toEqual([])
  })
})
