/** The two messages of a WebSocket's opening handshake as the client sees them (RFC 6455, section 4.1). Pure. */
import { createHash } from "node:crypto"

/** Header lines in order, names in lower case, one character per byte. */
export type AnswerLines = ReadonlyArray<readonly [name: string, value: string]>

/** What RFC 9110 allows in a field's name and value, and what RFC 9112 does not allow in a request's target. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const notInValue = /[^\t\x20-\x7e\x80-\xff]/
const notInTarget = /[^\x21-\x7e\x80-\xff]/

/** Written by the dialler, whoever else says them. */
const own: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-version",
  "transfer-encoding",
  "upgrade"
])

export interface UpgradeHead {
  readonly path: string
  /** The address itself, for a request whose headers name no host. */
  readonly host: string
  /** Names in lower case, one character per byte. */
  readonly headers: ReadonlyMap<string, string>
  readonly key: string
}

/** The request, one character per byte. Undefined: something in it can not stand in a request. */
export const upgradeText = ({ headers, host, key, path }: UpgradeHead): string | undefined => {
  if (path === "" || notInTarget.test(path)) return undefined
  let text = `GET ${path} HTTP/1.1\r\n`
  if (!headers.has("host")) text += `host: ${host}\r\n`
  for (const [name, value] of headers) {
    if (!token.test(name) || notInValue.test(value)) return undefined
    if (!own.has(name)) text += `${name}: ${value}\r\n`
  }
  return `${text}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
}

/** RFC 6455, section 1.3. */
export const acceptOf = (key: string): string => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

/** All that is said under a name, as RFC 9110, section 5.3, puts it together. */
export const valueOf = (lines: AnswerLines, name: string): string | undefined => {
  let found: string | undefined
  for (const [each, value] of lines) if (each === name) found = found === undefined ? value : `${found}, ${value}`
  return found
}

const hasItem = (list: string | undefined, item: string): boolean =>
  list !== undefined && list.split(",").some((each) => each.trim().toLowerCase() === item)

const offers = (headers: ReadonlyMap<string, string>, protocol: string): boolean =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").some((offered) => offered.trim() === protocol)

/**
 * What is wrong with the headers of an answer that says 101. The backend may choose none of the subprotocols that were
 * offered, which is for the client to judge.
 */
export const answerProblem = (lines: AnswerLines, key: string, offered: ReadonlyMap<string, string>): string | undefined => {
  if (valueOf(lines, "upgrade")?.toLowerCase() !== "websocket") return "Invalid Upgrade header"
  if (!hasItem(valueOf(lines, "connection"), "upgrade")) return "Invalid Connection header"
  if (valueOf(lines, "sec-websocket-accept") !== acceptOf(key)) return "Invalid Sec-WebSocket-Accept header"
  if (valueOf(lines, "sec-websocket-extensions") !== undefined)
    return "Server sent a Sec-WebSocket-Extensions header but no extension was requested"
  const protocol = valueOf(lines, "sec-websocket-protocol") ?? ""
  return protocol === "" || offers(offered, protocol) ? undefined : "the backend chose a subprotocol that was not offered"
}

/** Bytes of the longest head that is read here: Node's own limit. */
const maxHead = 16_384

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

/** A field's value without the white space around it (RFC 9110, section 5.5). */
const trimmed = (line: string, from: number): string => {
  let start = from
  let end = line.length
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

/**
 * Reads an answer that says 101 in proper form, which is what nearly all backends send in one piece. `size`: where what
 * follows it begins. Undefined: it is another answer, a part of one or none at all, and somebody else has to see to it.
 */
export const readAccepted = (bytes: Buffer): { readonly lines: AnswerLines; readonly size: number } | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0 || end > maxHead) return undefined
  const [status = "", ...fields] = bytes.toString("latin1", 0, end).split("\r\n")
  if (status !== "HTTP/1.1 101" && !status.startsWith("HTTP/1.1 101 ")) return undefined
  if (notInValue.test(status)) return undefined
  const lines: Array<readonly [string, string]> = []
  for (const field of fields) {
    const colon = field.indexOf(":")
    const name = field.slice(0, Math.max(0, colon))
    if (!token.test(name) || notInValue.test(field)) return undefined
    lines.push([name.toLowerCase(), trimmed(field, colon + 1)])
  }
  return { lines, size: end + 4 }
}
