import { Result, Schema, SchemaIssue } from "effect"
import type { ErrorCode } from "./Codes.ts"
import { type ClientMessage, type ClientType, clientMessages, RequestId } from "./Messages.ts"

/** Why a decoded value is no message, in the form that its sender is told. */
export interface Refusal {
  readonly error: ErrorCode
  readonly message: string
  readonly id?: RequestId
}

export const isRefusal = (decoded: ClientMessage | Refusal): decoded is Refusal => !("type" in decoded)

const isRequestId = Schema.is(RequestId)
const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** `room: Expected string`: where and what, without what was sent, which may be long or secret. */
const describe = (issue: SchemaIssue.Issue): string => {
  const first = issues(issue).issues[0]
  if (first === undefined) return "not of the expected form"
  const path = (first.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  const text = first.message.replace(/,? (?:got|actual) [^]*$/, "")
  return (path === "" ? text : `${path}: ${text}`).slice(0, 200)
}

interface Reader {
  readonly accepts: (value: object) => value is ClientMessage
  readonly explain: (value: unknown) => string
}

const reader = (schema: Schema.Codec<ClientMessage>, isPlain: ((value: object) => boolean) | undefined): Reader => {
  const decode = Schema.decodeUnknownResult(schema)
  const fits = Schema.is(schema)
  return {
    accepts: isPlain === undefined ? fits : (value): value is ClientMessage => isPlain(value) || fits(value),
    explain: (value) => Result.match(decode(value), { onFailure: (error) => describe(error.issue), onSuccess: () => "" })
  }
}

type Fields<K extends string> = { readonly [_ in K]?: unknown }

/** Whether an `id`, where there is one, fits its schema beyond doubt. False says nothing. */
const isPlainId = (id: unknown): boolean => id === undefined || Number.isSafeInteger(id) || (typeof id === "string" && id.length <= 16)

/**
 * Whether a decoded value of the type `broadcast` fits its schema beyond doubt; false says nothing. Where many publish now and
 * then, each message finds the schema's general way, its code and its data, gone from the processor's caches.
 */
export const isPlainBroadcast = (value: object): boolean => {
  const { id, room, data, key, exclude_self: excludeSelf } = value as Fields<keyof typeof clientMessages.broadcast.fields>
  return (
    data !== undefined &&
    typeof room === "string" &&
    room !== "" &&
    key === undefined &&
    (excludeSelf === undefined || typeof excludeSelf === "boolean") &&
    isPlainId(id)
  )
}

/** What is certain without the schema. */
const shortcuts: { readonly [_ in ClientType]?: (value: object) => boolean } = { broadcast: isPlainBroadcast }

const typed = (Object.keys(clientMessages) as Array<ClientType>).map(
  (type) => [type, reader(clientMessages[type] as Schema.Codec<ClientMessage>, shortcuts[type])] as const
)
const readers: ReadonlyMap<unknown, Reader> = new Map(typed)

/** Whether a decoded value fits the schema that its `type` names. Unknown fields stay where they are and are never read. */
export const isClientMessage = (value: unknown): value is ClientMessage =>
  typeof value === "object" && value !== null && readers.get((value as Fields<"type">).type)?.accepts(value) === true

/** Why a value is no message. A refusal carries the request's `id` wherever that is usable. */
export const refusalOf = (value: unknown): Refusal => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { error: "invalid_message", message: "a message is one map with a string `type`" }
  const { type, id } = value as { readonly type?: unknown; readonly id?: unknown }
  const known = readers.get(type)
  const echoed = isRequestId(id) ? { id } : {}
  if (typeof type !== "string") return { error: "invalid_message", message: "a message is one map with a string `type`", ...echoed }
  if (known === undefined)
    return { error: "unknown_type", message: `no message has the type ${JSON.stringify(type.slice(0, 64))}`, ...echoed }
  return { error: "invalid_message", message: known.explain(value), ...echoed }
}

/** Why `value` can not be read, in the words of the codec, with the request's `id` wherever that is usable. */
export const unreadable = (message: string, value: unknown): Refusal => {
  const id: unknown = typeof value === "object" && value !== null && "id" in value ? value.id : undefined
  return { error: "invalid_message", message, ...(isRequestId(id) && String(id).isWellFormed() ? { id } : {}) }
}

/** Holds a decoded frame against the schema that its `type` names. Nothing is copied. */
export const decodeClientMessage = (value: unknown): ClientMessage | Refusal => (isClientMessage(value) ? value : refusalOf(value))
