/** Several messages in one frame: an array of them. */

/** How many messages one frame may hold, both ways. */
export const maxBatch = 64

/** Encoded JSON messages as one text frame. */
export const joinJson = (messages: ReadonlyArray<string>): string =>
  messages.length === 1 ? (messages[0] ?? "") : `[${messages.join(",")}]`

/** Encoded MessagePack messages as one binary frame: an array head, then the messages as they are. */
export const joinMsgpack = (messages: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = messages
  if (messages.length === 1 && only !== undefined) return only
  const head = messages.length < 16 ? [0x90 | messages.length] : [0xdc, messages.length >> 8, messages.length & 0xff]
  const frame = new Uint8Array(messages.reduce((sum, message) => sum + message.length, head.length))
  frame.set(head)
  let at = head.length
  for (const message of messages) {
    frame.set(message, at)
    at += message.length
  }
  return frame
}
