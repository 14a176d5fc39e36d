/**
 * Work that needs nothing but its core: for each line of standard input it writes how many nanoseconds a piece of it takes now, and
 * what came out. The machine's other tenants share the parts of a core, and a guest sees nothing of it but that all takes longer.
 */
import { createInterface } from "node:readline"

/** Four chains of sums that do not wait for each other, so that whoever has a part of the core is felt. About a third of a millisecond. */
const piece = (): number => {
  let [a, b, c, d] = [1, 2, 3, 4]
  for (let i = 0; i < 600_000; i++) {
    a = (a + i) | 0
    b = (b ^ i) | 0
    c = (c + (i << 1)) | 0
    d = (d - i) | 0
  }
  return a ^ b ^ c ^ d
}

const pieces = 25

/** The median: the process that is being measured may interrupt some. */
const measure = (): string => {
  let sum = 0
  const times = Array.from({ length: pieces }, () => {
    const since = process.hrtime.bigint()
    sum ^= piece()
    return Number(process.hrtime.bigint() - since)
  })
  return `${times.toSorted((one, other) => one - other)[Math.floor(pieces / 2)]} ${sum}`
}

for (let warming = 0; warming < 10; warming++) measure()
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${measure()}\n`)
