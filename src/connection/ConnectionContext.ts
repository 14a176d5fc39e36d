import type { Clock, Effect, Fiber } from "effect"
import type { TimerWheel } from "../actor/TimerWheel.ts"
import type { Identity } from "../auth/Auth.ts"
import type { Settings } from "../config/Settings.ts"
import type { Limits } from "../limits/Limits.ts"
import type { Counters } from "../observe/Counters.ts"
import type { Rooms } from "../room/Rooms.ts"
import { maxBatch } from "../wire/Batch.ts"
import type { Codec } from "../wire/Codec.ts"
import type { ErrorCode } from "../wire/Codes.ts"
import type { LimitsView } from "../wire/Messages.ts"
import type { Connection } from "./Connection.ts"
import type { Connections } from "./Connections.ts"
import type { Handlers } from "./Handlers.ts"
import type { OutgoingContext } from "./Outgoing.ts"

/** What all connections stand on. */
export interface ConnectionContext {
  readonly settings: Settings
  readonly node: string
  readonly clock: Clock.Clock
  /** The time of the last look at the timers, in milliseconds: good enough to know who is alive, and free to read. */
  readonly time: { readonly now: number }
  readonly counters: Counters
  readonly limits: Limits
  readonly rooms: Rooms
  readonly connections: Connections
  readonly handlers: Handlers
  readonly timers: TimerWheel<Connection>
  readonly outgoing: OutgoingContext
  readonly json: Codec
  readonly msgpack: Codec
  readonly refresh: (token: string) => Effect.Effect<Identity, { readonly code: ErrorCode; readonly message: string }>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/** The limits as `welcome` tells them. */
export const limitsView = ({ limits }: Settings): LimitsView => ({
  message: limits.message,
  room_name: limits.room_name,
  rooms: limits.rooms,
  batch: maxBatch,
  depth: limits.depth,
  rate: limits.rate
})
