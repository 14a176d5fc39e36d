// @ts-check
/**
 * The two encodings: JSON in text frames, MessagePack in binary frames.
 *
 * @typedef {"json" | "msgpack"} Encoding
 * @typedef {{
 *   readonly encoding: Encoding
 *   readonly subprotocol: string
 *   readonly encode: (value: unknown) => string | Uint8Array<ArrayBuffer>
 *   readonly decode: (frame: string | ArrayBuffer) => unknown
 * }} Codec
 */

/** @type {Codec} */
const json = {
  encoding: "json",
  subprotocol: "weft.v1.json",
  encode: (value) => JSON.stringify(value),
  decode: (frame) => JSON.parse(typeof frame === "string" ? frame : new TextDecoder().decode(frame))
}

/** @type {Codec} */
const msgpack = {
  encoding: "msgpack",
  subprotocol: "weft.v1.msgpack",
  encode: (value) => MessagePack.encode(value, { ignoreUndefined: true }),
  decode: (frame) => (typeof frame === "string" ? JSON.parse(frame) : MessagePack.decode(frame))
}

/**
 * @param {Encoding} encoding
 * @returns {Codec}
 */
export const codecOf = (encoding) => (encoding === "msgpack" ? msgpack : json)

const utf8 = new TextEncoder()

/**
 * The size of a frame's payload in bytes.
 * @param {string | ArrayBuffer | Uint8Array} frame
 */
export const frameSize = (frame) => (typeof frame === "string" ? utf8.encode(frame).length : frame.byteLength)
