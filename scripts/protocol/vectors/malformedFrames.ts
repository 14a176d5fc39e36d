/** Frames that hold an array: batches, good and bad. Only a server answers these; a codec just reads the array. */
import { packed } from "./bytes.ts"
import type { MalformedFrame, Reply } from "./malformed.ts"

const pong = (id: number): Reply => ({ type: "pong", id })
const invalid: Reply = { type: "error", code: "invalid_message" }
const ping = (id: number) => ({ type: "ping", id })
const pings = (count: number) => Array.from({ length: count }, (_, i) => ping(i + 1))

interface Batch {
  readonly name: string
  readonly items: ReadonlyArray<unknown>
  readonly replies: ReadonlyArray<Reply>
  readonly note?: string
}

const batches: ReadonlyArray<Batch> = [
  { name: "a batch of one", items: [ping(1)], replies: [pong(1)] },
  { name: "a batch of 64", items: pings(64), replies: pings(64).map(({ id }) => pong(id)) },
  { name: "a batch of 65", items: pings(65), replies: [invalid], note: "refused as a whole: none of its messages is carried out" },
  { name: "a batch of 1,000", items: pings(1000), replies: [invalid] },
  { name: "an empty batch", items: [], replies: [invalid] },
  { name: "a batch in a batch", items: [[ping(1)]], replies: [invalid] },
  { name: "an empty batch in a batch", items: [[]], replies: [invalid] },
  { name: "a batch between two messages", items: [ping(1), [ping(2)], ping(3)], replies: [pong(1), invalid, pong(3)] },
  { name: "scalars in a batch", items: [1, "ping", null, true], replies: [invalid, invalid, invalid, invalid] },
  {
    name: "bad messages among good ones",
    items: [ping(1), { type: "nope", id: 2 }, { id: 3 }, { type: "echo", id: 4 }, ping(5)],
    replies: [
      pong(1),
      { type: "error", id: 2, code: "unknown_type" },
      { type: "error", id: 3, code: "invalid_message" },
      { type: "error", id: 4, code: "invalid_message" },
      pong(5)
    ],
    note: "each costs an error of its own; the others are carried out"
  },
  {
    name: "two messages with the same id",
    items: [ping(1), ping(1)],
    replies: [pong(1), pong(1)],
    note: "the server keeps no table of ids: that they differ is the client's concern"
  }
]

export const malformedFrames: ReadonlyArray<MalformedFrame> = batches.flatMap(
  ({ name, items, ...expected }): ReadonlyArray<MalformedFrame> => [
    { name, encoding: "json", text: JSON.stringify(items), ...expected },
    { name, encoding: "msgpack", hex: packed(items), ...expected }
  ]
)
