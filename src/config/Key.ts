/**
 * The keys of the configuration: a schema for each, together with what the documentation, the environment and a
 * mistake's text need to know about it.
 */
import { Effect, Schema } from "effect"

/** How a value is written: decides how text from the environment becomes a value. */
export type KeyKind = "string" | "number" | "boolean" | "list" | "map" | "table" | "tables" | "any"

/** What is known about a key besides its schema. */
export interface KeyInfo {
  readonly kind: KeyKind
  /** The type as the documentation names it, with the unit. */
  readonly type: string
  /** Completes "expected …" in a mistake. */
  readonly expected: string
  /** The default as written in the file; absent when there is none. */
  readonly default?: string
  readonly doc: string
  /** The value may be or hold a secret: it is never shown. */
  readonly hidden?: boolean
  /** Its table must have it. */
  readonly required?: boolean
  /** Completes "expected …" for one item of a list, map or array of tables, where it is no table and no plain text. */
  readonly item?: string
  /** Stands for a required value that can not be read. Default: a text that fits the rules of most keys. */
  readonly placeholder?: unknown
  /** The keys of a table or of each table of an array. */
  readonly fields?: Schema.Struct.Fields
}

declare module "effect/Schema" {
  namespace Annotations {
    interface Annotations {
      readonly configKey?: KeyInfo | undefined
    }
  }
}

/** A key with its place: `path` has `[]` after the name of an array of tables (`room[].pattern`). */
export interface Key extends KeyInfo {
  readonly path: string
  readonly name: string
}

const toml = (value: unknown): string => JSON.stringify(value)

/** A key that may be left out: `fallback` is then its value. */
export const withDefault = <T, E>(schema: Schema.Codec<T, E>, fallback: NoInfer<E>, info: KeyInfo) =>
  schema.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(fallback)),
    Schema.annotateKey({ description: info.doc, configKey: { default: toml(fallback), ...info } })
  )

/** A key that may be left out and then has no value. */
export const optional = <T, E>(schema: Schema.Codec<T, E>, info: KeyInfo) =>
  Schema.optionalKey(schema).pipe(Schema.annotateKey({ description: info.doc, configKey: info }))

/** A key that its table must have. */
export const required = <T, E>(schema: Schema.Codec<T, E>, info: KeyInfo) =>
  schema.pipe(Schema.annotateKey({ description: info.doc, configKey: { ...info, required: true } }))

/** A table that is always there: left out, all its keys have their defaults. */
export const section = <const F extends Schema.Struct.Fields>(fields: F, doc: string) =>
  Schema.Struct(fields).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed({} as Schema.Struct<F>["Encoded"])),
    Schema.annotateKey({ description: doc, configKey: { kind: "table", type: "table", expected: "a table", doc, fields } })
  )

/** A table that may be left out as a whole. */
export const optionalSection = <const F extends Schema.Struct.Fields>(fields: F, doc: string) =>
  Schema.optionalKey(Schema.Struct(fields)).pipe(
    Schema.annotateKey({ description: doc, configKey: { kind: "table", type: "table", expected: "a table", doc, fields } })
  )

/** An array of tables, each under `header` in the file; left out it is empty. */
export const tables = <const F extends Schema.Struct.Fields>(header: string, fields: F, doc: string) =>
  Schema.Array(Schema.Struct(fields)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed([])),
    Schema.annotateKey({
      description: doc,
      configKey: { kind: "tables", type: "array of tables", expected: `an array of tables, each headed ${header}`, doc, fields }
    })
  )

const collect = (fields: Schema.Struct.Fields, prefix: string): ReadonlyArray<Key> =>
  Object.entries(fields).flatMap(([name, field]) => {
    const info = Schema.resolveAnnotationsKey(field)?.configKey
    if (info === undefined) return []
    const path = prefix + name
    const inner = info.fields === undefined ? [] : collect(info.fields, path + (info.kind === "tables" ? "[]." : "."))
    // What stands in the place of a table with a secret may be the secret.
    return [{ ...info, hidden: info.hidden === true || inner.some(({ hidden }) => hidden), path, name }, ...inner]
  })

/** Every key below `fields`, tables before their keys, in the order of the schema. */
export const keysOf = (fields: Schema.Struct.Fields): ReadonlyArray<Key> => collect(fields, "")
