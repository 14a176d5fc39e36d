/**
 * A fuzz run by hand. `node scripts/fuzz.ts --count 1000000` sends so many generated frames of each encoding through codec and
 * schema. With `--url ws://127.0.0.1:8080/ws` they go to a live server instead, while other clients look whether they are
 * served all the time. `--seed N` repeats a run, `--encoding json` leaves out the other one.
 *
 * Prints counts. Exits 1 at the first thing that must not happen, with what reproduces it.
 */
import { parseArgs } from "node:util"
import { type Codec, jsonCodec, msgpackCodec } from "../src/wire/index.ts"
import { fuzzCodec } from "./fuzz/codec.ts"
import { fuzzServer } from "./fuzz/server.ts"

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string" },
    url: { type: "string" },
    encoding: { type: "string" }
  }
})

const count = Number(values.count)
const seed = values.seed === undefined ? (crypto.getRandomValues(new Int32Array(1))[0] ?? 0) : Number(values.seed)
const codecs: ReadonlyArray<Codec> = [jsonCodec(), msgpackCodec()].filter(
  ({ encoding }) => values.encoding === undefined || values.encoding === encoding
)

if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed) || codecs.length === 0) {
  console.error("usage: node scripts/fuzz.ts [--count N] [--seed N] [--encoding json|msgpack] [--url ws://HOST:PORT/ws]")
  process.exitCode = 2
} else {
  console.log(`seed ${seed}`)
  const { url } = values
  for (const codec of codecs) {
    const ok = url === undefined ? fuzzCodec(codec, count, seed) : await fuzzServer(codec, count, seed, url)
    if (!ok) {
      process.exitCode = 1
      break
    }
  }
}
