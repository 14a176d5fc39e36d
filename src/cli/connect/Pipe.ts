import { createInterface } from "node:readline"
import { type Client, type UnknownMessage, WeftError } from "../../client/index.ts"
import { type Failure, failure } from "../Failure.ts"
import { joinedLine, json, welcomeLine } from "./Format.ts"
import { type Io, styleFor } from "./Io.ts"
import { Outstanding } from "./Outstanding.ts"
import { type ConnectOptions, open, saying, watch } from "./Session.ts"
import { harmless } from "./Style.ts"
import { shown } from "./Target.ts"

/** Replies that may be outstanding before the next line is read. */
const window = 256

/** How long a line waits for replies before it, in milliseconds. */
const patience = 10_000

const rawMessage = (line: string): UnknownMessage | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
      ? { ...value, type: value.type }
      : undefined
  } catch {
    return undefined
  }
}

const cannotJoin = (room: string, { code, message }: WeftError): Failure =>
  failure(`can not join ${harmless(room)}: ${code}: ${harmless(message)}`)

/** Resolves when there is a link, or when there will be none. */
const ready = (client: Client): Promise<void> =>
  new Promise((resolve) => {
    if (client.link.state === "open") return resolve()
    const stop = client.on("state", ({ state }) => {
      if (state !== "open" && state !== "closed") return
      stop()
      resolve()
    })
  })

/** Lines in, messages out. */
class Feed {
  readonly #client: Client
  readonly #options: ConnectOptions
  readonly #tell: (line: string) => void
  readonly #outstanding = new Outstanding()
  #room: string | undefined
  #joining = false
  failed = 0

  constructor(client: Client, options: ConnectOptions, print: (line: string) => void, tell: (line: string) => void) {
    this.#client = client
    this.#options = options
    this.#tell = tell
    client.on("frame", (frame) => {
      if (frame.direction === "out") return this.#outstanding.sent(frame.message)
      this.#follow(frame.message)
      this.#outstanding.received(frame.message)
      if (options.raw || frame.message.type !== "heartbeat") print(json(frame.message))
    })
    client.on("state", ({ state }) => {
      const lost = state === "open" ? 0 : this.#outstanding.lost()
      if (lost > 0) this.#fail(`${lost} replies are lost with the connection`)
    })
  }

  async join(room: string): Promise<void> {
    try {
      const joined = await this.#client.join(room)
      this.#tell(joinedLine(joined, false))
    } catch (error) {
      throw error instanceof WeftError ? cannotJoin(room, error) : error
    }
  }

  async take(line: string): Promise<void> {
    if (line.trim() === "") return
    await this.#outstanding.atMost(window - 1, patience)
    await ready(this.#client)
    const message = rawMessage(line)
    return message === undefined ? this.#say(line) : this.#send(message)
  }

  /** Waits for the replies to all that was sent, and looks out for no more. */
  async finish(): Promise<void> {
    await this.#outstanding.atMost(0, this.#options.linger)
    const missing = this.#outstanding.lost()
    if (missing > 0) this.#tell(`${missing} replies did not come within ${this.#options.linger / 1000} s`)
  }

  #send(message: UnknownMessage): void {
    if (message.type === "join_room") this.#joining = true
    try {
      this.#client.write(message)
    } catch (error) {
      this.#report(error)
    }
  }

  async #say(text: string): Promise<void> {
    if (this.#joining) await this.#outstanding.atMost(0, patience)
    this.#joining = false
    if (this.#room === undefined) throw failure("text needs a room: name one with --room")
    this.#client.broadcast(this.#room, saying(text, this.#options)).catch((error: unknown) => this.#report(error))
  }

  #follow({ type, room }: UnknownMessage): void {
    if (typeof room !== "string") return
    if (type === "joined") this.#room = room
    else if (type === "left" && room === this.#room) this.#room = undefined
  }

  #report(error: unknown): void {
    const { code, message } = error instanceof WeftError ? error : { code: "internal", message: String(error) }
    this.#fail(`error ${code}: ${harmless(message)}`)
  }

  #fail(text: string): void {
    this.failed++
    this.#tell(text)
  }
}

/**
 * Lines of `io.stdin` to the server until they end, what the server sends to `io.stdout`. Resolves also when nobody
 * reads the output any more. Rejects with a `Failure`: no connection, a room that can not be joined, text that
 * the server did not take.
 */
export const feed = async (client: Client, options: ConnectOptions, io: Io, signal: AbortSignal): Promise<void> => {
  const tell = (line: string) => void io.stderr.write(`${line}\n`)
  const lines = new Feed(client, options, (line) => void io.stdout.write(`${line}\n`), tell)
  const welcome = await open(client, options)
  tell(welcomeLine(shown(options.target), options.encoding, welcome))
  client.on("rejoined", (joined) => tell(joinedLine(joined, true)))
  const stopped = new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => resolve(), { once: true })
    io.stdout.once("error", () => resolve())
    watch(client, options, styleFor(io.stderr, io), { show: tell, fail: reject })
    client.on("rejoin_failed", ({ room, error }) => reject(cannotJoin(room, error)))
  })
  const work = async () => {
    for (const room of options.rooms) await lines.join(room)
    for await (const line of createInterface({ input: io.stdin, terminal: false })) await lines.take(line)
    await lines.finish()
  }
  try {
    await Promise.race([work(), stopped])
  } finally {
    io.stdin.destroy()
  }
  if (lines.failed > 0) throw failure("not everything was sent and accepted")
}
