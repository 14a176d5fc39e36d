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

const invalidWith = (id: number): Reply => ({ ...invalid, id })

/** Batches of values that only one of the encodings can hold, or that the two treat in different ways. */
const ofOneEncoding: ReadonlyArray<MalformedFrame> = [
  {
    name: "values that are refused among good ones",
    encoding: "json",
    text: `[{"type":"ping","id":1},{"type":"echo","id":2,"data":"\\ud83d"},{"type":"echo","id":3,"data":{"__proto__":1}},{"type":"echo","id":4,"data":1e999},{"type":"ping","id":"\\ud83d"},"\\ud83d",{"type":"echo","id":5,"data":"\\u00e9"},{"type":"nope","id":6}]`,
    replies: [
      pong(1),
      invalidWith(2),
      invalidWith(3),
      invalidWith(4),
      invalid,
      invalid,
      { type: "echo", id: 5 },
      { type: "error", id: 6, code: "unknown_type" }
    ],
    note: "the frame could be parsed: each message is taken or refused by itself"
  },
  {
    name: "64 levels and 65, the batch being one",
    encoding: "json",
    text: `[{"type":"echo","id":1,"data":${"[".repeat(62)}${"]".repeat(62)}},{"type":"echo","id":2,"data":${"[".repeat(63)}${"]".repeat(63)}}]`,
    replies: [{ type: "echo", id: 1 }, invalidWith(2)]
  },
  {
    name: "a batch of 65 with a value that is refused",
    encoding: "json",
    text: `[${'{"type":"ping"},'.repeat(64)}"\\ud83d"]`,
    replies: [invalid]
  },
  {
    name: "a value that is refused among good ones",
    encoding: "msgpack",
    hex: packed([ping(1), { type: "echo", id: 2, data: 1.5 }, ping(3)]).replace("cb3ff8000000000000", "cb7ff8000000000000"),
    replies: [invalid],
    note: "the server reads MessagePack in one pass: the frame is refused as a whole, and no id is known"
  }
]

export const malformedFrames: ReadonlyArray<MalformedFrame> = [
  ...batches.flatMap(({ name, items, ...expected }): ReadonlyArray<MalformedFrame> => [
    { name, encoding: "json", text: JSON.stringify(items), ...expected },
    { name, encoding: "msgpack", hex: packed(items), ...expected }
  ]),
  ...ofOneEncoding
]
