/** JSON Schema (2020-12) of the messages, from the Effect schemas that the server checks with. */
import { Schema } from "effect"
import { clientMessages, Limits, Member, Position, RequestId, Sender, serverMessages } from "../../src/wire/index.ts"
import { clientDescriptions, type Described, partDescriptions, serverDescriptions } from "./descriptions.ts"

export type Json = { readonly [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** As Effect gives it, but one literal is a `const`, and `additionalProperties: true`, which says nothing, is left out. */
const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  if (!isJson(value)) return value
  const { enum: literals, additionalProperties, ...rest } = value
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, tidy(item)])),
    ...(Array.isArray(literals) ? (literals.length === 1 ? { const: literals[0] } : { enum: literals }) : {}),
    ...(additionalProperties === undefined || additionalProperties === true ? {} : { additionalProperties })
  }
}

const schemaOf = (schema: Schema.Constraint): Json => {
  const { schema: raw, definitions } = Schema.toJsonSchemaDocument(schema)
  if (Object.keys(definitions).length > 0) throw new Error("a schema refers to definitions; the generator only knows inline ones")
  const json = tidy(raw)
  if (!isJson(json)) throw new Error("a schema is not an object")
  return json
}

/** Schemas that several messages share: wherever one stands, it is referred to by name. */
const parts: ReadonlyArray<readonly [name: keyof typeof partDescriptions, schema: Json]> = [
  ["RequestId", schemaOf(RequestId)],
  ["Position", schemaOf(Position)],
  ["Sender", schemaOf(Sender)],
  ["Member", schemaOf(Member)],
  ["Limits", schemaOf(Limits)]
]

const named = new Map<string, string>([
  ...parts.map(([name, schema]) => [JSON.stringify(schema), name] as const),
  [JSON.stringify(schemaOf(serverMessages.message)), "message"]
])

/** Where a document keeps the schema of a name: a part's, or `message`. */
export type Reference = (name: string) => string

const withReferences = (value: unknown, reference: Reference): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => withReferences(item, reference))
  if (!isJson(value)) return value
  const name = named.get(JSON.stringify(value))
  if (name !== undefined) return { $ref: reference(name) }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withReferences(item, reference)]))
}

const describe = (type: string, schema: Json, { about, fields }: Described): Json => {
  const { properties, ...rest } = schema
  if (!isJson(properties)) throw new Error(`${type} has no properties`)
  const surplus = Object.keys(fields).filter((field) => !(field in properties))
  if (surplus.length > 0) throw new Error(`descriptions.ts describes fields that ${type} does not have: ${surplus.join(", ")}`)
  const described = Object.entries(properties).map(([field, property]): [string, unknown] => {
    const description = fields[field]
    if (field === "type" || !isJson(property)) return [field, property]
    if (description === undefined) throw new Error(`descriptions.ts has no words for the field ${field} of ${type}`)
    return [field, { ...property, description }]
  })
  return { description: about, ...rest, properties: Object.fromEntries(described) }
}

/** The messages of one side, by type; what they share is referred to. */
const definitions = (
  messages: Readonly<Record<string, Schema.Constraint>>,
  descriptions: Readonly<Record<string, Described>>,
  reference: Reference
): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    Object.entries(messages).map(([type, schema]) => {
      const described = descriptions[type]
      if (described === undefined) throw new Error(`descriptions.ts has no words for ${type}`)
      const json = schemaOf(schema)
      return [type, describe(type, { ...json, properties: withReferences(json["properties"], reference) }, described)]
    })
  )

export const clientDefinitions = (reference: Reference) => definitions(clientMessages, clientDescriptions, reference)
export const serverDefinitions = (reference: Reference) => definitions(serverMessages, serverDescriptions, reference)
export const partDefinitions = (): Readonly<Record<string, Json>> =>
  Object.fromEntries(parts.map(([name, schema]) => [name, { description: partDescriptions[name], ...schema }]))

const local: Reference = (name) => `#/$defs/${name}`

const schemaDocument = (side: "client" | "server", description: string, messages: Readonly<Record<string, Json>>): Json => {
  const text = JSON.stringify(messages)
  const needed = Object.entries(partDefinitions()).filter(([name]) => text.includes(JSON.stringify(local(name))))
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `urn:weft:protocol:v1:${side}`,
    title: `Messages that the ${side} sends`,
    description,
    oneOf: Object.keys(messages).map((type) => ({ $ref: local(type) })),
    $defs: { ...messages, ...Object.fromEntries(needed) }
  }
}

export const clientSchema = (): Json =>
  schemaDocument(
    "client",
    "One message from a client to the server, in its JSON form. Unknown fields are ignored.",
    clientDefinitions(local)
  )

export const serverSchema = (): Json =>
  schemaDocument(
    "server",
    "One message from the server to a client, in its JSON form. A client ignores fields and types that it does not know.",
    serverDefinitions(local)
  )
