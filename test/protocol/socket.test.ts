/** Every vector over a real socket: the server has to answer a stranger's frames as the vector files say. */
import { beforeAll, describe, expect, it } from "vitest"
import { connect, type Message, type TestClient } from "../support/wsClient.ts"
import { startWeft, type Weft } from "../support/weft.ts"
import { accepted, bytesOf, type FrameBytes, fromHex, golden, malformed, withBase64, withBin } from "../wire/vectors.ts"

type Encoding = "json" | "msgpack"
const encodings: ReadonlyArray<Encoding> = ["json", "msgpack"]

/** Fewer than a client may send at once before it is taken for a flood. */
const perConnection = 80

const chunks = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / perConnection) }, (_, i) => items.slice(i * perConnection, (i + 1) * perConnection))

const frameOf = (encoding: Encoding, vector: FrameBytes): string | Uint8Array => {
  const bytes = bytesOf(vector)
  return encoding === "json" ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : bytes
}

const greeted = async (server: Weft, encoding: Encoding): Promise<TestClient> => {
  const client = await connect(server.socketUrl, { encoding })
  await client.next("welcome")
  return client
}

/** What a frame is answered with: everything up to the answer of a ping that follows it. */
const answers = async (client: TestClient, frame: string | Uint8Array): Promise<ReadonlyArray<Message>> => {
  client.sendFrame(frame)
  const pong = await client.request({ type: "ping" })
  expect(pong.type).toBe("pong")
  return Promise.all(client.unread().map(() => client.next()))
}

const errorOf = (code: string, id: number | string | undefined) => ({
  type: "error",
  ...(id === undefined ? {} : { id }),
  code,
  message: expect.any(String),
  retryable: false
})

describe.each(encodings)("a server that is sent the vectors in %s", (encoding) => {
  let server: Weft
  beforeAll(async () => {
    server = await startWeft()
  })

  const vectors = malformed()
  const mine = <A extends { readonly encoding: Encoding }>(section: ReadonlyArray<A>) =>
    section.filter((vector) => vector.encoding === encoding)

  it("answers each malformed frame with exactly its error, and goes on", async () => {
    const refused = mine([...vectors.codec, ...vectors.message]).filter(({ utf8 }) => utf8 === undefined)
    expect(refused.length).toBeGreaterThan(250)
    for (const chunk of chunks(refused)) {
      const client = await greeted(server, encoding)
      for (const { name, error, id, ...frame } of chunk)
        expect({ name, answers: await answers(client, frameOf(encoding, frame)) }).toEqual({ name, answers: [errorOf(error, id)] })
      await client.close()
    }
  })

  it("answers the messages of each batch by themselves", async () => {
    for (const { name, replies, ...frame } of mine(vectors.frame)) {
      const client = await greeted(server, encoding)
      const got = await answers(client, frameOf(encoding, frame))
      expect({ name, replies: got.map(({ type, id, code }) => ({ type, id, code })) }).toEqual({
        name,
        replies: replies.map(({ type, id, code }) => ({ type, id, code }))
      })
      await client.close()
    }
  })

  it("takes every golden message and every odd form of one: none is invalid", async () => {
    const frames = [
      ...golden()
        .filter(({ direction }) => direction === "client")
        .map(({ name, json, msgpack }) => ({ name, frame: encoding === "json" ? json : fromHex(msgpack) })),
      ...mine(accepted()).map(({ name, ...frame }) => ({ name, frame: frameOf(encoding, frame) }))
    ]
    for (const { name, frame } of frames) {
      const client = await greeted(server, encoding)
      const got = await answers(client, frame)
      expect({ name, invalid: got.filter(({ code }) => code === "invalid_message" || code === "unknown_type") }).toEqual({
        name,
        invalid: []
      })
      await client.close()
    }
  })

  it("gives back what it was sent to echo, value for value", async () => {
    const client = await greeted(server, encoding)
    for (const { name, message, json, msgpack } of golden().filter(
      ({ direction, message: sent }) => direction === "client" && isEcho(sent)
    )) {
      const [echo] = await answers(client, encoding === "json" ? json : fromHex(msgpack))
      const sent = encoding === "json" ? withBase64(message) : withBin(message)
      expect({ name, echo: plain(echo) }).toEqual({ name, echo: plain(sent) })
    }
    await client.close()
  })
})

describe("a server that is sent what WebSocket itself refuses", () => {
  it("loses that connection and no other", async () => {
    const server = await startWeft()
    const other = await greeted(server, "json")
    for (const vector of malformed().codec.filter(({ utf8 }) => utf8 === false)) {
      const client = await greeted(server, "json")
      client.socket.send(bytesOf(vector), { binary: false })
      expect([1006, 1007]).toContain((await client.closed).code)
      expect(await other.request({ type: "ping" })).toMatchObject({ type: "pong" })
    }
  })
})

const isEcho = (message: unknown): boolean =>
  typeof message === "object" && message !== null && "type" in message && message.type === "echo"

/** Bytes of any class as an array of numbers, so that only the values count. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.entries(value).map(([key, item]) => [key, plain(item)])
}
