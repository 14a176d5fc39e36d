/** A server in the test's process and real WebSocket clients against it. */
import { Effect, Exit, Logger, Schema, Scope } from "effect"
import { afterEach } from "vitest"
import WebSocket from "ws"
import { type RunningServer, type ServeOptions, startServer } from "../../src/app.ts"
import { hasAuthentication, resolve, type Settings, SettingsFile, type SettingsInput } from "../../src/config/Settings.ts"
import type { Encoding } from "../../src/wire/Codec.ts"
import { jsonCodec } from "../../src/wire/JsonCodec.ts"
import { msgpackCodec } from "../../src/wire/MsgpackCodec.ts"
import { eventually } from "../support/eventually.ts"

type Ending = () => Promise<void> | void

const endings: Array<Ending> = []

afterEach(async () => {
  while (endings.length > 0) await endings.pop()?.()
})

export const settingsOf = (input: SettingsInput, authenticated = false): Settings => {
  const file = Schema.decodeSync(SettingsFile)({ ...input, server: { port: 0, ...input.server }, drain: { period: 0, ...input.drain } })
  return resolve(file, "node-1", authenticated || hasAuthentication(file))
}

export interface TestServer extends RunningServer {
  readonly stop: () => Promise<void>
  readonly logs: ReadonlyArray<string>
}

/** Starts a server on a free port; it is stopped when the test ends. */
export const start = async (input: SettingsInput = {}, options: ServeOptions = {}): Promise<TestServer> => {
  const logs: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => logs.push(line))])
  const scope = Scope.makeUnsafe()
  const running = await Effect.runPromise(
    startServer(settingsOf(input, options.authenticate !== undefined), options).pipe(Scope.provide(scope), Effect.provide(logger))
  )
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= Effect.runPromise(Scope.close(scope, Exit.void).pipe(Effect.provide(logger))))
  endings.push(stop)
  return { ...running, stop, logs }
}

export type Frame = Record<string, unknown>

export interface Closed {
  readonly code: number
  readonly reason: string
}

const codecs = { json: jsonCodec({ maxDepth: 1000 }), msgpack: msgpackCodec({ maxDepth: 1000 }) }

export interface ConnectOptions {
  readonly encoding?: Encoding
  readonly protocols?: ReadonlyArray<string>
  readonly query?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly deflate?: boolean
}

/** A client that keeps every message it gets, in order, until it is asked for. */
export class TestClient {
  readonly ws: WebSocket
  readonly encoding: Encoding
  readonly messages: Array<Frame> = []
  /** How many frames those messages came in. */
  frames = 0
  closed: Closed | undefined
  private nextId = 1

  constructor(ws: WebSocket, encoding: Encoding) {
    this.ws = ws
    this.encoding = encoding
    ws.on("message", (data: Buffer, binary: boolean) => {
      if (binary !== (encoding === "msgpack")) throw new Error("a frame of the wrong kind")
      this.frames++
      const value = codecs[encoding].decode(data)
      for (const message of Array.isArray(value) ? value : [value]) this.messages.push(message as Frame)
    })
    ws.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    ws.on("error", () => undefined)
  }

  send(message: unknown): void {
    this.ws.send(codecs[this.encoding].encode(message))
  }

  /** The first message that fits, taken out; those before it stay. */
  next(fits: string | ((message: Frame) => boolean)): Promise<Frame> {
    const matches = typeof fits === "string" ? (message: Frame) => message["type"] === fits : fits
    return eventually(
      () => {
        const at = this.messages.findIndex(matches)
        return at === -1 ? undefined : this.messages.splice(at, 1)[0]
      },
      {
        message: () =>
          `no message ${String(fits)}; closed: ${JSON.stringify(this.closed)}; there are ${JSON.stringify(this.messages.slice(-5))}`
      }
    )
  }

  /** Sends a request and takes its reply. */
  request(message: Frame): Promise<Frame> {
    const id = this.nextId++
    this.send({ ...message, id })
    return this.next((reply) => reply["id"] === id)
  }

  /** All that came before this is here when it resolves. */
  async settle(): Promise<ReadonlyArray<Frame>> {
    await this.request({ type: "ping" })
    return this.messages.splice(0)
  }

  end(): Promise<Closed> {
    return eventually(() => this.closed, { message: "the connection was not closed" })
  }
}

/** Connects, and takes the welcome. */
export const connect = async (
  server: Pick<RunningServer, "url">,
  options: ConnectOptions = {}
): Promise<TestClient & { readonly welcome: Frame }> => {
  const client = open(server, options)
  const welcome = await client.next("welcome")
  return Object.assign(client, { welcome })
}

/** Connects without waiting for anything. */
export const open = (server: Pick<RunningServer, "url">, options: ConnectOptions = {}): TestClient => {
  const { encoding = "json", protocols = [`weft.v1.${encoding}`], query = "", path = "/ws", headers = {}, deflate = false } = options
  const ws = new WebSocket(`${server.url.replace(/^http/, "ws")}${path}${query}`, [...protocols], {
    headers,
    perMessageDeflate: deflate,
    rejectUnauthorized: false
  })
  endings.push(() => ws.terminate())
  return new TestClient(ws, encoding)
}

/** The answer to an upgrade that is refused. */
export const refusal = (
  server: Pick<RunningServer, "url">,
  options: ConnectOptions = {}
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Frame }> => {
  const { ws } = open(server, options)
  return new Promise((resolvePromise, reject) => {
    ws.on("open", () => reject(new Error("it was not refused")))
    ws.on("unexpected-response", (_request, response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => (text += chunk))
      response.on("end", () =>
        resolvePromise({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as Frame })
      )
    })
  })
}

export const atEndOfTest = (ending: Ending): void => void endings.push(ending)
