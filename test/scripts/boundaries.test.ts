import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { breaches, importsOf, readSources } from "../../scripts/boundaries.ts"

const tree = (files: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(files))

describe("import limits", () => {
  it("hold in this tree", () => {
    const sources = readSources(fileURLToPath(new URL("../..", import.meta.url)))
    expect(sources.has("src/wire/Codes.ts")).toBe(true)
    expect(breaches(sources)).toEqual([])
  })

  it.each([
    ['import { a } from "x"', [{ specifier: "x", runtime: true }]],
    ['import { type A } from "x"', [{ specifier: "x", runtime: true }]],
    ['import type { A } from "x"', [{ specifier: "x", runtime: false }]],
    ['import type from "x"', [{ specifier: "x", runtime: true }]],
    ['import {\n  a,\n  b as c\n} from "x"', [{ specifier: "x", runtime: true }]],
    ['import d, * as e from "x"', [{ specifier: "x", runtime: true }]],
    ['import "x"', [{ specifier: "x", runtime: true }]],
    ['export * from "x"', [{ specifier: "x", runtime: true }]],
    ['export type * from "x"', [{ specifier: "x", runtime: false }]],
    ['const m = await import("x")', [{ specifier: "x", runtime: true }]],
    ['declare const m: typeof import("x")', []],
    [' * import { a } from "x"', []],
    ['export const a = "x"', []]
  ])("read %j", (source, expected) => {
    expect(importsOf(source)).toEqual(expected)
  })

  it("keep uWebSockets.js to the transport and nats to its adapters", () => {
    const uws = 'import type { WebSocket } from "uWebSockets.js"'
    const nats = 'import { connect } from "nats"'
    expect(breaches(tree({ "src/transport/UwsServer.ts": uws, "src/cluster/NatsBus.ts": nats }))).toEqual([])
    expect(breaches(tree({ "src/room/Rooms.ts": uws }))).toEqual([expect.stringContaining("src/room/Rooms.ts imports uWebSockets.js")])
    expect(breaches(tree({ "src/cluster/Bus.ts": nats }))).toEqual([expect.stringContaining("src/cluster/Bus.ts imports nats")])
  })

  it("keep Effect and Node out of what the client loads, through other files too", () => {
    const found = breaches(
      tree({
        "src/client/index.ts": 'export * from "../wire/Messages.ts"\nimport type { Effect } from "effect"',
        "src/wire/Messages.ts": 'import { Schema } from "effect"'
      })
    )
    expect(found).toEqual(["src/client/index.ts must not load effect at run time: src/client/index.ts -> src/wire/Messages.ts -> effect"])
    expect(breaches(tree({ "src/client/index.ts": 'import { EventEmitter } from "events"' }))).toHaveLength(1)
  })

  it("keep Node out of the wire, and Effect out of the codecs that the client shares", () => {
    expect(breaches(tree({ "src/wire/Messages.ts": 'import { Buffer } from "node:buffer"' }))).toHaveLength(1)
    expect(breaches(tree({ "src/wire/JsonCodec.ts": 'import { Schema } from "effect"' }))).toHaveLength(1)
  })
})
