import { decode, encode } from "@msgpack/msgpack"
import WebSocket, { type ClientOptions } from "ws"
import { atEnd } from "./cleanup.ts"
import { within } from "./eventually.ts"

/** A message as it came, with nothing assumed about it but that it is a map. */
export interface Message {
  readonly type?: string
  readonly id?: number | string
  readonly [field: string]: unknown
}

export interface ConnectOptions {
  /** Default `json`. */
  readonly encoding?: "json" | "msgpack"
  readonly token?: string
  readonly session?: string
  readonly batch?: boolean
  /** Offered after those that the other options make. */
  readonly protocols?: ReadonlyArray<string>
  /** False: no `weft.v1.*` subprotocol, so that the query or the default decides. `encoding` then says what to expect. */
  readonly negotiate?: boolean
  readonly query?: Readonly<Record<string, string>>
  readonly socket?: ClientOptions
}

export interface Close {
  readonly code: number
  readonly reason: string
}

/** A client for tests, independent of the server's codecs: it takes frames apart with JSON.parse and @msgpack/msgpack only. */
export interface TestClient {
  readonly socket: WebSocket
  /** The subprotocol that the server chose; empty without one. */
  readonly protocol: string
  readonly send: (message: unknown) => void
  /** Text or binary as it is. */
  readonly sendFrame: (frame: string | Uint8Array) => void
  /** Sends with an `id` of its own and gives the reply with that `id`, an `error` too. */
  readonly request: (message: Readonly<Record<string, unknown>>) => Promise<Message>
  /** Takes the first unread message that fits: of this type, or one for which the function says so. Others stay unread. */
  readonly next: (wanted?: string | ((message: Message) => boolean), timeout?: number) => Promise<Message>
  /** All messages that were neither taken by `next` nor a reply to a `request`, in order. */
  readonly unread: () => ReadonlyArray<Message>
  /** Every frame so far, as it came. */
  readonly frames: () => ReadonlyArray<string | Uint8Array>
  /** Resolves when the connection is gone; 1006 when it was without a close frame. */
  readonly closed: Promise<Close>
  /** Closes and waits for the other side. */
  readonly close: (code?: number, reason?: string) => Promise<Close>
  /** Cuts the connection without a close frame. */
  readonly terminate: () => void
}

/** What the server answered instead of an upgrade. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

const open = (url: string, options: ConnectOptions): WebSocket => {
  const protocols = [
    ...(options.negotiate === false ? [] : [`weft.v1.${options.encoding ?? "json"}`]),
    ...(options.token === undefined ? [] : [`weft.token.${options.token}`]),
    ...(options.session === undefined ? [] : [`weft.session.${options.session}`]),
    ...(options.batch === true ? ["weft.batch"] : []),
    ...(options.protocols ?? [])
  ]
  const target = new URL(url)
  for (const [name, value] of Object.entries(options.query ?? {})) target.searchParams.set(name, value)
  const socket = new WebSocket(target, protocols, { perMessageDeflate: false, ...options.socket })
  socket.binaryType = "nodebuffer"
  atEnd(() => socket.terminate())
  return socket
}

/** Connects; rejects with the status when the server refuses. The `welcome` is the first message that `next` gives. */
export const connect = async (url: string, options: ConnectOptions = {}): Promise<TestClient> => {
  const socket = open(url, options)
  const client = attach(socket, options.encoding ?? "json")
  await within(opened(socket), `no connection to ${url}`)
  return { ...client, protocol: socket.protocol }
}

/** Tries to connect and gives the answer that refuses it. */
export const refused = async (url: string, options: ConnectOptions = {}): Promise<Refusal> => {
  const socket = open(url, options)
  const answer = new Promise<Refusal>((resolve, reject) => {
    socket.on("open", () => reject(new Error(`${url} let us in`)))
    socket.on("error", reject)
    socket.on("unexpected-response", (_, response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        socket.terminate()
      })
    })
  })
  return within(answer, `${url} did not answer`)
}

const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once("open", resolve)
    socket.once("error", reject)
    socket.once("unexpected-response", (request, response) => {
      reject(new Error(`refused: ${response.statusCode}`))
      request.destroy()
    })
  })

const attach = (socket: WebSocket, encoding: "json" | "msgpack"): Omit<TestClient, "protocol"> => {
  const unread: Array<Message> = []
  const frames: Array<string | Uint8Array> = []
  const waiting: Array<{ readonly wanted: (message: Message) => boolean; readonly take: (message: Message) => void }> = []
  let lastId = 0

  const receive = (message: Message): void => {
    const index = waiting.findIndex(({ wanted }) => wanted(message))
    if (index === -1) unread.push(message)
    else waiting.splice(index, 1)[0]?.take(message)
  }
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    const frame = isBinary ? new Uint8Array(data) : data.toString("utf8")
    frames.push(frame)
    const value: unknown = typeof frame === "string" ? JSON.parse(frame) : decode(frame)
    for (const message of Array.isArray(value) ? value : [value]) receive(message)
  })
  socket.on("error", () => undefined)
  const closed = new Promise<Close>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString("utf8") }))
  })

  const next: TestClient["next"] = (wanted, timeout) => {
    const fits = typeof wanted === "function" ? wanted : (message: Message) => wanted === undefined || message.type === wanted
    const index = unread.findIndex(fits)
    const here = index === -1 ? undefined : unread.splice(index, 1)[0]
    if (here !== undefined) return Promise.resolve(here)
    const entry = { wanted: fits, take: (_message: Message): void => undefined }
    const arrived = new Promise<Message>((resolve, reject) => {
      entry.take = resolve
      waiting.push(entry)
      void closed.then(({ code, reason }) => reject(new Error(`closed (${code} ${reason}) before ${describe(wanted)} came`)))
    })
    const missing = (): string => `no ${describe(wanted)}; unread: ${JSON.stringify(unread).slice(0, 2_000)};`
    return within(arrived, missing, timeout).finally(() => {
      const at = waiting.indexOf(entry)
      if (at !== -1) waiting.splice(at, 1)
    })
  }
  const send: TestClient["send"] = (message) => socket.send(encoding === "json" ? JSON.stringify(message) : encode(message))
  return {
    socket,
    send,
    sendFrame: (frame) => socket.send(frame),
    request: (message) => {
      const id = `test-${(lastId += 1)}`
      send({ ...message, id })
      return next((reply) => reply.id === id)
    },
    next,
    unread: () => [...unread],
    frames: () => [...frames],
    closed,
    close: (code = 1000, reason = "") => {
      socket.close(code, reason)
      return within(closed, "the server did not answer the close")
    },
    terminate: () => socket.terminate()
  }
}

const describe = (wanted: string | ((message: Message) => boolean) | undefined): string =>
  wanted === undefined ? "message" : typeof wanted === "string" ? `"${wanted}"` : `message with ${String(wanted)}`
