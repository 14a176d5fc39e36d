import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import {
  type ClientType,
  clientMessages,
  type Codec,
  CodecError,
  decodeClientMessage,
  isErrorCode,
  isRefusal,
  jsonCodec,
  msgpackCodec,
  serverMessages,
  unreadable
} from "../../src/wire/index.ts"
import { accepted, bytesOf, fromHex, golden, malformed, toHex, withBase64, withBin } from "./vectors.ts"

const json = jsonCodec()
const msgpack = msgpackCodec()
const codecs: Readonly<Record<"json" | "msgpack", Codec>> = { json, msgpack }

const typeOf = (message: unknown): unknown =>
  typeof message === "object" && message !== null && "type" in message ? message.type : undefined

const isServerMessage = (message: unknown): boolean => {
  const schema = Object.entries(serverMessages).find(([type]) => type === typeOf(message))?.[1]
  return schema !== undefined && Schema.is(schema as Schema.Codec<unknown>)(message)
}

const refusalOf = (decode: () => unknown): unknown => {
  try {
    return decode()
  } catch (error) {
    return error
  }
}

describe("golden vectors", () => {
  const vectors = golden()

  it("cover every message of both sides with its least form and others", () => {
    const types = (direction: string) =>
      new Set(vectors.filter((vector) => vector.direction === direction).map(({ message }) => typeOf(message)))
    expect(types("client")).toEqual(new Set(Object.keys(clientMessages)))
    expect(types("server")).toEqual(new Set(Object.keys(serverMessages)))
  })

  it("cover every field of every message", () => {
    const present = (direction: string, type: string) =>
      new Set(
        vectors.flatMap(({ message, direction: of }) => (of === direction && typeOf(message) === type ? Object.keys(Object(message)) : []))
      )
    for (const [type, { fields }] of Object.entries(clientMessages)) expect(present("client", type)).toEqual(new Set(Object.keys(fields)))
    for (const [type, { fields }] of Object.entries(serverMessages)) expect(present("server", type)).toEqual(new Set(Object.keys(fields)))
  })

  it.each(vectors)("$direction: $name", ({ direction, message, ...forms }) => {
    const asMsgpack = withBin(message)
    const asJson = withBase64(message)
    expect(json.encode(asMsgpack)).toBe(forms.json)
    expect(json.decode(new TextEncoder().encode(forms.json))).toStrictEqual(asJson)
    expect(toHex(Buffer.from(msgpack.encode(asMsgpack)))).toBe(forms.msgpack)
    expect(msgpack.decode(fromHex(forms.msgpack))).toStrictEqual(asMsgpack)
    for (const value of [asJson, asMsgpack])
      if (direction === "client") expect(decodeClientMessage(value)).toBe(value)
      else expect(isServerMessage(value)).toBe(true)
  })
})

describe("accepted vectors", () => {
  it.each(accepted())("$encoding: $name", ({ encoding, value, ...frame }) => {
    const decoded = codecs[encoding].decode(bytesOf(frame))
    expect(decoded).toStrictEqual(encoding === "json" ? withBase64(value) : withBin(value))
    expect(isRefusal(decodeClientMessage(decoded))).toBe(false)
  })
})

describe("malformed vectors", () => {
  const { codec, message, frame } = malformed()

  it("have names of their own, and errors from the table", () => {
    for (const section of [codec, message, frame]) {
      const names = section.map(({ encoding, name }) => `${encoding}: ${name}`)
      expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    }
    for (const { error } of [...codec, ...message]) expect(isErrorCode(error)).toBe(true)
  })

  it("say where their bytes can not travel in a text frame", () => {
    for (const vector of codec.filter(({ encoding }) => encoding === "json")) {
      const decode = () => new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(vector))
      if (vector.utf8 === undefined) expect(decode).not.toThrow()
      else expect(decode).toThrow(TypeError)
    }
  })

  it.each(codec)("$encoding: $name", ({ encoding, error, id, ...vector }) => {
    expect(error).toBe("invalid_message")
    const refusal = refusalOf(() => codecs[encoding].decode(bytesOf(vector)))
    expect(refusal).toBeInstanceOf(CodecError)
    if (refusal instanceof CodecError) expect(unreadable(refusal.message, refusal.value).id).toBe(id)
  })

  it.each(message)("$encoding: $name", ({ encoding, error, id, ...vector }) => {
    const refusal = decodeClientMessage(codecs[encoding].decode(bytesOf(vector)))
    expect(refusal).toStrictEqual({ error, message: expect.stringMatching(/^.{5,200}$/su), ...(id === undefined ? {} : { id }) })
  })

  it.each(frame)("$encoding: $name, as an array that a codec reads or can parse", ({ encoding, replies, ...vector }) => {
    const items = refusalOf(() => codecs[encoding].decode(bytesOf(vector)))
    if (!(items instanceof CodecError && encoding === "msgpack"))
      expect(Array.isArray(items instanceof CodecError ? items.value : items)).toBe(true)
    for (const { code } of replies) expect(code === undefined || isErrorCode(code)).toBe(true)
  })

  it("try each client message without each field that it needs, and each field with other kinds of values", () => {
    const names = new Set(message.map(({ name }) => name))
    for (const type of Object.keys(clientMessages) as Array<ClientType>) {
      const fields = Object.keys(clientMessages[type].fields).filter((field) => field !== "type")
      for (const field of fields) {
        if (Schema.is(clientMessages[type] as Schema.Codec<unknown>)({ type, ...full(type, field) })) continue
        expect(names).toContain(`${type} without ${field}`)
      }
      for (const field of fields.filter((name) => name !== "data")) expect(names).toContain(`${type} with null as ${field}`)
    }
  })
})

/** A golden message of the type, without one field. */
const full = (type: string, without: string): object => {
  const [best] = golden()
    .filter(({ direction, message }) => direction === "client" && typeOf(message) === type)
    .map(({ message }) => Object(message) as object)
    .sort((a, b) => Object.keys(b).length - Object.keys(a).length)
  return Object.fromEntries(Object.entries(best ?? {}).filter(([field]) => field !== without))
}
