/** No backend sends this by itself: only its answer to a ping of ours acknowledges anything. */
const pingPrefix = "weft:"

/** Milliseconds. */
export interface WatchTimes {
  /** A backend that was quiet for so long is asked whether it is there. */
  readonly interval: number
  /** One that does not answer for so long is lost. */
  readonly timeout: number
}

/**
 * What is known of whether a backend lives and how far it has read: its last sign, and the ping that is on its way. One at a
 * time; its payload says how many of the client's messages went before. Pure: all times are `now` in milliseconds.
 */
export class BackendWatch {
  private lastSign: number
  /** 0: none is on its way. */
  private pingSent = 0
  private payload = ""

  constructor(now: number) {
    this.lastSign = now
  }

  /** A ping is on its way. */
  get asked(): boolean {
    return this.pingSent !== 0
  }

  /** The backend has said something. */
  heard(now: number): void {
    this.lastSign = now
  }

  /** Another backend: nothing is on its way. */
  renew(now: number): void {
    this.lastSign = now
    this.pingSent = 0
  }

  /** A ping goes out after `number` messages. Gives its payload. */
  ask(now: number, number: number): string {
    this.pingSent = now
    this.payload = `${pingPrefix}${number}`
    return this.payload
  }

  /** The number of the ping that this pong answers. Undefined: nobody asked for it, and it is a sign of life at most (RFC 6455, section 5.5.3). */
  answered(payload: Uint8Array): number | undefined {
    if (!this.asked || Buffer.from(payload).toString("latin1") !== this.payload) return undefined
    this.pingSent = 0
    return Number(this.payload.slice(pingPrefix.length))
  }

  /** When there is something to do: to ask, or to stop waiting for an answer. */
  due({ interval, timeout }: WatchTimes): number {
    return this.asked ? Math.max(this.pingSent, this.lastSign) + timeout : this.lastSign + interval
  }

  /** What there is to do now, if anything. A backend that is asked and says other things is alive. */
  next(now: number, times: WatchTimes): "ask" | "give up" | undefined {
    if (now < this.due(times)) return undefined
    return this.asked ? "give up" : "ask"
  }
}
