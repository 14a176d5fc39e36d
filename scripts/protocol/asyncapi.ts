/** The AsyncAPI 3.0.0 document: the same messages, with how to connect and who answers what. */
import { maxBatch } from "../../src/wire/Batch.ts"
import type { ClientType } from "../../src/wire/index.ts"
import { clientDescriptions, type Described, serverDescriptions } from "./descriptions.ts"
import { clientDefinitions, type Json, partDefinitions, serverDefinitions } from "./jsonSchema.ts"
import { type Case, clientCases, serverCases } from "./vectors/messages.ts"

type Side = "client" | "server"

const contentTypes = { json: "application/json", msgpack: "application/vnd.msgpack" } as const
type Encoding = keyof typeof contentTypes
const encodings: ReadonlyArray<Encoding> = ["json", "msgpack"]

const schemaName = (side: Side, type: string): string => `${side}.${type}`
const messageName = (side: Side, type: string, encoding: Encoding): string => `${side}.${type}.${encoding}`
const ref = (path: string) => ({ $ref: `#/${path}` })

const reference = (name: string): string => `#/components/schemas/${name === "message" ? schemaName("server", name) : name}`

const prefixed = (side: Side, definitions: Readonly<Record<string, Json>>): Json =>
  Object.fromEntries(Object.entries(definitions).map(([type, schema]) => [schemaName(side, type), schema]))

interface Example {
  readonly name: string
  readonly payload: unknown
}

/** From the golden vectors. AsyncAPI's tools fail on a key named hasOwnProperty, so that its example is left to the vectors. */
const examplesOf = (cases: ReadonlyArray<Case<{ readonly type: string }>>, type: string): ReadonlyArray<Example> =>
  cases.flatMap(([name, message]) => {
    const text = JSON.stringify(message)
    return message.type === type && !text.includes('"hasOwnProperty"') ? [{ name, payload: JSON.parse(text) }] : []
  })

const messagesOf = (
  side: Side,
  descriptions: Readonly<Record<string, Described>>,
  cases: ReadonlyArray<Case<{ readonly type: string }>>
): Json =>
  Object.fromEntries(
    Object.entries(descriptions).flatMap(([type, { about }]) =>
      encodings.map((encoding): [string, Json] => [
        messageName(side, type, encoding),
        {
          name: type,
          title: `${type} (${encoding})`,
          summary: about,
          contentType: contentTypes[encoding],
          payload: ref(`components/schemas/${schemaName(side, type)}`),
          ...(encoding === "json" ? { examples: examplesOf(cases, type) } : {})
        }
      ])
    )
  )

const channelMessages = (side: Side, type: string) =>
  encodings.map((encoding) => ref(`channels/hub/messages/${messageName(side, type, encoding)}`))

/** The server receives what clients send. */
const receiveOperation = (type: ClientType): [string, Json] => {
  const { about, reply } = clientDescriptions[type]
  const answers = [...(reply === undefined ? [] : channelMessages("server", reply)), ...channelMessages("server", "error")]
  return [
    `receive.${type}`,
    {
      action: "receive",
      channel: ref("channels/hub"),
      summary: about,
      messages: channelMessages("client", type),
      reply: { channel: ref("channels/hub"), messages: answers }
    }
  ]
}

const sendOperation = (type: string, { about }: Described): [string, Json] => [
  `send.${type}`,
  { action: "send", channel: ref("channels/hub"), summary: about, messages: channelMessages("server", type) }
]

const query: Json = {
  type: "object",
  properties: {
    format: { type: "string", enum: ["json", "msgpack"], description: "The encoding, where no subprotocol names it. Default: json." },
    batch: { type: "string", const: "1", description: "The server may put several messages in one frame, as an array." },
    token: { type: "string", description: "The token, where neither a header nor a subprotocol carries one." },
    session: { type: "string", description: "The session of an earlier `welcome`, to be taken up again." }
  }
}

const headers: Json = {
  type: "object",
  properties: {
    "Sec-WebSocket-Protocol": {
      type: "string",
      description:
        "Subprotocols: `weft.v1.json` or `weft.v1.msgpack` names the encoding, `weft.batch` asks for batches, `weft.token.TOKEN` carries the token, `weft.session.SESSION` the session."
    },
    Authorization: { type: "string", description: "`Bearer TOKEN`" }
  }
}

const securitySchemes: Json = {
  bearer: { type: "http", scheme: "bearer", description: "`Authorization: Bearer TOKEN`. Looked at first." },
  subprotocol: {
    type: "httpApiKey",
    in: "header",
    name: "Sec-WebSocket-Protocol",
    description: "A subprotocol `weft.token.TOKEN` beside that of the encoding: for browsers, which can set no headers. Looked at second."
  },
  query: { type: "httpApiKey", in: "query", name: "token", description: "`?token=TOKEN`. Looked at last." }
}

const security = Object.keys(securitySchemes).map((name) => ref(`components/securitySchemes/${name}`))

export const asyncapi = (): Json => {
  const clientMessages = messagesOf("client", clientDescriptions, clientCases)
  const serverMessages = messagesOf("server", serverDescriptions, serverCases)
  const messages = { ...clientMessages, ...serverMessages }
  return {
    asyncapi: "3.0.0",
    id: "urn:weft:protocol:v1",
    info: {
      title: "Weft",
      version: "1.0.0",
      description:
        "The client protocol of Weft. `protocol/README.md` is the specification; this document lists the same messages for tools. Each message stands here twice, once for each encoding.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" }
    },
    defaultContentType: contentTypes.json,
    servers: {
      local: { host: "127.0.0.1:8080", protocol: "ws", description: "`npm start`", security },
      secure: {
        host: "{host}",
        protocol: "wss",
        description: "Behind TLS.",
        variables: { host: { default: "weft.example", description: "Host and, where it is not 443, port." } },
        security
      }
    },
    channels: {
      hub: {
        address: "/ws",
        title: "The hub",
        description: `One WebSocket; \`/websocket\` is the same. JSON travels in text frames, MessagePack in binary frames. A frame holds one message, or an array of 1 to ${maxBatch} messages; the server sends arrays only to clients that asked for them.`,
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, ref(`components/messages/${name}`)])),
        bindings: { ws: { method: "GET", query, headers, bindingVersion: "0.1.0" } }
      }
    },
    operations: Object.fromEntries([
      ...(Object.keys(clientDescriptions) as Array<ClientType>).map(receiveOperation),
      ...Object.entries(serverDescriptions).map(([type, described]) => sendOperation(type, described))
    ]),
    components: {
      messages,
      schemas: {
        ...prefixed("client", clientDefinitions(reference)),
        ...prefixed("server", serverDefinitions(reference)),
        ...partDefinitions()
      },
      securitySchemes
    }
  }
}
