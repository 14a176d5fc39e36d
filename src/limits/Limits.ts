/** Connection counts and message rates, per connection, user and address. Plain and synchronous: every frame asks it. */
import type { Refusal } from "../transport/Handshake.ts"
import { addressKey } from "./AddressKey.ts"
import { admit, type AdmissionLimits, type Load } from "./Admission.ts"
import { type Entry, Registry } from "./Registry.ts"
import { canTake, makeBucket, makeRate, type Rate, type TokenBucket } from "./TokenBucket.ts"

/** The settings `[limits]` that are enforced here. Rates in messages a second, `burst` in seconds of rate; 0: no limit. */
export interface LimitOptions extends AdmissionLimits {
  readonly rate: number
  readonly rate_per_user: number
  readonly rate_per_address: number
  readonly burst: number
}

/** `ok`, or whose rate was passed. */
export type Verdict = "ok" | "connection" | "user" | "address"

/** What all connections of one address share. */
export type AddressEntry = Entry
/** What all connections of one user share. */
export type UserEntry = Entry

/**
 * The limits of one node. `now` is always milliseconds of one clock. An address or user that is acquired is released once,
 * also when the connection is refused after all. Limits of zero cost a few comparisons.
 */
export class Limits {
  private readonly options: LimitOptions
  private readonly connectionRate: Rate
  private readonly userRate: Rate
  private readonly addressRate: Rate
  private readonly addresses: Registry
  private readonly users: Registry

  constructor(options: LimitOptions) {
    this.options = options
    this.connectionRate = makeRate(options.rate, options.burst)
    this.userRate = makeRate(options.rate_per_user, options.burst)
    this.addressRate = makeRate(options.rate_per_address, options.burst)
    this.addresses = new Registry(this.addressRate)
    this.users = new Registry(this.userRate)
  }

  /** Counts a connection, or an attempt at one, for its address. IPv6 addresses count by their /64. */
  acquireAddress(address: string, now: number): AddressEntry {
    return this.addresses.acquire(addressKey(address), now)
  }

  releaseAddress(entry: AddressEntry, now: number): void {
    this.addresses.release(entry, now)
  }

  acquireUser(user: string, now: number): UserEntry {
    return this.users.acquire(user, now)
  }

  releaseUser(entry: UserEntry, now: number): void {
    this.users.release(entry, now)
  }

  /** A connection's own bucket, to be kept with it. */
  connectionBucket(now: number): TokenBucket {
    return makeBucket(now, this.connectionRate)
  }

  /** Whether the newcomer that `load` counts may come in; see `admit`. */
  admit(load: Load): Refusal | undefined {
    return admit(load, this.options)
  }

  /**
   * Whether one more message may be handled. Only a message that all three buckets admit takes tokens: a client that is
   * over its own rate does not use up what its user's or address's other connections may send.
   */
  takeMessage(connection: TokenBucket, address: AddressEntry, user: UserEntry | undefined, now: number): Verdict {
    if (!canTake(connection, now, this.connectionRate)) return "connection"
    if (user !== undefined && !canTake(user.bucket, now, this.userRate)) return "user"
    if (!canTake(address.bucket, now, this.addressRate)) return "address"
    // A bucket without a limit is never looked at, so that it may go below zero.
    connection.tokens--
    address.bucket.tokens--
    if (user !== undefined) user.bucket.tokens--
    return "ok"
  }

  /** How many addresses and users are kept; for metrics and to see that nothing leaks. */
  counts(): { readonly addresses: number; readonly users: number } {
    return { addresses: this.addresses.size, users: this.users.size }
  }

  /** To be called now and then, so that the last ones to leave are forgotten too. */
  sweep(now: number): void {
    this.addresses.sweep(now)
    this.users.sweep(now)
  }
}
