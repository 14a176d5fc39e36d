/**
 * The opening handshake of a client (RFC 6455, section 4): the request's text and the reading of the response. No IO.
 */
import { acceptOf } from "../gateway/link/UpgradeText.ts"

/** Every connection sends the same key: the server's work does not depend on it, and the answer needs no hash of its own here. */
const key = Buffer.from("weft load client").toString("base64")
const accept = acceptOf(key)

/** What an upgrade asks for. `path` with its query; `headers` beside those of the handshake. */
export interface Upgrade {
  readonly path: string
  readonly protocols?: ReadonlyArray<string>
  readonly headers?: Readonly<Record<string, string>>
}

export const upgradeRequest = (host: string, upgrade: Upgrade): string => {
  let text = `GET ${upgrade.path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
  text += `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`
  if (upgrade.protocols !== undefined && upgrade.protocols.length > 0) text += `Sec-WebSocket-Protocol: ${upgrade.protocols.join(", ")}\r\n`
  for (const name in upgrade.headers) text += `${name}: ${upgrade.headers[name]}\r\n`
  return `${text}\r\n`
}

export type UpgradeResponse =
  | { readonly done: false }
  | { readonly done: true; readonly ok: true; readonly rest: number }
  | { readonly done: true; readonly ok: false; readonly status: number; readonly message: string }

const pending: UpgradeResponse = { done: false }
const maxHead = 16 * 1024

const refusal = (status: number, message: string): UpgradeResponse => ({ done: true, ok: false, status, message })

/** The text of a refusal's body: `code: message` where it is Weft's JSON, else its first line. */
const bodyText = (body: string): string => {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === "object" && value !== null && "code" in value && "message" in value) return `${value.code}: ${value.message}`
  } catch {
    // Not JSON: the text itself says what there is to say.
  }
  return body.split("\n", 1)[0]!.trim().slice(0, 200)
}

/**
 * Reads the response from all bytes that came so far. Done when the head is complete (and, for a refusal, as much of the
 * body as its length names); `rest` is where the first frame begins.
 */
export const readResponse = (bytes: Buffer): UpgradeResponse => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return bytes.length > maxHead ? refusal(0, "the answer's head does not end") : pending
  const lines = bytes.toString("latin1", 0, end).split("\r\n")
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(lines[0]!)
  if (status === null) return refusal(0, "the answer is not HTTP")
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":")
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const code = Number(status[1])
  if (code === 101) {
    if (headers.get("sec-websocket-accept") !== accept) return refusal(code, "Sec-WebSocket-Accept does not match the key")
    return { done: true, ok: true, rest: end + 4 }
  }
  const size = Number(headers.get("content-length") ?? 0)
  if (size <= maxHead && bytes.length < end + 4 + size) return pending
  return refusal(code, bodyText(bytes.toString("utf8", end + 4)))
}
