/** Values that uWebSockets.js exports and its type declarations know only as types. */
import "./UwsEnvironment.ts"
import * as uws from "uWebSockets.js"

const constant = (name: string): number => {
  const value: unknown = Reflect.get(uws, name)
  if (typeof value !== "number") throw new Error(`uWebSockets.js exports no ${name}`)
  return value
}

export const exclusivePort = constant("LIBUS_LISTEN_EXCLUSIVE_PORT")
export const noCompression = constant("DISABLED")
/** A window of its own for each socket that compresses (3 KiB); one for all that decompress. */
export const smallCompression = constant("SHARED_DECOMPRESSOR") | constant("DEDICATED_COMPRESSOR_3KB")
