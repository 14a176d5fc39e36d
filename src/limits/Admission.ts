/** Whether one more connection may come in. Pure. */
import type { Refusal } from "../transport/Handshake.ts"
import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/** How many there are, the newcomer counted. `perUser` only once the user is known, which is after authentication. */
export interface Load {
  readonly draining: boolean
  /** Upgrades that wait for authentication. */
  readonly handshakes: number
  readonly connections: number
  readonly perAddress: number
  readonly perUser?: number
}

/** 0: no limit. */
export interface AdmissionLimits {
  readonly handshakes: number
  readonly connections: number
  readonly connections_per_address: number
  readonly connections_per_user: number
}

/** Seconds to wait before another attempt: a burst passes and a draining server is replaced soon, the rest takes longer. */
const AFTER_A_MOMENT = 1
const AFTER_A_WHILE = 5
const AFTER_LONGER = 10

const refusal = (code: ErrorCode, message: string, retryAfter: number): Refusal => ({
  status: errorCodes[code].status,
  code,
  message,
  headers: { "retry-after": String(retryAfter) }
})

const draining = refusal("unavailable", "this server is going away", AFTER_A_MOMENT)
const full = refusal("unavailable", "this server has all the connections that it may have", AFTER_A_WHILE)
const busy = refusal("unavailable", "too many connections are being made at once", AFTER_A_MOMENT)
const tooManyHere = refusal("limit_reached", "too many connections from this address", AFTER_LONGER)
const tooManyOfUser = refusal("limit_reached", "too many connections of this user", AFTER_LONGER)

const over = (count: number, limit: number): boolean => limit > 0 && count > limit

/**
 * Undefined: come in. Else 503 where the server is draining or full, 429 where the address or user has too many, both with
 * `Retry-After`. An address over its limit hears so even when the server is full: waiting would not help it.
 */
export const admit = (load: Load, limits: AdmissionLimits): Refusal | undefined => {
  if (load.draining) return draining
  if (over(load.perAddress, limits.connections_per_address)) return tooManyHere
  if (over(load.perUser ?? 0, limits.connections_per_user)) return tooManyOfUser
  if (over(load.connections, limits.connections)) return full
  return over(load.handshakes, limits.handshakes) ? busy : undefined
}
