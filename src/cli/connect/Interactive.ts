import { type Client, type ServerMessageOf, type UnknownMessage, WeftError } from "../../client/index.ts"
import { type Command, helpLines, readLine } from "./Commands.ts"
import { errorLine, frameLine, joinedLine, json, membersLine, statusLine, welcomeLine } from "./Format.ts"
import { type Io, styleFor } from "./Io.ts"
import { Screen } from "./Screen.ts"
import { type ConnectOptions, isOwnId, open, saying, watch } from "./Session.ts"
import { harmless, type Style } from "./Style.ts"
import { shown } from "./Target.ts"

/** Ids of connections that are remembered, to tell them from names of users. */
const knownLimit = 10_000

/** The conversation of a person at a terminal. */
class Conversation {
  readonly #client: Client
  readonly #options: ConnectOptions
  readonly #screen: Screen
  readonly #style: Style
  readonly #known = new Set<string>()
  #room: string | undefined

  constructor(client: Client, options: ConnectOptions, screen: Screen, style: Style) {
    this.#client = client
    this.#options = options
    this.#screen = screen
    this.#style = style
    client.on("frame", (frame) => {
      if (frame.direction === "in") this.#show(frame.message)
    })
    this.#moveTo(undefined)
    client.on("rejoined", (joined) => screen.print(joinedLine(joined, true)))
    client.on("rejoin_failed", ({ room, error }) => {
      this.#fail(error)
      this.#moveTo(this.#room === room ? this.#client.rooms.at(-1) : this.#room)
    })
  }

  /** Does what the line asks for. False: the person wants to leave. */
  take(line: string): boolean {
    const command = readLine(line, (id) => this.#known.has(id))
    if (command.do === "quit") return false
    void this.#do(command).catch((error: unknown) => this.#fail(error))
    return true
  }

  join(room: string): Promise<void> {
    return this.#join(room).catch((error: unknown) => this.#fail(error))
  }

  async #join(room: string): Promise<void> {
    if (!this.#client.rooms.includes(room)) this.#screen.print(joinedLine(await this.#client.join(room), false))
    this.#moveTo(room)
  }

  async #do(command: Exclude<Command, { do: "quit" }>): Promise<void> {
    const client = this.#client
    switch (command.do) {
      case "nothing":
        return
      case "say":
        return this.#say(command.text)
      case "join":
        return this.#join(command.room)
      case "leave":
        return this.#leave(this.#roomOr(command.room))
      case "members": {
        const { room, members } = await client.presence(this.#roomOr(command.room))
        for (const { connection } of members) this.#remember(connection)
        return this.#screen.print(membersLine(room, members))
      }
      case "rooms":
        return this.#screen.print(client.rooms.length === 0 ? "in no room" : client.rooms.map(harmless).join(", "))
      case "direct": {
        const { delivered = 0 } = await client.send(command.to, saying(command.text, this.#options))
        return delivered === 0 ? this.#screen.print("nobody got it") : undefined
      }
      case "ping": {
        const start = performance.now()
        await client.ping()
        return this.#screen.print(`pong after ${(performance.now() - start).toFixed(1)} ms`)
      }
      case "status":
        return this.#screen.print(statusLine(await client.status()))
      case "call":
        return this.#screen.print(`${harmless(command.method)}: ${harmless(json(await client.call(command.method, command.data)))}`)
      case "raw":
        return client.write(command.message)
      case "help":
        return helpLines.forEach((line) => this.#screen.print(line))
      case "mistake":
        return this.#screen.print(harmless(command.text))
    }
  }

  async #say(text: string): Promise<void> {
    if (this.#room === undefined) return this.#screen.print("in no room: /join ROOM first")
    await this.#client.broadcast(this.#room, saying(text, this.#options), { exclude_self: true })
  }

  async #leave(room: string): Promise<void> {
    await this.#client.leave(room)
    this.#screen.print(`left ${harmless(room)}`)
    if (this.#room === room) this.#moveTo(this.#client.rooms.at(-1))
  }

  #roomOr(named: string | undefined): string {
    const room = named ?? this.#room
    if (room === undefined) throw new WeftError("not_in_room", "in no room: name one")
    return room
  }

  #moveTo(room: string | undefined): void {
    this.#room = room
    this.#screen.prompt(room === undefined ? "> " : `${harmless(room)}> `)
  }

  #remember(connection: string): void {
    if (this.#known.size < knownLimit) this.#known.add(connection)
  }

  /** Replies to what this program asked are told by who asked. */
  #show(message: UnknownMessage): void {
    const from = message["from"]
    if (typeof from === "object" && from !== null && "connection" in from) this.#remember(String(from.connection))
    if (this.#options.raw) return this.#screen.print(harmless(json(message)))
    if (isOwnId(message["id"])) return
    const line = frameLine(message, this.#style)
    if (line !== undefined) this.#screen.print(line)
  }

  #fail(error: unknown): void {
    const { code, message } = error instanceof WeftError ? error : { code: "internal", message: String(error) }
    this.#screen.print(errorLine(code, message, this.#style))
  }
}

/**
 * A prompt on a terminal until the person leaves (`/quit`, Ctrl-D, Ctrl-C) or `signal` aborts. Rejects with a `Failure`
 * when there is no first connection, or when the server ends it for good. What is typed before the rooms of the
 * options are joined waits.
 */
export const interact = async (client: Client, options: ConnectOptions, io: Io, signal: AbortSignal): Promise<void> => {
  const style = styleFor(io.stdout, io)
  const greet = (welcome: ServerMessageOf<"welcome">): string => welcomeLine(shown(options.target), options.encoding, welcome)
  const welcome = await open(client, options)
  const screen = new Screen(io.stdout)
  screen.print(greet(welcome))
  client.on("welcome", (again) => screen.print(greet(again)))
  const conversation = new Conversation(client, options, screen, style)
  const ended = new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => resolve(), { once: true })
    watch(client, options, style, { show: (line) => screen.print(line), fail: reject })
  })
  const talk = async (): Promise<void> => {
    for (const room of options.rooms) await conversation.join(room)
    await screen.open(io.stdin, (line) => {
      if (!conversation.take(line)) screen.close()
    })
  }
  try {
    await Promise.race([talk(), ended])
  } finally {
    screen.close()
  }
}
