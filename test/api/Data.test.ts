import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { dataProblem } from "../../src/api/Data.ts"
import { CodecError } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"

const limits = { depth: 4, message: 1000 }

describe("dataProblem", () => {
  it("refuses what the JSON codec refuses in the data of a client's message, and nothing else", () => {
    const codec = jsonCodec({ maxDepth: limits.depth })
    const accepts = (text: string): boolean => {
      try {
        codec.decode(new TextEncoder().encode(`{"type":"broadcast","data":${text}}`))
        return true
      } catch (error) {
        if (error instanceof CodecError) return false
        throw error
      }
    }
    const value = fc.jsonValue({ maxDepth: 7, depthSize: "large" })
    const withProto = fc
      .tuple(value, fc.boolean())
      .map(([inner, evil]) => JSON.parse(`{"a":[{"${evil ? "__proto__" : "b"}":${JSON.stringify(inner)}}]}`))
    const withHalf = fc.tuple(value, fc.constantFrom("\ud800", "\ude00x", "\ud83d\ude00")).map(([inner, text]) => [{ [text]: inner }, text])
    fc.assert(
      fc.property(fc.oneof(value, withProto, withHalf), (data: unknown) => {
        const text = JSON.stringify(data)
        fc.pre(text.length <= limits.message)
        expect(dataProblem(data, limits) === undefined).toBe(accepts(text))
      }),
      { numRuns: 2000 }
    )
  })

  it("counts bytes, not characters, up to the limit itself", () => {
    expect(dataProblem("é".repeat(499), limits)).toBeUndefined()
    expect(dataProblem("é".repeat(499) + "x", limits)).toMatchObject({ code: "too_large" })
  })

  it("walks values that nest deeper than the stack", () => {
    const data: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000))
    expect(dataProblem(data, { depth: 512, message: 1_000_000 })).toMatchObject({ code: "invalid_message" })
  })
})
