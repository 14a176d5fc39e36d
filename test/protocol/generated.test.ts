import { readFileSync, mkdtempSync, cpSync, symlinkSync, writeFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Schema } from "effect"
import { Ajv2020 } from "ajv/dist/2020.js"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { generate } from "../../scripts/protocol/documents.ts"
import { asyncapiProblems } from "../../scripts/protocol/validateAsyncapi.ts"
import { clientMessages, decodeClientMessage, isRefusal, serverMessages } from "../../src/wire/index.ts"
import { run } from "../support/process.ts"
import { projectRoot } from "../support/weft.ts"
import { bytesOf, golden, malformed, readProtocol, withBase64 } from "../wire/vectors.ts"

describe("the generated files", () => {
  it("are what their sources say now", async () => {
    for (const [path, text] of await generate())
      expect({ path, same: readFileSync(`${projectRoot}/${path}`, "utf8") === text }).toEqual({ path, same: true })
  })

  it("are made alike every time", async () => {
    expect(await generate()).toEqual(await generate())
  })
})

describe("the check for drift", () => {
  let copy = ""
  const check = () => run(process.execPath, ["scripts/protocol/generate.ts", "--check"], { cwd: copy })

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "weft-protocol-"))
    for (const folder of ["protocol", "scripts/protocol", "src/wire"])
      cpSync(join(projectRoot, folder), join(copy, folder), { recursive: true })
    for (const file of ["package.json", "tsconfig.json"]) cpSync(join(projectRoot, file), join(copy, file))
    symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"))
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  it("passes where nothing differs", async () => {
    expect(await check()).toMatchObject({ code: 0, stderr: "" })
  })

  it("names the file that differs from its sources, and leaves it as it is", async () => {
    const path = join(copy, "protocol/codes.json")
    writeFileSync(path, readFileSync(path, "utf8").replace("no message has this type", "who knows"))
    const { code, stderr } = await check()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^protocol\/codes\.json differs from its sources/m)
    expect(stderr).not.toMatch(/messages\.json/)
    expect(readFileSync(path, "utf8")).toContain("who knows")
  })

  it("names every file that a change of a message has left behind", async () => {
    const messages = join(copy, "src/wire/Messages.ts")
    writeFileSync(messages, readFileSync(messages, "utf8").replace("members: Schema.Int,", "members: optional(Schema.Int),"))
    const { code, stderr } = await check()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^protocol\/schema\/server\.json differs/m)
    expect(stderr).toMatch(/^protocol\/asyncapi\.json differs/m)
  })

  it("does not go on when a message has a field that nobody has described", async () => {
    const messages = join(copy, "src/wire/Messages.ts")
    writeFileSync(
      messages,
      readFileSync(messages, "utf8").replace("reason: Schema.String,", "reason: Schema.String,\n  mystery: optional(Schema.String),")
    )
    const { code, stderr } = await check()
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/mystery/)
  })
})

const Reference = Schema.Struct({ $ref: Schema.String })
const AsyncApi = Schema.Struct({
  asyncapi: Schema.Literal("3.0.0"),
  channels: Schema.Struct({
    hub: Schema.Struct({
      bindings: Schema.Struct({ ws: Schema.Struct({ query: Schema.Struct({ properties: Schema.Record(Schema.String, Schema.Unknown) }) }) })
    })
  }),
  operations: Schema.Record(
    Schema.String,
    Schema.Struct({ messages: Schema.Array(Reference), reply: Schema.optionalKey(Schema.Struct({ messages: Schema.Array(Reference) })) })
  ),
  components: Schema.Struct({
    messages: Schema.Record(
      Schema.String,
      Schema.Struct({ examples: Schema.optionalKey(Schema.Array(Schema.Struct({ name: Schema.String, payload: Schema.Unknown }))) })
    ),
    schemas: Schema.Record(Schema.String, Schema.Unknown),
    securitySchemes: Schema.Record(Schema.String, Schema.Unknown)
  })
})

