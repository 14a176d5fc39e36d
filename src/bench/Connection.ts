/** A load client that knows its place: it becomes usable by its dialect's exchanges and knows whether its end is meant. */
import { type Dialect, DialectError, type Exchange, type Seat } from "./Dialect.ts"
import type { Upgrade } from "./Handshake.ts"
import { type Address, type Ending, LoadClient } from "./LoadClient.ts"

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's name can not be resolved now",
  ECONNRESET: "connection reset",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  EMFILE: "this process may open no more files (ulimit -n)",
  EADDRNOTAVAIL: "no local port is left"
}

/** For people. */
export const describeEnding = (ending: Ending): string => {
  switch (ending.kind) {
    case "closed":
      return ending.code === 1006 ? "closed without a goodbye (1006)" : `closed with ${ending.code}`
    case "refused":
      return ending.status === 0 ? ending.message : `refused with ${ending.status}${ending.message === "" ? "" : ` (${ending.message})`}`
    case "unreachable":
      return `can not connect: ${reasons[ending.message] ?? ending.message}`
    case "broken":
      return `no WebSocket frames: ${ending.message}`
  }
}

/** What a connection is to be, settled before it is opened. */
export interface Plan {
  readonly seat: Seat
  readonly dialect: Dialect
  readonly upgrade: Upgrade
}

export class Connection {
  readonly client: LoadClient
  readonly dialect: Dialect
  readonly seat: Seat
  /** Resolves when the session can be used, with why not if it can not. */
  readonly usable: Promise<string | undefined>
  /** Whether its end was asked for here. */
  leaving = false
  #settle: (refused: string | undefined) => void = () => {}

  /** `patience` in milliseconds bounds the way to a usable session. `onEnd` comes when the connection is gone, usable or not. */
  constructor(address: Address, { dialect, seat, upgrade }: Plan, patience: number, onEnd: (ending: Ending) => void) {
    this.dialect = dialect
    this.seat = seat
    this.usable = new Promise((resolve) => (this.#settle = resolve))
    const timer = setTimeout(() => this.#refuse("no usable session in time"), patience)
    void this.usable.then(() => clearTimeout(timer))
    const exchanges = [dialect.open?.(seat), seat.room === "" ? undefined : dialect.join?.(seat)].filter(
      (exchange) => exchange !== undefined
    )
    this.client = new LoadClient(
      address,
      upgrade,
      () => this.#advance(exchanges),
      (ending) => {
        this.#settle(describeEnding(ending))
        onEnd(ending)
      }
    )
  }

  /** Ends the connection with a goodbye. */
  leave(): void {
    this.leaving = true
    this.client.close()
  }

  /** Ends the connection without one. */
  drop(): void {
    this.leaving = true
    this.client.destroy()
  }

  #refuse(reason: string): void {
    this.#settle(reason)
    this.drop()
  }

  #advance(exchanges: Array<Exchange>): void {
    const exchange = exchanges.shift()
    if (exchange === undefined) {
      this.client.handler = undefined
      this.#settle(undefined)
      return
    }
    this.client.handler = {
      onMessage: (buffer, start, end) => {
        try {
          if (exchange.receive(buffer, start, end)) this.#advance(exchanges)
        } catch (error) {
          this.#refuse(error instanceof DialectError ? error.message : `an answer that can not be read: ${String(error)}`)
        }
      },
      onFlush: () => {}
    }
    if (exchange.send !== undefined) this.client.send(exchange.send)
  }
}
