/** What is shown for what happens. Pure: the same in, the same line out. */
import type { LinkState, ServerMessageOf, UnknownMessage } from "../../client/index.ts"
import { isServerMessage } from "../../client/Incoming.ts"
import type { Member, Sender, ServerMessage } from "../../wire/Messages.ts"
import { harmless, type Style } from "./Style.ts"

/** Text that someone said: the form in which `weft connect` and the example page put it into `data`. */
interface Said {
  readonly text: string
  readonly name: string | undefined
}

const saidOf = (data: unknown): Said | undefined => {
  if (typeof data !== "object" || data === null || !("text" in data) || typeof data.text !== "string") return undefined
  return { text: data.text, name: "name" in data && typeof data.name === "string" ? data.name : undefined }
}

/** A value as JSON on one line; bytes as base64, as JSON clients get them. */
export const json = (value: unknown): string => JSON.stringify(value) ?? "nothing"

/** The time of day, in the time zone of this machine. */
const timeOfDay = (time: number): string => new Date(time).toTimeString().slice(0, 8)

const people = (count: number): string => `${count} member${count === 1 ? "" : "s"}`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** An authenticated user as `@user`; else the connection. */
export const memberName = ({ user, connection }: { readonly user?: string; readonly connection: string }): string =>
  harmless(user === undefined ? connection : `@${user}`)

/** A name in `data` is what the sender claims to be: it stands without the `@` that marks a user. */
const senderName = (from: Sender | undefined, said: Said | undefined): string => {
  if (from?.user !== undefined) return memberName(from)
  if (said?.name !== undefined) return harmless(said.name)
  return from === undefined ? "server" : memberName(from)
}

const saying = (message: ServerMessageOf<"message" | "direct">, place: string, style: Style): string => {
  const said = saidOf(message.data)
  const text = said === undefined ? ` ${json(message.data)}` : `: ${said.text}`
  return `${style.dim(timeOfDay(message.time))} ${style.room(place)} ${style.bold(senderName(message.from, said))}${harmless(text)}`
}

export const membersLine = (room: string, members: ReadonlyArray<Member>): string => {
  const shown = members
    .slice(0, 50)
    .map((member) => (member.user === undefined ? memberName(member) : `${memberName(member)} (${harmless(member.connection)})`))
  const more = members.length > shown.length ? `, and ${members.length - shown.length} more` : ""
  return `${people(members.length)} in ${harmless(room)}${shown.length === 0 ? "" : `: ${shown.join(", ")}${more}`}`
}

export const joinedLine = ({ room, members }: ServerMessageOf<"joined">, again: boolean): string =>
  `joined ${harmless(room)}${again ? " again" : ""}: ${people(members)}`

export const errorLine = (code: string, message: string, style: Style): string =>
  `${style.error(`error ${harmless(code)}`)}: ${harmless(message)}`

export const welcomeLine = (target: string, encoding: string, welcome: ServerMessageOf<"welcome">): string => {
  const user = welcome.user === undefined ? "" : `, user ${memberName(welcome)}`
  return `connected to ${target}: connection ${harmless(welcome.connection)}${user}, node ${harmless(welcome.node)}, ${encoding}`
}

export const statusLine = (status: ServerMessageOf<"status">): string => {
  const user = status.user === undefined ? "" : `, user ${memberName(status)}`
  const rooms = status.rooms.length === 0 ? "no room" : `rooms ${status.rooms.map(harmless).join(", ")}`
  const since = `connected at ${timeOfDay(status.connected_at)}`
  return `connection ${harmless(status.connection)}${user}, node ${harmless(status.node)}, ${status.encoding}, ${rooms}, ${since}`
}

/** A loss and what follows from it; nothing for the rest, which other lines tell. */
export const stateLine = (state: LinkState, style: Style): string | undefined => {
  if (state.state !== "waiting") return undefined
  return `${style.error("disconnected")}: ${harmless(state.reason)} (${state.code}); trying again in ${seconds(state.delay)}`
}

const knownLine = (message: ServerMessage, style: Style): string | undefined => {
  switch (message.type) {
    case "message":
      return saying(message, message.room === undefined ? "everyone" : harmless(message.room), style)
    case "direct":
      return saying(message, "direct", style)
    case "gap": {
      const where = message.room === undefined ? "" : ` of ${harmless(message.room)}`
      return style.error(`${message.dropped} messages${where} were skipped: this connection was too slow`)
    }
    case "member_joined":
    case "member_left": {
      const what = message.type === "member_joined" ? "joined" : "left"
      return style.dim(`${harmless(message.room)}: ${memberName(message.member)} ${what}`)
    }
    case "error":
      return errorLine(message.code, message.message, style)
    case "bye":
      return style.dim(`the server says bye: ${harmless(message.reason)} (${message.code})`)
    case "welcome":
    case "heartbeat":
      return undefined
    default:
      return harmless(json(message))
  }
}

/** A message from the server as a readable line; types that are not talk as JSON. Undefined for what needs no line. */
export const frameLine = (message: UnknownMessage, style: Style): string | undefined =>
  isServerMessage(message) ? knownLine(message, style) : harmless(json(message))