describe("the AsyncAPI document", () => {
  const text = readProtocol("asyncapi.json")
  const document = Schema.decodeUnknownSync(AsyncApi)(JSON.parse(text))

  it("has no errors and no warnings for AsyncAPI's own parser", async () => {
    expect(await asyncapiProblems(text)).toEqual([])
  })

  it.each([
    ["a reference that leads nowhere", '"$ref": "#/channels/hub"', '"$ref": "#/channels/none"'],
    ["an action that there is not", '"action": "send"', '"action": "shout"'],
    ["a server without a host", '"host": "127.0.0.1:8080",', ""]
  ])("would have, with %s", async (_, part, instead) => {
    expect(text).toContain(part)
    expect(await asyncapiProblems(text.replace(part, instead))).not.toEqual([])
  })

  it("has an operation for every message, in both encodings, and a reply for every request", () => {
    const names = [
      ...Object.keys(clientMessages).map((type) => `receive.${type}`),
      ...Object.keys(serverMessages).map((type) => `send.${type}`)
    ]
    expect(Object.keys(document.operations)).toEqual(names)
    for (const name of names) {
      const [action = "", type = ""] = name.split(".")
      const side = action === "receive" ? "client" : "server"
      expect(document.operations[name]?.messages).toEqual(
        ["json", "msgpack"].map((encoding) => ({ $ref: `#/channels/hub/messages/${side}.${type}.${encoding}` }))
      )
      if (side === "client") expect(document.operations[name]?.reply?.messages.length).toBe(4)
    }
  })

  it("has examples for every message, each of its schema", () => {
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema({ $id: "urn:weft:asyncapi", components: { schemas: document.components.schemas } })
    for (const side of ["client", "server"] as const)
      for (const type of Object.keys(side === "client" ? clientMessages : serverMessages)) {
        const validate = ajv.compile({ $ref: `urn:weft:asyncapi#/components/schemas/${side}.${type}` })
        const examples = document.components.messages[`${side}.${type}.json`]?.examples ?? []
        expect(examples.length).toBeGreaterThan(0)
        for (const { name, payload } of examples) expect({ name, valid: validate(payload) }).toEqual({ name, valid: true })
        expect(validate({ ...Object(examples[0]?.payload), type: "other" })).toBe(false)
      }
  })

  it("tells where the token may stand", () => {
    expect(Object.values(document.components.securitySchemes)).toHaveLength(3)
    expect(Object.keys(document.channels.hub.bindings.ws.query.properties)).toEqual(["format", "batch", "token", "session"])
  })
})

describe("the JSON Schemas", () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  const validate = {
    client: ajv.compile(JSON.parse(readProtocol("schema/client.json"))),
    server: ajv.compile(JSON.parse(readProtocol("schema/server.json")))
  }

  it.each(golden())("take the golden vector of the $direction: $name", ({ direction, message }) => {
    expect(validate[direction](withBase64(message)) ? [] : validate[direction].errors).toEqual([])
  })

  it("take no message of the wrong side", () => {
    for (const { direction, message } of golden()) {
      const type = String(Object(message).type)
      if (direction === "client" && !(type in serverMessages)) expect(validate.server(message)).toBe(false)
      if (direction === "server" && !(type in clientMessages)) expect(validate.client(message)).toBe(false)
    }
  })

  it("refuse what the server refuses, but for ids, whose bytes JSON Schema can not count", () => {
    for (const vector of malformed().message.filter(({ encoding }) => encoding === "json")) {
      const value: unknown = JSON.parse(new TextDecoder().decode(bytesOf(vector)))
      expect(isRefusal(decodeClientMessage(value))).toBe(true)
      const known = ["33 characters of two bytes as id", "17 characters of four bytes as id"].includes(vector.name)
      expect({ name: vector.name, valid: validate.client(value) }).toEqual({ name: vector.name, valid: known })
    }
  })

  it("have a definition for every message", () => {
    const OneOf = Schema.Struct({ oneOf: Schema.Array(Schema.Struct({ $ref: Schema.String })) })
    const types = (side: string) =>
      Schema.decodeUnknownSync(OneOf)(JSON.parse(readProtocol(`schema/${side}.json`))).oneOf.map(({ $ref }) => $ref.replace("#/$defs/", ""))
    expect(types("client")).toEqual(Object.keys(clientMessages))
    expect(types("server")).toEqual(Object.keys(serverMessages))
  })
})
