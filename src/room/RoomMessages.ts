/** What a room is told, and what it tells the connections. */
import type { Denial } from "./Permissions.ts"
import type { ClientSocket } from "../transport/Transport.ts"
import type { Encoding } from "../wire/Codec.ts"
import type { Member, Position, RequestId, Sender, ServerMessage } from "../wire/Messages.ts"
import type { Room } from "./Room.ts"

/** A connection as rooms see it. */
export interface RoomMember {
  readonly sender: Sender
  readonly info: unknown
  readonly socket: ClientSocket
  readonly encoding: Encoding
  readonly batch: boolean
  offerReply(message: RoomReply): boolean
}

/** `id` of the request that this answers. */
interface Requested {
  readonly id: RequestId | undefined
}

export interface Join extends Requested {
  readonly type: "join"
  readonly member: RoomMember
  readonly recover: Position | undefined
}

/** `quiet`: the connection is gone and wants no answer. */
export interface Leave extends Requested {
  readonly type: "leave"
  readonly member: RoomMember
  readonly quiet: boolean
}

export interface Publish extends Requested {
  readonly type: "publish"
  readonly data: unknown
  readonly from: Sender | undefined
  /** The member, if any, that does not get the message itself. */
  readonly except: RoomMember | undefined
  readonly replyTo: RoomMember | undefined
}

export interface ReadPresence extends Requested {
  readonly type: "presence"
  readonly respond: (answer: ReadonlyArray<Member> | Denial) => void
}

/** The member wants to be told when something is published next. */
export interface AwaitPublish {
  readonly type: "await_publish"
  readonly member: RoomMember
}

export type RoomMessage = Join | Leave | Publish | ReadPresence | AwaitPublish

/** The answer to a request that went to a room. */
export interface Reply {
  readonly type: "@reply"
  readonly reply: ServerMessage
}

/** The answer to a publish by a member that is sent its own message with it, as a frame in its encoding. */
export interface PublishReply {
  readonly type: "@publish_reply"
  readonly room: string
  readonly own: string | Uint8Array
  readonly reply: ServerMessage
}

/** The answer to a join. `room` is absent where the join was refused; `reply` is what the client is told. */
export interface JoinReply {
  readonly type: "@join_reply"
  readonly name: string
  readonly room: Room | undefined
  readonly reply: ServerMessage
}

/** The room can not go on; the connection is not in it any more. */
export interface Evicted {
  readonly type: "@evicted"
  readonly name: string
}

/** Something was published in this turn: what the member sends along with it leaves in the same write. */
export interface Published {
  readonly type: "@published"
}

export const publishedEvent: Published = { type: "@published" }

export type RoomReply = Reply | PublishReply | JoinReply | Evicted | Published
