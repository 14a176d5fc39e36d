import type { HttpResponse } from "uWebSockets.js"

/**
 * Bytes of the cork buffer of uWebSockets.js, which is one for the whole loop. A write that goes past its end first sends
 * what stands in it; in 20.0.8 that write is dropped without a word if the socket does not take all of it, except for
 * `tryEnd`, which tells. So nothing else may ever go past the end.
 */
const corkSize = 16 * 1024

/** Bytes around the data of a chunk, with those that end the body. */
export const framing = 32

/** Bytes of the status, of the lines that every answer has, and of what uWebSockets.js adds. */
const ownLines = 320

/** Bytes that status and headers take at most. Values have one character per byte. */
export const headSize = (headers: Iterable<readonly [name: string, value: string]>): number => {
  let size = ownLines
  for (const [name, value] of headers) size += name.length + value.length + 4
  return size
}

/** Bytes of a body, or of one chunk of it, that fit in beside `head` bytes. May be negative. */
export const roomBeside = (head: number): number => corkSize - framing - head

/** No callback of uWebSockets.js is on the stack: nothing stands in the buffer. */
let free = false

/** Bytes written in this turn, which may all stand there still. */
let taken = 0

const nextTurn = (): void => void (taken = 0)

/**
 * Whether `size` bytes may be written now. Within a callback of uWebSockets.js a cork is on that ends with the callback and
 * may hold the answers to earlier requests of the same connection; promises that the callback has settled go on within it
 * too. So of each turn only as many bytes are allowed as the buffer has; the rest has to wait for `later`.
 */
export const mayWrite = (size: number): boolean => {
  if (free) return true
  if (taken + size > corkSize) return false
  if (taken === 0) setImmediate(nextTurn)
  taken += size
  return true
}

/** Runs `work` where it may write any number of bytes. */
export const later = (work: () => void): void =>
  void setImmediate(() => {
    free = true
    try {
      work()
    } finally {
      free = false
    }
  })

/** Runs `work`, which may write and writes `size` bytes at most: in one piece if they fit, else by as many system calls as writes. */
export const corked = (res: HttpResponse, size: number, work: () => void): void => {
  if (size > corkSize) work()
  else res.cork(work)
}
