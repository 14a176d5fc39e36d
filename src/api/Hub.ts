/** The port from the HTTP side to the hub. */
import { Context, Data, type Effect } from "effect"
import type { Encoding } from "../wire/Codec.ts"
import type { ErrorCode } from "../wire/Codes.ts"
import type { Member } from "../wire/Messages.ts"

export interface RoomSummary {
  readonly room: string
  readonly members: number
}

export interface ConnectionSummary {
  readonly connection: string
  readonly user?: string
  readonly address: string
  readonly encoding: Encoding
  /** Milliseconds since 1970. */
  readonly connected_at: number
  readonly rooms: ReadonlyArray<string>
  readonly node: string
}

export class HubError extends Data.TaggedError("HubError")<{ readonly code: ErrorCode; readonly message: string }> {}

/** What may be asked of the hub. Reading is immediate and local; what goes through an actor is an effect. */
export class Hub extends Context.Service<
  Hub,
  {
    readonly node: string
    readonly draining: () => boolean
    readonly counts: () => { readonly connections: number; readonly rooms: number; readonly users: number; readonly sessions: number }
    readonly rooms: () => ReadonlyArray<RoomSummary>
    readonly room: (name: string) => RoomSummary | undefined
    readonly presence: (room: string) => Effect.Effect<ReadonlyArray<Member>, HubError>
    /** In the order of their arrival; `after` is the last one of the page before. */
    readonly connections: (filter: {
      readonly user?: string
      readonly limit: number
      readonly after?: string
    }) => ReadonlyArray<ConnectionSummary>
    readonly connection: (id: string) => ConnectionSummary | undefined
    readonly users: () => ReadonlyArray<{ readonly user: string; readonly connections: number }>
    readonly publish: (room: string, data: unknown) => Effect.Effect<{ readonly epoch?: string; readonly seq?: number }, HubError>
    readonly publishAll: (data: unknown) => Effect.Effect<void, HubError>
    readonly sendUser: (user: string, data: unknown) => Effect.Effect<{ readonly delivered: number }, HubError>
    readonly sendConnection: (id: string, data: unknown) => Effect.Effect<{ readonly delivered: number }, HubError>
    /** Closes with 4403. */
    readonly disconnectUser: (user: string, reason?: string) => Effect.Effect<{ readonly disconnected: number }, HubError>
    readonly disconnectConnection: (id: string, reason?: string) => Effect.Effect<void, HubError>
  }
>()("weft/api/Hub") {}
