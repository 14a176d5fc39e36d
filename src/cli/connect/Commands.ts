/** What a typed line means. Pure. */

export type Recipient = { readonly user: string } | { readonly connection: string }

export type Command =
  | { readonly do: "nothing" }
  | { readonly do: "say"; readonly text: string }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "leave" | "members"; readonly room: string | undefined }
  | { readonly do: "rooms" | "ping" | "status" | "quit" | "help" }
  | { readonly do: "direct"; readonly to: Recipient; readonly text: string }
  | { readonly do: "call"; readonly method: string; readonly data: unknown }
  | { readonly do: "raw"; readonly message: object }
  | { readonly do: "mistake"; readonly text: string }

interface Entry {
  readonly usage: string
  readonly help: string
  /** Undefined if what follows the command is not of its form. */
  readonly read: (rest: string, isConnection: (id: string) => boolean) => Command | undefined
}

const parseJson = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const split = (rest: string): readonly [string, string] => {
  const match = /^(\S+)\s*(.*)$/s.exec(rest)
  return [match?.[1] ?? "", match?.[2] ?? ""]
}

/** `user:NAME` and `connection:ID` say what they are; anything else is a connection if it is known as one, else a user. */
const recipient = (name: string, isConnection: (id: string) => boolean): Recipient => {
  if (name.startsWith("user:")) return { user: name.slice(5) }
  if (name.startsWith("connection:")) return { connection: name.slice(11) }
  return isConnection(name) ? { connection: name } : { user: name }
}

const bare = (command: "rooms" | "ping" | "status" | "quit" | "help") => (rest: string) => (rest === "" ? { do: command } : undefined)
const optionalRoom = (command: "leave" | "members") => (rest: string) => ({ do: command, room: rest === "" ? undefined : rest })

const direct: Entry["read"] = (rest, isConnection) => {
  const [name, text] = split(rest)
  return text === "" ? undefined : { do: "direct", to: recipient(name, isConnection), text }
}

const call: Entry["read"] = (rest) => {
  const [method, text] = split(rest)
  const data = text === "" ? { value: undefined } : parseJson(text)
  return method === "" || data === undefined ? undefined : { do: "call", method, data: data.value }
}

const raw: Entry["read"] = (rest) => {
  const message = parseJson(rest)?.value
  return typeof message === "object" && message !== null ? { do: "raw", message } : undefined
}

const entries: Readonly<Record<string, Entry>> = {
  join: { usage: "ROOM", help: "join a room, and say lines there", read: (room) => (room === "" ? undefined : { do: "join", room }) },
  leave: { usage: "[ROOM]", help: "leave a room", read: optionalRoom("leave") },
  rooms: { usage: "", help: "the rooms that you are in", read: bare("rooms") },
  members: { usage: "[ROOM]", help: "who is in a room", read: optionalRoom("members") },
  direct: { usage: "USER|connection:ID TEXT", help: "say something to one user or connection only", read: direct },
  ping: { usage: "", help: "how long the server takes to answer", read: bare("ping") },
  status: { usage: "", help: "what the server knows of this connection", read: bare("status") },
  call: { usage: "METHOD [JSON]", help: "call a method of the server", read: call },
  raw: { usage: "{JSON}", help: "send a message as it is", read: raw },
  help: { usage: "", help: "this list", read: bare("help") },
  quit: { usage: "", help: "leave (also Ctrl-D)", read: bare("quit") }
}

const synopsis = (name: string, { usage }: Entry): string => `/${name}${usage === "" ? "" : ` ${usage}`}`

export const helpLines: ReadonlyArray<string> = [
  "Lines are said in the current room; a line that starts with // is said from its second / on.",
  ...Object.entries(entries).map(([name, entry]) => `  ${synopsis(name, entry).padEnd(32)} ${entry.help}`)
]

/** Reads one line. `isConnection` tells whether a word is the id of a connection that was seen. */
export const readLine = (line: string, isConnection: (id: string) => boolean): Command => {
  if (line.trim() === "") return { do: "nothing" }
  if (!line.startsWith("/")) return { do: "say", text: line }
  if (line.startsWith("//")) return { do: "say", text: line.slice(1) }
  const [name, rest] = split(line.slice(1).trim())
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
  if (entry === undefined) return { do: "mistake", text: `no command /${name}; /help lists them` }
  return entry.read(rest, isConnection) ?? { do: "mistake", text: `usage: ${synopsis(name, entry)}` }
}
