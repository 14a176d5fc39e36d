import type { Clock } from "effect"
import type { Refusal } from "../transport/Handshake.ts"
import type { Seat } from "../transport/Transport.ts"
import type { Limits } from "./Limits.ts"

export interface SeatsOptions {
  readonly limits: Limits
  readonly clock: Clock.Clock
  /** Connections that are open. */
  readonly connections: () => number
  readonly draining: () => boolean
}

/**
 * The places for connections, of the hub and of the gateway. One is taken before it is known who asks, so that a thousand
 * requests at once can not all pass a limit of ten.
 */
export class Seats {
  private readonly options: SeatsOptions
  /** Connections that are being made. */
  private handshakes = 0

  constructor(options: SeatsOptions) {
    this.options = options
  }

  /** A place for a connection that is being made: `settle` must follow, and `leave` at the end of it all. */
  enter(address: string): Seat | Refusal {
    const { clock, limits } = this.options
    const seat: Seat = { address: limits.acquireAddress(address, clock.currentTimeMillisUnsafe()), user: undefined }
    this.handshakes++
    const refusal = limits.admit(this.load(seat))
    if (refusal === undefined) return seat
    this.handshakes--
    this.leave(seat)
    return refusal
  }

  /** It is known whose connection it will be. A refusal gives the place back. */
  identify(seat: Seat, user: string | undefined): Seat | Refusal {
    const { clock, limits } = this.options
    const taken: Seat = user === undefined ? seat : { ...seat, user: limits.acquireUser(user, clock.currentTimeMillisUnsafe()) }
    const refusal = limits.admit(this.load(taken))
    if (refusal === undefined) return taken
    this.leave(taken)
    return refusal
  }

  /** The connection is no longer being made: it is there, or will not be. */
  settle(): void {
    this.handshakes--
  }

  leave(seat: Seat): void {
    const { clock, limits } = this.options
    const now = clock.currentTimeMillisUnsafe()
    limits.releaseAddress(seat.address, now)
    if (seat.user !== undefined) limits.releaseUser(seat.user, now)
  }

  private load(seat: Seat) {
    const { connections, draining } = this.options
    return {
      draining: draining(),
      handshakes: this.handshakes,
      connections: connections() + this.handshakes,
      perAddress: seat.address.connections,
      ...(seat.user === undefined ? {} : { perUser: seat.user.connections })
    }
  }
}

export const isRefusal = (outcome: Seat | Refusal): outcome is Refusal => "status" in outcome
