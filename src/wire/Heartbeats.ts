/** Recognises heartbeats by their bytes, so that nothing of them has to be decoded. Free of Node and of Effect at run time. */
import type { Encoding } from "./Codec.ts"

const json = new TextEncoder().encode('{"type":"heartbeat"}')

/** A map of one pair (https://github.com/msgpack/msgpack/blob/master/spec.md#map-format-family) of two short strings. */
const msgpack = Uint8Array.from([0x81, 0xa4, ...new TextEncoder().encode("type"), 0xa9, ...new TextEncoder().encode("heartbeat")])

const forms: Readonly<Record<Encoding, Uint8Array>> = { json, msgpack }

const matches = (bytes: Uint8Array, form: Uint8Array, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (bytes[i] !== form[i]) return false
  return true
}

/**
 * Whether a client's frame is a heartbeat without any other field, in the form in which encoders write it: it says nothing
 * and is not answered. False says nothing: the codec can tell.
 */
export const isBareHeartbeat = (bytes: Uint8Array, encoding: Encoding): boolean => {
  const form = forms[encoding]
  return bytes.length === form.length && matches(bytes, form, 0, form.length)
}

/** Whether a frame that the server wrote is a heartbeat: its type and then its time. */
export const isServerHeartbeat = (bytes: Uint8Array, encoding: Encoding): boolean =>
  // The same but for the end in JSON, and for the number of fields in MessagePack.
  encoding === "json" ? matches(bytes, json, 0, json.length - 1) : bytes[0] === 0x82 && matches(bytes, msgpack, 1, msgpack.length)
