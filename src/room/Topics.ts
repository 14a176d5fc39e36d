import type { Encoding } from "../wire/Codec.ts"

/** The topics of one room: one for each form in which its subscribers take frames. */
export interface Topics {
  readonly json: string
  readonly msgpack: string
  readonly jsonBatch: string
  readonly msgpackBatch: string
}

const topicsUnder = (prefix: string): Topics => ({
  json: `j${prefix}`,
  msgpack: `m${prefix}`,
  jsonBatch: `J${prefix}`,
  msgpackBatch: `M${prefix}`
})

export const roomTopics = (room: string): Topics => topicsUnder(`/${room}`)

/** Everyone who is connected. No room can have this topic: a room's follows a slash. */
export const everyoneTopics: Topics = topicsUnder("*")

/** A topic that has a subscriber, one connection, only while something is published to it. No other begins so. */
export const ownTopic = "@"

export const topicFor = (topics: Topics, encoding: Encoding, batch: boolean): string =>
  encoding === "json" ? (batch ? topics.jsonBatch : topics.json) : batch ? topics.msgpackBatch : topics.msgpack
