/** WebSockets by hand, for what a library would not send or would not show: both ends of a connection, and requests of any shape. */
import { connect, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { atEndOfTest } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface RawFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly masked: boolean
  readonly payload: Buffer
}

export interface FrameOptions {
  readonly fin?: boolean
  /** The four bytes of the mask; undefined: not masked. */
  readonly mask?: Uint8Array
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number
}

/** Any mask will do, as long as all of its bytes change what they mask. */
const mask = Uint8Array.of(0x5a, 0xc3, 0x0f, 0x99)

/** The bytes of one frame (RFC 6455, section 5.2). */
export const frameBytes = (opcode: number, payload: Uint8Array, { fin = true, mask: key, reserved = 0 }: FrameOptions = {}): Buffer => {
  const size = payload.length
  const lengthBytes = size < 126 ? 0 : size < 65_536 ? 2 : 8
  const start = 2 + lengthBytes + (key === undefined ? 0 : 4)
  const frame = Buffer.alloc(start + size)
  frame[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  frame[1] = (key === undefined ? 0 : 0x80) | (lengthBytes === 0 ? size : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) frame.writeUInt16BE(size, 2)
  else if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(size), 2)
  frame.set(payload, start)
  if (key !== undefined) {
    frame.set(key, start - 4)
    for (let i = 0; i < size; i++) frame[start + i] = payload[i]! ^ key[i & 3]!
  }
  return frame
}

/** The payload of a close frame; without a code it is empty. */
export const closePayload = (code?: number, reason: string | Uint8Array = ""): Buffer => {
  if (code === undefined) return Buffer.alloc(0)
  const text = Buffer.from(reason)
  const payload = Buffer.alloc(2 + text.length)
  payload.writeUInt16BE(code)
  payload.set(text, 2)
  return payload
}

/** The first frame of `bytes` and how long it is; undefined: it is not complete. */
const readFrame = (bytes: Buffer): { readonly frame: RawFrame; readonly size: number } | undefined => {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const masked = bytes[1]! >= 0x80
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const start = 2 + lengthBytes + (masked ? 4 : 0)
  if (bytes.length < start) return undefined
  const size = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + size) return undefined
  const payload = Buffer.from(bytes.subarray(start, start + size))
  if (masked) for (let i = 0; i < size; i++) payload[i] = payload[i]! ^ bytes[start - 4 + (i & 3)]!
  return { frame: { opcode: bytes[0]! & 0x0f, fin: bytes[0]! >= 0x80, masked, payload }, size: start + size }
}

/**
 * One end of a WebSocket whose handshake is over. It answers nothing by itself, but as a server it closes the connection once
 * both sides have said goodbye (RFC 6455, section 7.1.1).
 */
export class RawPeer {
  readonly socket: Duplex
  readonly frames: Array<RawFrame> = []
  /** The other side has closed its direction, or the connection is gone. */
  ended = false
  private readonly mask: Uint8Array | undefined
  private saidGoodbye = false
  private chunks: Array<Buffer> = []
  private have = 0
  private need = 2

  constructor(socket: Duplex, side: "client" | "server", rest: Buffer = Buffer.alloc(0)) {
    this.socket = socket
    this.mask = side === "client" ? mask : undefined
    socket.on("data", (chunk: Buffer) => this.read(chunk))
    socket.on("end", () => (this.ended = true)).on("close", () => (this.ended = true))
    socket.on("error", () => undefined)
    if (rest.length > 0) this.read(rest)
  }

  private read(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.have += chunk.length
    if (this.have < this.need) return
    let bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks)
    for (let next = readFrame(bytes); next !== undefined; next = readFrame(bytes)) {
      this.frames.push(next.frame)
      if (next.frame.opcode === Opcode.close && this.saidGoodbye && this.mask === undefined) this.socket.end()
      bytes = bytes.subarray(next.size)
    }
    this.chunks = [bytes]
    this.have = bytes.length
    // A long message is not looked at again with each of its pieces.
    const long = bytes.length >= 10 && (bytes[1]! & 0x7f) === 127
    this.need = long ? Number(bytes.readBigUInt64BE(2)) : 2
  }

  /** The bytes of a frame as this side has to send it. */
  bytes(opcode: number, payload: Uint8Array | string = "", options: Omit<FrameOptions, "mask"> = {}): Buffer {
    const given = Buffer.from(payload as Uint8Array)
    return frameBytes(opcode, given, this.mask === undefined ? options : { ...options, mask: this.mask })
  }

  /** Sends one frame. */
  send(opcode: number, payload: Uint8Array | string = "", options: Omit<FrameOptions, "mask"> = {}): void {
    this.socket.write(this.bytes(opcode, payload, options))
  }

  sendClose(code?: number, reason: string | Uint8Array = ""): void {
    this.send(Opcode.close, closePayload(code, reason))
    this.saidGoodbye = true
  }

  /** All frames, once there are so many. */
  take(count: number): Promise<ReadonlyArray<RawFrame>> {
    return eventually(() => (this.frames.length >= count ? this.frames : undefined), {
      message: () => `${this.frames.length} of ${count} frames came; ended: ${this.ended}; last: ${JSON.stringify(this.frames.at(-1))}`
    })
  }

  /** Messages so far: their kind and bytes. Fails on one that came in fragments. */
  messages(): ReadonlyArray<{ readonly binary: boolean; readonly payload: Buffer }> {
    return this.frames
      .filter(({ opcode }) => opcode < Opcode.close)
      .map(({ fin, opcode, payload }) => {
        if (!fin || opcode === Opcode.continuation) throw new Error("a message in fragments")
        return { binary: opcode === Opcode.binary, payload }
      })
  }

  /** The close frame, once it is here: its code (undefined: it has none) and its reason. */
  async close(): Promise<{ readonly code: number | undefined; readonly reason: string }> {
    const { payload } = await eventually(() => this.frames.find(({ opcode }) => opcode === Opcode.close), {
      message: () => `no close frame; ended: ${this.ended}; frames: ${this.frames.length}`
    })
    return { code: payload.length < 2 ? undefined : payload.readUInt16BE(), reason: payload.toString("utf8", 2) }
  }

  /** Once the other side sends nothing any more: whether it said goodbye. */
  async end(): Promise<{ readonly closeFrame: boolean }> {
    await eventually(() => this.ended, { message: "the connection stays open" })
    return { closeFrame: this.frames.some(({ opcode }) => opcode === Opcode.close) }
  }
}

