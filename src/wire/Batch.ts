/** How many messages one frame may hold, as an array, both ways. */
export const maxBatch = 64

/** The frame of a batch in JSON, of messages that are encoded already. */
export const joinJson = (messages: ReadonlyArray<string>): string => `[${messages.join(",")}]`

/** The frame of a batch in MessagePack, of messages that are encoded already: at most `maxBatch`. */
export const joinMsgpack = (messages: ReadonlyArray<Uint8Array>): Uint8Array => {
  // The header of an array (https://github.com/msgpack/msgpack/blob/master/spec.md#array-format-family).
  const header = messages.length < 16 ? [0x90 | messages.length] : [0xdc, messages.length >> 8, messages.length & 0xff]
  const frame = new Uint8Array(messages.reduce((sum, message) => sum + message.length, header.length))
  frame.set(header)
  let at = header.length
  for (const message of messages) {
    frame.set(message, at)
    at += message.length
  }
  return frame
}
