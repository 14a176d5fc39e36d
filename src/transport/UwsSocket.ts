import type { WebSocket } from "uWebSockets.js"
import type { ClientSocket, SendStatus } from "./Transport.ts"

/** How uWebSockets.js calls the three outcomes of a send. */
const statuses: ReadonlyArray<SendStatus> = ["buffered", "sent", "dropped"]

/** What a native socket keeps for us. */
export interface UserData<A, C> {
  readonly socket: UwsSocket<A, C>
}

/** The port to one uWebSockets.js socket. Native calls on a closed socket throw, so none is made. */
export class UwsSocket<A, C> implements ClientSocket {
  /** Only until the socket is open. */
  accepted: A | undefined
  connection: C | undefined = undefined
  /** True while a direct send runs: the drop that it may report is the sender's to know, not the drop handler's. */
  sending = false
  private ws: WebSocket<UserData<A, C>> | undefined = undefined
  private readonly compress: boolean

  constructor(accepted: A, compress: boolean) {
    this.accepted = accepted
    this.compress = compress
  }

  opened(ws: WebSocket<UserData<A, C>>): void {
    this.ws = ws
  }

  closed(): void {
    this.ws = undefined
  }

  cork(body: () => void): boolean {
    if (this.ws === undefined) return false
    this.ws.cork(body)
    return true
  }

  send(frame: string | Uint8Array): SendStatus {
    return this.write(frame, typeof frame !== "string")
  }

  sendBytes(bytes: ArrayBuffer | Uint8Array, binary: boolean): SendStatus {
    return this.write(bytes, binary)
  }

  private write(frame: string | Uint8Array | ArrayBuffer, binary: boolean): SendStatus {
    const { ws } = this
    if (ws === undefined) return "dropped"
    this.sending = true
    const status = ws.send(frame, binary, this.compress)
    this.sending = false
    return statuses[status] ?? "dropped"
  }

  subscribe(topic: string): void {
    this.ws?.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.ws?.unsubscribe(topic)
  }

  publish(topic: string, frame: string | Uint8Array, binary: boolean): boolean {
    // What uWebSockets answers tells only whether there was a subscriber.
    this.ws?.publish(topic, frame, binary, this.compress)
    return this.ws !== undefined
  }

  buffered(): number {
    return this.ws?.getBufferedAmount() ?? 0
  }

  end(code: number, reason: string): void {
    this.ws?.end(code, reason)
  }

  terminate(): void {
    this.ws?.close()
  }
}
