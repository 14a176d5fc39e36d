/** Which rooms the messages of an encoded server frame name. For frames that were skipped, to say of which room. */
import { decode } from "@msgpack/msgpack"

const jsonHead = /^\{"type":"(?:message|member_joined|member_left)","room":("(?:[^"\\]|\\.)*")/

/** Room names have at most a few hundred bytes, and a message begins with its type and room. */
const headBytes = 2048

/** `{type: "message", room: …}` as our encoder writes it: a map head, then the four strings. */
const msgpackHead = [0xa4, 0x74, 0x79, 0x70, 0x65, 0xa7, 0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0xa4, 0x72, 0x6f, 0x6f, 0x6d]

const stringLength = (bytes: Uint8Array, at: number): number => {
  const head = bytes[at] ?? 0
  if (head >= 0xa0 && head < 0xc0) return 1 + (head & 0x1f)
  return head === 0xd9 ? 2 + (bytes[at + 1] ?? 0) : 0
}

/** Without decoding the message's data. Undefined where it names no room, or is not one of those that rooms send. */
export const peekRoom = (frame: Uint8Array, binary: boolean): string | undefined => {
  if (!binary) {
    const found = jsonHead.exec(new TextDecoder().decode(frame.subarray(0, headBytes)))?.[1]
    return found === undefined ? undefined : String(JSON.parse(found))
  }
  if (!msgpackHead.every((byte, index) => frame[index + 1] === byte)) return undefined
  const at = 1 + msgpackHead.length
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
