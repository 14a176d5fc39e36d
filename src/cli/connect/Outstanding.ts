import { replyTypes } from "../../client/Requests.ts"

interface Message {
  readonly type?: unknown
  readonly id?: unknown
}

const replies: ReadonlySet<unknown> = new Set([...Object.values(replyTypes), "error"])

const utf8 = new TextEncoder()

/** Whether the server can repeat this `id`: the protocol's form of one. */
const isId = (id: unknown): id is number | string => Number.isSafeInteger(id) || (typeof id === "string" && utf8.encode(id).length <= 64)

/**
 * Counts the replies that messages still wait for. Replies without an `id` are counted by their type only, so that the
 * count may be off by what the server says unasked: good for waiting with a limit, and for nothing else.
 */
export class Outstanding {
  readonly #ids = new Map<number | string, number>()
  #nameless = 0
  readonly #waiters = new Set<() => void>()

  get count(): number {
    return [...this.#ids.values()].reduce((sum, count) => sum + count, this.#nameless)
  }

  /** A message goes out. */
  sent({ type, id }: Message): void {
    if (isId(id)) this.#ids.set(id, (this.#ids.get(id) ?? 0) + 1)
    else if (type !== "heartbeat") this.#nameless++
  }

  /** A message came in. */
  received({ type, id }: Message): void {
    const waiting = isId(id) ? this.#ids.get(id) : undefined
    if (isId(id) && waiting !== undefined) {
      if (waiting === 1) this.#ids.delete(id)
      else this.#ids.set(id, waiting - 1)
    } else if (id === undefined && replies.has(type) && this.#nameless > 0) this.#nameless--
    this.#wake()
  }

  /** The link is gone, and with it the replies. Gives how many. */
  lost(): number {
    const count = this.count
    this.#ids.clear()
    this.#nameless = 0
    this.#wake()
    return count
  }

  /** Resolves when at most `limit` replies are outstanding, or after `time` milliseconds. */
  atMost(limit: number, time: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.count <= limit) return resolve()
      const end = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(check)
        resolve()
      }
      const check = (): void => {
        if (this.count <= limit) end()
      }
      const timer = setTimeout(end, time)
      this.#waiters.add(check)
    })
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check()
  }
}
