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
  private sending = false
  /** Reports of what was dropped while a direct send ran. Absent while there are none, which is nearly always. */
  private reports: Array<() => void> | undefined = undefined
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
    const status = statuses[ws.send(frame, binary, this.compress)] ?? "dropped"
    this.sending = false
    if (this.reports !== undefined) this.tell(status === "dropped" ? this.reports.slice(0, -1) : this.reports)
    return status
  }

  /**
   * Reports a frame that was dropped for this client, once it is known whose it was. A direct send first writes out what
   * topics have for the client, of which some may not fit; its own drop, the last one then, is the sender's to know.
   */
  reportDropped(frame: ArrayBuffer, report: (frame: ArrayBuffer) => void): void {
    if (!this.sending) return report(frame)
    // Its bytes are only valid now.
    const copy = frame.slice(0)
    this.reports ??= []
    this.reports.push(() => report(copy))
  }

  private tell(reports: ReadonlyArray<() => void>): void {
    this.reports = undefined
    for (const report of reports) report()
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
