/** The generated files of `protocol/`, by path, as text. */
import { format } from "prettier"
import { jsonCodec, msgpackCodec } from "../../src/wire/index.ts"
import { asyncapi } from "./asyncapi.ts"
import { codeTables } from "./codes.ts"
import { clientSchema, serverSchema } from "./jsonSchema.ts"
import { accepted } from "./vectors/accepted.ts"
import { hexOf, marked } from "./vectors/bytes.ts"
import { malformedCodec } from "./vectors/malformedCodec.ts"
import { malformedFrames } from "./vectors/malformedFrames.ts"
import { malformedMessages } from "./vectors/malformedMessages.ts"
import { type Case, clientCases, serverCases } from "./vectors/messages.ts"

const json = jsonCodec()
const msgpack = msgpackCodec()

const golden = (direction: "client" | "server", cases: ReadonlyArray<Case<unknown>>) =>
  cases.map(([name, message]) => {
    const text = json.encode(message)
    const bytes = msgpack.encode(message)
    if (typeof text !== "string" || typeof bytes === "string") throw new TypeError("a codec has changed its kind of frame")
    return { name, direction, message: marked(message), json: text, msgpack: hexOf(bytes) }
  })

const documents: Readonly<Record<string, () => unknown>> = {
  "protocol/schema/client.json": clientSchema,
  "protocol/schema/server.json": serverSchema,
  "protocol/asyncapi.json": asyncapi,
  "protocol/codes.json": codeTables,
  "protocol/vectors/messages.json": () => [...golden("client", clientCases), ...golden("server", serverCases)],
  "protocol/vectors/accepted.json": () => accepted.map((vector) => ({ ...vector, value: marked(vector.value) })),
  "protocol/vectors/malformed/index.json": () => ({ codec: malformedCodec, message: malformedMessages, frame: malformedFrames })
}

/** Each file's path below the project's root, and its text. The same for the same schemas, whatever the machine. */
export const generate = (): Promise<ReadonlyArray<readonly [path: string, text: string]>> =>
  Promise.all(
    Object.entries(documents).map(async ([path, make]) => {
      const text = await format(JSON.stringify(make()), { parser: "json", printWidth: 140 })
      return [path, text] as const
    })
  )
