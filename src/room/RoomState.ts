/** What a room knows and decides. Pure but for the map of members, which is the room's own. */
import type { RoomBlock } from "../config/Settings.ts"
import type { Member } from "../wire/Messages.ts"
import type { Denial } from "./Permissions.ts"
import type { RoomMember } from "./RoomMessages.ts"

export interface RoomState {
  readonly name: string
  readonly block: RoomBlock
  /** Who is in, with the time of the join. */
  readonly members: Map<RoomMember, number>
}

export type JoinDecision =
  { readonly decision: "join" } | { readonly decision: "already" } | { readonly decision: "refuse"; readonly denial: Denial }

const join: JoinDecision = { decision: "join" }
const already: JoinDecision = { decision: "already" }
const full: JoinDecision = { decision: "refuse", denial: { code: "limit_reached", message: "the room is full" } }

/** A member limit of 0 is none. Joining twice is no mistake and changes nothing. */
export const decideJoin = (state: RoomState, member: RoomMember): JoinDecision => {
  if (state.members.has(member)) return already
  return state.block.members > 0 && state.members.size >= state.block.members ? full : join
}

export const memberView = (member: RoomMember, since: number): Member => ({
  connection: member.sender.connection,
  ...(member.sender.user === undefined ? {} : { user: member.sender.user }),
  ...(member.info === undefined ? {} : { info: member.info }),
  since
})

export const presenceView = (state: RoomState): ReadonlyArray<Member> =>
  Array.from(state.members, ([member, since]) => memberView(member, since))
