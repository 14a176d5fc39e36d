/** The vector files of `protocol/`, read as a stranger would read them. */
import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { Bin } from "../../src/wire/index.ts"

const optional = Schema.optionalKey
const Encoding = Schema.Literals(["json", "msgpack"])
const Id = Schema.Union([Schema.Int, Schema.String])

const frame = {
  name: Schema.String,
  encoding: Encoding,
  text: optional(Schema.String),
  hex: optional(Schema.String),
  generate: optional(Schema.Struct({ head: Schema.String, unit: Schema.String, times: Schema.Int, tail: Schema.String })),
  note: optional(Schema.String)
}

const Golden = Schema.Struct({
  name: Schema.String,
  direction: Schema.Literals(["client", "server"]),
  message: Schema.Unknown,
  json: Schema.String,
  msgpack: Schema.String
})
const Accepted = Schema.Struct({ ...frame, value: Schema.Unknown })
const Malformed = Schema.Struct({ ...frame, error: Schema.String, id: optional(Id), utf8: optional(Schema.Literal(false)) })
const Frame = Schema.Struct({
  ...frame,
  replies: Schema.Array(Schema.Struct({ type: Schema.String, id: optional(Id), code: optional(Schema.String) }))
})

export type FrameBytes = Pick<typeof Accepted.Type, "text" | "hex" | "generate">

export const readProtocol = (path: string): string => readFileSync(new URL(`../../protocol/${path}`, import.meta.url), "utf8")

const read = <A>(path: string, schema: Schema.Codec<A>): A =>
  Schema.decodeUnknownSync(schema)(JSON.parse(readProtocol(path)), { onExcessProperty: "error" })

export const golden = () => read("vectors/messages.json", Schema.Array(Golden))
export const accepted = () => read("vectors/accepted.json", Schema.Array(Accepted))
export const malformed = () =>
  read(
    "vectors/malformed/index.json",
    Schema.Struct({ codec: Schema.Array(Malformed), message: Schema.Array(Malformed), frame: Schema.Array(Frame) })
  )

export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

/** The bytes of a vector's frame. */
export const bytesOf = ({ text, hex, generate }: FrameBytes): Uint8Array => {
  if (text !== undefined) return new TextEncoder().encode(text)
  if (hex !== undefined) return fromHex(hex)
  if (generate === undefined) throw new Error("the vector has no frame")
  return fromHex(generate.head + generate.unit.repeat(generate.times) + generate.tail)
}

const isMarked = (value: object): value is { readonly $bin: string } =>
  "$bin" in value && typeof value.$bin === "string" && Object.keys(value).length === 1

const replaceMarks = (value: unknown, bin: (base64: string) => unknown): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => replaceMarks(item, bin))
  if (typeof value !== "object" || value === null) return value
  if (isMarked(value)) return bin(value.$bin)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceMarks(item, bin)]))
}

/** The value as MessagePack carries it. */
export const withBin = (value: unknown): unknown =>
  replaceMarks(value, (base64) => new Bin(Uint8Array.from(Buffer.from(base64, "base64")).buffer))
/** The value as JSON carries it. */
export const withBase64 = (value: unknown): unknown => replaceMarks(value, (base64) => base64)
