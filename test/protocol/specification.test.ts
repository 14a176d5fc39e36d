/** Holds protocol/README.md against the schemas: a stranger has nothing else. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { load } from "../../src/config/load.ts"
import { limitsView } from "../../src/connection/ConnectionContext.ts"
import { maxBatch } from "../../src/wire/Batch.ts"
import { clientMessages, serverMessages } from "../../src/wire/index.ts"
import { clientSchema, type Json, serverSchema } from "../../scripts/protocol/jsonSchema.ts"
import { readProtocol } from "../wire/vectors.ts"

const text = readProtocol("README.md")

type Side = "client" | "server"
const sides = { client: clientMessages, server: serverMessages } as const
const documents = { client: clientSchema(), server: serverSchema() } as const

interface Fence {
  readonly line: number
  readonly info: string
  readonly body: string
}

const fences: ReadonlyArray<Fence> = Array.from(text.matchAll(/^```(.*)\n([^]*?)^```$/gm), ({ index, 1: info = "", 2: body = "" }) => ({
  line: text.slice(0, index).split("\n").length,
  info,
  body
}))

const schemaFor = (side: Side, message: unknown): Schema.Codec<unknown> | undefined => {
  const type = typeof message === "object" && message !== null && "type" in message ? message.type : undefined
  return Object.entries(sides[side]).find(([known]) => known === type)?.[1] as Schema.Codec<unknown> | undefined
}

const chapter = (heading: string): string => text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? ""

/** The parts of a chapter, by the message that each is about. */
const sections = (side: Side): ReadonlyMap<string, string> =>
  new Map(
    chapter(`Messages from the ${side}`)
      .split("\n### ")
      .slice(1)
      .map((section) => {
        const [heading = "", ...lines] = section.split("\n")
        return [heading.replaceAll("`", ""), lines.join("\n")]
      })
  )

interface Row {
  readonly field: string
  readonly type: string
  readonly note: string
}

/** The fields as a section's table has them. */
const rows = (section: string): ReadonlyArray<Row> =>
  section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, field = "", type = "", note = ""]) => ({ field: field.replaceAll("`", ""), type, note }))

/** What the tables call the type of a field. */
const typeName = (property: Json): string => {
  if (property["$ref"] !== undefined || property["oneOf"] !== undefined || property["type"] === "object") return "map"
  return typeof property["type"] === "string" ? property["type"] : "any"
}

const isRecord = (value: unknown): value is Readonly<Record<string, Json>> => typeof value === "object" && value !== null

const definition = (
  side: Side,
  type: string
): { readonly properties: Readonly<Record<string, Json>>; readonly required: ReadonlyArray<string> } => {
  const definitions = documents[side]["$defs"]
  const found = isRecord(definitions) ? definitions[type] : undefined
  const properties = found?.["properties"]
  const required = found?.["required"]
  if (!isRecord(properties) || !Array.isArray(required)) throw new Error(`no definition of ${type}`)
  return { properties, required }
}

describe("the examples of the specification", () => {
  const examples = fences.filter(({ info }) => info.startsWith("json"))

  it("say who sends them, and there are some", () => {
    expect(examples.length).toBeGreaterThan(35)
    for (const { info } of examples) expect(["json client", "json server"]).toContain(info)
  })

  it.each(examples)("line $line, $info", ({ info, body }) => {
    const side: Side = info === "json client" ? "client" : "server"
    const value: unknown = JSON.parse(body)
    for (const message of Array.isArray(value) ? value : [value]) {
      const schema = schemaFor(side, message)
      expect(schema).toBeDefined()
      if (schema === undefined) continue
      // Unknown fields are ignored in the protocol; in the specification they would be misprints.
      expect(Schema.decodeUnknownSync(schema)(message, { onExcessProperty: "error" })).toEqual(message)
    }
  })
})

describe.each(["client", "server"] as const)("the messages from the %s", (side) => {
  const written = sections(side)

  it("stand in the specification, each of them and no other, in the order of the schemas", () => {
    expect(Array.from(written.keys())).toEqual(Object.keys(sides[side]))
  })

  it.each(Object.keys(sides[side]))("%s has its fields in a table, and an example", (type) => {
    const section = written.get(type) ?? ""
    const { properties, required } = definition(side, type)
    const table = rows(section)
    expect(section).toContain(`\`\`\`json ${side}\n`)
    expect(new Set(table.map(({ field }) => field))).toEqual(
      new Set(Object.keys(properties).filter((field) => field !== "type" && field !== "id"))
    )
    for (const { field, type: named, note } of table) {
      expect(`${field}: ${named}`).toBe(`${field}: ${typeName(properties[field] ?? {})}`)
      expect(`${field} ${/^optional\b/.test(note) ? "optional" : "required"}`).toBe(
        `${field} ${required.includes(field) ? "required" : "optional"}`
      )
    }
  })
})

describe("the limits of the specification", () => {
  const limitRows = chapter("Limits")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").map((cell) => cell.trim()))
  const documented = (name: string): number =>
    Number.parseInt((limitRows.find(([, first = ""]) => first.startsWith(name))?.[2] ?? "").replaceAll(",", ""), 10)

  it("are the defaults of the configuration and the bounds of the wire", async () => {
    const { settings } = await Effect.runPromise(load({}).pipe(Effect.provide(NodeServices.layer)))
    const { limits, heartbeat } = settings
    expect(documented("frame")).toBe(limits.message)
    expect(documented("messages in a batch")).toBe(maxBatch)
    expect(documented("depth")).toBe(limits.depth)
    expect(documented("room name")).toBe(limits.room_name)
    expect(documented("rooms of one")).toBe(limits.rooms)
    expect(documented("pending calls")).toBe(limits.calls)
    expect(documented("bytes that a client")).toBe(limits.buffer)
    expect(text).toContain(
      `"limits": ${JSON.stringify(limitsView(settings)).replaceAll(/[:,]/g, "$& ").replace("{", "{ ").replace("}", " }")}`
    )
    expect(text).toContain(`"heartbeat": { "interval": ${heartbeat.interval * 1000}, "timeout": ${heartbeat.timeout * 1000} }`)
    expect(text).toContain(`\`timeout\` (${limits.call_timeout} s by default)`)
    expect(text).toContain(`\`limit_reached\` (${limits.calls} calls pending by default)`)
  })
})

describe("the links of the specification", () => {
  const anchors = new Set(
    Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-")
    )
  )

  it.each(Array.from(new Set(Array.from(text.matchAll(/\]\(#([^)]*)\)/g), ([, anchor = ""]) => anchor))))(
    "#%s leads to a heading",
    (anchor) => {
      expect(anchors).toContain(anchor)
    }
  )

  it.each(Array.from(text.matchAll(/\]\(((?!https?:|#)[^)]*)\)/g), ([, path = ""]) => path).filter((path) => !path.endsWith("/")))(
    "%s is there",
    (path) => {
      expect(readProtocol(path).length).toBeGreaterThan(0)
    }
  )
})
