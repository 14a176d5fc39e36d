/**
 * Recognises a client's sign of life by its bytes. It says nothing and is not answered, so that nothing of it has to be
 * decoded. Free of Node and of Effect at run time.
 */
import type { Encoding } from "./Codec.ts"

const json = new TextEncoder().encode('{"type":"heartbeat"}')

/** A map of one pair (https://github.com/msgpack/msgpack/blob/master/spec.md#map-format-family) of two short strings. */
const msgpack = Uint8Array.from([0x81, 0xa4, ...new TextEncoder().encode("type"), 0xa9, ...new TextEncoder().encode("heartbeat")])

const forms: Readonly<Record<Encoding, Uint8Array>> = { json, msgpack }

/** Whether a frame is a heartbeat without any other field, in the form in which encoders write it. False says nothing: the codec can tell. */
export const isBareHeartbeat = (bytes: Uint8Array, encoding: Encoding): boolean => {
  const form = forms[encoding]
  if (bytes.length !== form.length) return false
  for (let i = 0; i < form.length; i++) if (bytes[i] !== form[i]) return false
  return true
}