export interface Answer {
  readonly status: number
  readonly reason: string
  /** Names in lower case, in order, as often as they stand there; one character per byte. */
  readonly lines: ReadonlyArray<readonly [name: string, value: string]>
  readonly headers: Readonly<Record<string, string>>
  /** All that followed the head so far. */
  readonly body: Buffer
}

const readHead = (bytes: Buffer): Answer | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [statusLine = "", ...rest] = bytes.toString("latin1", 0, end).split("\r\n")
  const [, status = "0", reason = ""] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? []
  const lines = rest.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(status), reason, lines, headers: Object.fromEntries(lines), body: bytes.subarray(end + 4) }
}

/** A TCP connection on which anything may be written; it keeps what comes back. */
export class RawConnection {
  readonly socket: Socket
  received = Buffer.alloc(0)
  ended = false
  private readonly keep = (chunk: Buffer): void => void (this.received = Buffer.concat([this.received, chunk]))

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1")
    this.socket.setNoDelay(true)
    this.socket.on("data", this.keep)
    this.socket.on("end", () => (this.ended = true)).on("close", () => (this.ended = true))
    this.socket.on("error", () => undefined)
    atEndOfTest(() => void this.socket.destroy())
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes)
    return this
  }

  /** The head of the answer and what of its body is here. */
  answer(): Promise<Answer> {
    return eventually(() => readHead(this.received), {
      message: () => `no answer; ended: ${this.ended}; ${JSON.stringify(this.received.toString("latin1").slice(0, 200))}`
    })
  }

  /** The answer with all of its body: the connection has been closed, or the length that it names is here. A 101 has none. */
  whole(): Promise<Answer> {
    return eventually(() => {
      const head = readHead(this.received)
      if (head === undefined || head.status === 101 || this.ended) return head
      return head.body.length >= Number(head.headers["content-length"] ?? Infinity) ? head : undefined
    })
  }

  /** Once nothing more comes: all that came. */
  async end(): Promise<Buffer> {
    await eventually(() => this.ended, { message: "the connection stays open" })
    return this.received
  }

  /** From here on it is the client's end of a WebSocket. */
  peer(): RawPeer {
    this.socket.off("data", this.keep)
    return new RawPeer(this.socket, "client", readHead(this.received)?.body)
  }
}

const key = "dGhlIHNhbXBsZSBub25jZQ=="
/** What RFC 6455, section 1.3, works out for that key. */
export const acceptOfKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

export interface UpgradeOptions {
  readonly method?: string
  readonly version?: string
  /** In place of those of a proper handshake; undefined leaves one out. One character per byte. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

/** The text of an upgrade request, proper but for what the options say. */
export const upgradeRequest = (path: string, { headers = {}, method = "GET", version = "HTTP/1.1" }: UpgradeOptions = {}): string => {
  const given = { ...headers }
  const proper: Record<string, string | ReadonlyArray<string> | undefined> = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key
  }
  const lines = Object.entries({ ...proper, ...given }).flatMap(([name, value]) =>
    (value === undefined ? [] : typeof value === "string" ? [value] : value).map((each) => `${name}: ${each}\r\n`)
  )
  return `${method} ${path} ${version}\r\n${lines.join("")}\r\n`
}

/** Sends an upgrade request, and waits for nothing. */
export const rawUpgrade = (server: { readonly port: number }, path: string, options: UpgradeOptions = {}): RawConnection =>
  new RawConnection(server.port).write(upgradeRequest(path, options))

/** A client by hand whose WebSocket is open. */
export const rawClient = async (server: { readonly port: number }, path: string, options: UpgradeOptions = {}): Promise<RawPeer> => {
  const connection = rawUpgrade(server, path, options)
  const { body, status } = await connection.answer()
  if (status !== 101) throw new Error(`it was not upgraded: ${status} ${body.toString()}`)
  return connection.peer()
}
