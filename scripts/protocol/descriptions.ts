/**
 * The words for each message and field, for the generated documents. The generator refuses to run when a message or a
 * field has no words, or words have no field.
 */
import type { ClientType, ServerType } from "../../src/wire/index.ts"

export interface Described {
  readonly about: string
  readonly fields: Readonly<Record<string, string>>
  /** For a client's message: the `type` of the server's answer, if it is always answered. */
  readonly reply?: ServerType
}

const id = "Chosen by the client; the reply carries the same."
const replyId = "The id of the request that this answers."
const room = "The room's name: 1 to 128 bytes of UTF-8 (a limit of the server), no control characters."
const data = "Any value of the JSON model. In MessagePack also bin, which JSON clients get as base64 text."
const time = "When the server took it, in milliseconds since 1970."
const from = "Who sent it. Absent: the server API."
const epoch = "Names the numbering of the room. It changes when the numbering starts over."
const seq = "The message's number in its room: it grows, not always by one."
const prev = "The number of the message before it in this room. Another one than the last seen means that some were missed."
const user = "The user of the connection. Absent: anonymous."

export const clientDescriptions: Readonly<Record<ClientType, Described>> = {
  ping: { about: "Asks for a sign of life.", fields: { id }, reply: "pong" },
  echo: { about: "Asks for its data back.", fields: { id, data }, reply: "echo" },
  join_room: {
    about: "Asks to get what is published in a room.",
    fields: { id, room, recover: "How far the client had come; asks for what it has missed since." },
    reply: "joined"
  },
  leave_room: { about: "Gives up a room.", fields: { id, room }, reply: "left" },
  broadcast: {
    about: "Publishes in a room, or to everyone.",
    fields: {
      id,
      data,
      room: "The room. Absent: everyone who is connected, which takes the server permission `broadcast`.",
      key: "Makes a retry of this publish once. Needs a room with history.",
      exclude_self: "The sender does not get the message itself."
    },
    reply: "ack"
  },
  send: {
    about: "Sends to all connections of a user, or to one connection.",
    fields: { id, to: "A map with either `user` or `connection`.", data },
    reply: "ack"
  },
  presence: { about: "Asks who is in a room.", fields: { id, room }, reply: "presence" },
  history: {
    about: "Asks for the messages that a room keeps.",
    fields: { id, room, since: "Only what came after this.", limit: "At most so many messages." },
    reply: "history"
  },
  status: { about: "Asks what the server knows about this connection.", fields: { id }, reply: "status" },
  call: { about: "Calls a method of the backend.", fields: { id, method: "The method's name.", data }, reply: "result" },
  auth: {
    about: "Replaces the token of this connection by a newer one of the same user.",
    fields: { id, token: "The token, as at connect." },
    reply: "ack"
  },
  heartbeat: { about: "A sign of life. Answered only if it carries an id.", fields: { id }, reply: "ack" }
}

export const serverDescriptions: Readonly<Record<ServerType, Described>> = {
  welcome: {
    about: "The first message of every connection.",
    fields: {
      connection: "The name of this connection; others see it in `from` and in presence.",
      session: "A secret with which this session can be taken up again. Not to be shown to others.",
      user,
      node: "The server node.",
      resumed: "Whether the session that was asked for goes on.",
      rooms: "The rooms that were restored with the session.",
      heartbeat: "In milliseconds: how often the server sends a heartbeat, and after how long without a frame it closes the connection.",
      limits: "The limits that hold for this connection."
    }
  },
  message: {
    about: "A message in a room, or to everyone.",
    fields: { room: `${room} Absent: to everyone.`, data, time, from, epoch, seq, prev }
  },
  direct: { about: "A message to this user or connection alone.", fields: { data, time, from, epoch, seq, prev } },
  gap: {
    about: "The server had to skip messages, because this client did not read fast enough.",
    fields: {
      room: "The room whose messages were skipped. Absent: messages of no room, or of too many rooms to tell.",
      dropped: "How many, since the last `gap` for the same."
    }
  },
  member_joined: { about: "A connection has joined the room.", fields: { room, member: "Who." } },
  member_left: { about: "A connection has left the room.", fields: { room, member: "Who." } },
  heartbeat: { about: "Asks the client for any frame.", fields: { time: "The server's clock, in milliseconds since 1970." } },
  error: {
    about: "A request failed, or a frame could not be read.",
    fields: {
      id: `${replyId} Absent: the request had none, or it could not be read.`,
      code: "What went wrong.",
      message: "The same for people. Its wording may change.",
      retryable: "Whether the same request may succeed later."
    }
  },
  bye: {
    about: "The last message before the server closes the connection.",
    fields: {
      code: "The close code that follows.",
      reason: "The reason, for people.",
      reconnect: "Whether the client should connect again.",
      after: "How many milliseconds it should wait before that."
    }
  },
  pong: { about: "Answers `ping`.", fields: { id: replyId, time: "The server's clock, in milliseconds since 1970." } },
  echo: { about: "Answers `echo`.", fields: { id: replyId, data } },
  joined: {
    about: "Answers `join_room`: from here on the room's messages come.",
    fields: {
      id: replyId,
      room,
      epoch: `${epoch} Empty in a room without history.`,
      seq: "The number of the room's last message. 0 in a room without history.",
      members: "How many connections are in the room, this one among them.",
      recovered: "Only after `recover`: whether everything since then is in `messages`.",
      messages: "Only after `recover`: what was missed, oldest first."
    }
  },
  left: { about: "Answers `leave_room`: no more messages of the room come after it.", fields: { id: replyId, room } },
  ack: {
    about: "Answers `broadcast`, `send`, `auth` and `heartbeat`.",
    fields: {
      id: replyId,
      room: "After `broadcast` to a room.",
      epoch: "After `broadcast` to a room with history.",
      seq: "After `broadcast` to a room with history: the number of the message.",
      delivered: "After `send`: how many connections it went to.",
      expires_at: "After `auth`: when the new token expires, in milliseconds since 1970."
    }
  },
  presence: { about: "Answers `presence`.", fields: { id: replyId, room, members: "Who is in the room, each connection for itself." } },
  history: {
    about: "Answers `history`.",
    fields: { id: replyId, room, epoch, seq: "The number of the room's last message.", messages: "Oldest first." }
  },
  status: {
    about: "Answers `status`.",
    fields: {
      id: replyId,
      connection: "The name of this connection.",
      session: "The session's secret.",
      user,
      node: "The server node.",
      rooms: "The rooms that this connection is in.",
      connected_at: "In milliseconds since 1970.",
      expires_at: "When the token expires, in milliseconds since 1970. Absent: never.",
      encoding: "The encoding of this connection.",
      time: "The server's clock, in milliseconds since 1970."
    }
  },
  result: { about: "Answers `call`.", fields: { id: replyId, data: "What the method returned." } }
}

/** What messages share. */
export const partDescriptions = {
  RequestId: "Chosen by the client: an integer between -(2^53 - 1) and 2^53 - 1, or a string of at most 64 bytes of UTF-8.",
  Position: "How far a reader of a room with history has come.",
  Sender: "Who sent a message: the connection, and its user if it has one.",
  Member: "A connection in a room. `info` is what its token says about it, `since` when it joined, in milliseconds since 1970.",
  Limits: "Sizes in bytes, `rate` in messages a second (0: none), the others counts."
} as const
