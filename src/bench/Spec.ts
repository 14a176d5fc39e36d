/** What a run is to do. Plain data: it crosses threads and processes, and stands in the JSON report. */
import type { Encoding } from "../wire/Codec.ts"

export interface Target {
  readonly url: string
  /** Module URL of the dialect; absent: Weft's, and for the gateway's scenario none at all (`RawDialect.ts`). */
  readonly dialect?: string
  /** Connections take them in turn. */
  readonly encodings: ReadonlyArray<Encoding>
  readonly batch: boolean
  readonly token?: string
  readonly secret?: string
  /** Processes of the server, when they run on this machine and are to be measured. */
  readonly pids: ReadonlyArray<number>
}

/**
 * Connections one after another up to `connections`, held for `hold` seconds. With `members` each joins a room of that size.
 * Before the measurement `prime` connections come and go, so that what is done once, on both sides, is not counted.
 */
export interface ConnectSpec {
  readonly kind: "connect"
  readonly connections: number
  readonly prime: number
  readonly members: number
  readonly hold: number
}

/** Each connection keeps `inflight` requests under way; a reply is followed by the next request. */
export interface EchoSpec {
  readonly kind: "echo"
  readonly connections: number
  readonly inflight: number
  /** Bytes of text in a message. */
  readonly size: number
}

/**
 * Publishers to the subscribers of their room. With `rate` (publishes a second over all rooms) an open loop; without, each
 * room keeps `outstanding` publishes under way, and the next goes out when every member has got the oldest.
 */
export interface FanoutSpec {
  readonly kind: "fanout"
  readonly rooms: number
  /** Per room, beside the publishers. */
  readonly subscribers: number
  /** Per room. */
  readonly publishers: number
  readonly outstanding: number
  readonly rate?: number
  readonly size: number
}

/** As echo, but each request asks who is in the connection's room of `members`. */
export interface PresenceSpec {
  readonly kind: "presence"
  readonly connections: number
  readonly members: number
  readonly inflight: number
}

/**
 * Users in rooms of `members`. Each thinks for `think` seconds on average (exponential), then does one thing: 85 % publish
 * to their room, 10 % echo, 5 % ask presence. `churn` guests a second come to a room, stay a while and leave, half of them
 * without a goodbye; what guests get is not counted.
 */
export interface MixedSpec {
  readonly kind: "mixed"
  readonly users: number
  readonly members: number
  readonly think: number
  readonly size: number
  readonly churn: number
}

/**
 * Raw messages to a server that sends each of them back, such as a backend behind a proxy. `idle` further connections are
 * open and say nothing. With `rate` (messages a second over all connections) an open loop; without, each connection keeps
 * `inflight` messages under way.
 */
export interface GatewaySpec {
  readonly kind: "gateway"
  readonly connections: number
  readonly idle: number
  readonly inflight: number
  readonly rate?: number
  readonly size: number
}

export type Scenario = ConnectSpec | EchoSpec | FanoutSpec | PresenceSpec | MixedSpec | GatewaySpec

export interface Spec {
  readonly target: Target
  readonly scenario: Scenario
  /** Seconds under load before the measured window. */
  readonly warmup: number
  /** Seconds of the measured window. */
  readonly seconds: number
  /** Handshakes under way at once, per thread. */
  readonly ramp: number
  /** Seconds that a handshake, and what is outstanding at the end, may take. */
  readonly patience: number
}

/** How many connections the run holds at once, guests aside. */
export const connectionsOf = (scenario: Scenario): number => {
  switch (scenario.kind) {
    case "connect":
    case "echo":
    case "presence":
      return scenario.connections
    case "fanout":
      return scenario.rooms * (scenario.subscribers + scenario.publishers)
    case "mixed":
      return scenario.users
    case "gateway":
      return scenario.connections + scenario.idle
  }
}
