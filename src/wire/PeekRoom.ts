/** Which rooms the messages of an encoded server frame name. For frames that were skipped, to say of which room. */
import { decode } from "@msgpack/msgpack"

const types = ["message", "member_joined", "member_left"]

const jsonHead = new RegExp(`^\\{"type":"(?:${types.join("|")})","room":("(?:[^"\\\\]|\\\\.)*")`)

/** A message begins with its type and room. Names have at most 1,024 bytes, and in JSON twice as much, where every character is escaped. */
const headBytes = 4096

/** Text of less than 32 bytes of ASCII, as our encoder writes it. */
const fixstr = (text: string): ReadonlyArray<number> => [0xa0 | text.length, ...Array.from(text, (char) => char.charCodeAt(0))]

/** What follows the head of the map in `{type: …, room: …}`, up to the room's name. */
const msgpackHeads = types.map((type) => [...fixstr("type"), ...fixstr(type), ...fixstr("room")])

const stringLength = (bytes: Uint8Array, at: number): number => {
  const head = bytes[at] ?? 0
  if (head >= 0xa0 && head < 0xc0) return 1 + (head & 0x1f)
  const next = bytes[at + 1] ?? 0
  if (head === 0xd9) return 2 + next
  return head === 0xda ? 3 + (next << 8) + (bytes[at + 2] ?? 0) : 0
}

/** Without decoding the message's data. Undefined where it names no room, or is not one of those that rooms send. */
export const peekRoom = (frame: Uint8Array, binary: boolean): string | undefined => {
  if (!binary) {
    const found = jsonHead.exec(new TextDecoder().decode(frame.subarray(0, headBytes)))?.[1]
    return found === undefined ? undefined : String(JSON.parse(found))
  }
  const head = msgpackHeads.find((bytes) => bytes.every((byte, index) => frame[index + 1] === byte))
  if (head === undefined) return undefined
  const at = 1 + head.length
  const length = stringLength(frame, at)
  return length === 0 ? undefined : String(decode(frame.subarray(at, at + length)))
}

const roomOf = (message: unknown): string | undefined =>
  typeof message === "object" && message !== null && "room" in message ? String(message.room) : undefined

/** One entry for each message of a frame that may hold several. */
export const peekBatchRooms = (frame: Uint8Array, binary: boolean): ReadonlyArray<string | undefined> => {
  const value: unknown = binary ? decode(frame) : JSON.parse(new TextDecoder().decode(frame))
  return Array.isArray(value) ? value.map(roomOf) : [roomOf(value)]
}
