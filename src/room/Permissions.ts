/** Who may do what in which room. Pure: the room's block, the asker's identity and membership in, a refusal or nothing out. */
import type { ErrorCode } from "../wire/Codes.ts"
import type { Identity } from "../auth/Auth.ts"
import type { RoomBlock } from "../config/Settings.ts"
import { compilePatterns } from "./Patterns.ts"

export interface Denial {
  readonly code: ErrorCode
  readonly message: string
}

type Grant = "join" | "publish" | "presence" | "history"

/** What a token's `rooms` claim grants, compiled. A list that is absent says nothing; one that is there also limits. */
export type Grants = { readonly [K in Grant]?: (room: string) => boolean }

export const noGrants: Grants = {}

export const compileGrants = (rooms: Identity["rooms"]): Grants => {
  if (rooms === undefined) return noGrants
  const compiled: { [K in Grant]?: (room: string) => boolean } = {}
  for (const grant of ["join", "publish", "presence", "history"] as const) {
    const patterns = rooms[grant]
    if (patterns !== undefined) compiled[grant] = compilePatterns(patterns)
  }
  return compiled
}

/** The one who asks. */
export interface Asker {
  readonly user: string | undefined
  readonly grants: Grants
}

const forbidden = (message: string): Denial => ({ code: "forbidden", message })

const notInRoom: Denial = { code: "not_in_room", message: "join the room first" }
const beyondToken = forbidden("the token does not name this room")
const serverOnly = forbidden("only the server may do this in this room")
const usersOnly = forbidden("only users may do this in this room; this connection has no user")

const withinToken = (asker: Asker, grant: Grant, room: string): boolean => asker.grants[grant]?.(room) !== false

const byRule = (rule: "anyone" | "users" | "token" | "none", asker: Asker, grant: Grant, room: string): Denial | undefined => {
  if (rule === "none") return serverOnly
  if (rule === "users" && asker.user === undefined) return usersOnly
  if (rule === "token" && asker.grants[grant]?.(room) !== true) return beyondToken
  return withinToken(asker, grant, room) ? undefined : beyondToken
}

export const mayJoin = (block: RoomBlock, asker: Asker, room: string): Denial | undefined => byRule(block.join, asker, "join", room)

export const mayPublish = (block: RoomBlock, asker: Asker, room: string, isMember: boolean): Denial | undefined => {
  if (block.publish === "members") return isMember ? byRule("anyone", asker, "publish", room) : notInRoom
  return byRule(block.publish, asker, "publish", room)
}

const mayRead = (rule: "members" | "anyone" | "none", asker: Asker, grant: Grant, room: string, isMember: boolean): Denial | undefined => {
  if (rule === "members" && !isMember) return notInRoom
  return byRule(rule === "none" ? "none" : "anyone", asker, grant, room)
}

export const mayReadPresence = (block: RoomBlock, asker: Asker, room: string, isMember: boolean): Denial | undefined =>
  block.presence === "none" ? forbidden("this room shows no presence") : mayRead(block.presence, asker, "presence", room, isMember)

export const mayReadHistory = (asker: Asker, room: string, isMember: boolean): Denial | undefined =>
  mayRead("members", asker, "history", room, isMember)
