import { makeBucket, makeRate, take } from "../../src/limits/TokenBucket.ts"
import { Counters } from "../../src/observe/Counters.ts"
import type { Part } from "./measure.ts"

const rate = makeRate(1_000_000_000, 1)
const none = makeRate(0, 1)
const bucket = makeBucket(0, rate)
const counters = new Counters()
let now = 0

export const limits: ReadonlyArray<Part> = [
  { name: "token bucket: take", run: () => take(bucket, (now += 0.01), rate) },
  { name: "token bucket: take, without a limit", run: () => take(bucket, now, none) },
  { name: "counters: a message came in", run: () => counters.received("json") },
  { name: "counters: a message was published", run: () => counters.published(100, 0.0001) }
]
