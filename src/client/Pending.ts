import type { ClientType, RequestId, ServerMessage } from "../wire/Messages.ts"
import { isReplyTo, type Reply } from "./Requests.ts"
import { WeftError } from "./WeftError.ts"

interface Entry {
  readonly settle: (message: ServerMessage) => void
  readonly reject: (error: WeftError) => void
  readonly timer: ReturnType<typeof setTimeout>
}

const idOf = (message: ServerMessage): RequestId | undefined => ("id" in message ? message.id : undefined)

/** Requests that wait for their reply. Bounded: the caller asks `full`, and `has`, before it adds. */
export class Pending {
  readonly #entries = new Map<RequestId, Entry>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  get full(): boolean {
    return this.#entries.size >= this.#limit
  }

  has(id: RequestId): boolean {
    return this.#entries.has(id)
  }

  /**
   * The reply to the request `id`. Rejects with the `WeftError` of an `error` reply, with `timeout` after `timeout`
   * milliseconds, and with what `cancel` or `rejectAll` are given.
   */
  add<T extends ClientType>(id: RequestId, type: T, timeout: number): Promise<Reply<T>> {
    return new Promise((resolve, reject) => {
      const settle = (message: ServerMessage) => {
        if (isReplyTo(type, message)) resolve(message)
        else if (message.type === "error") reject(new WeftError(message.code, message.message, message.retryable))
        else reject(new WeftError("internal", `${type} was answered with ${message.type}`, false))
      }
      const timer = setTimeout(() => this.cancel(id, new WeftError("timeout", `no reply to ${type} within ${timeout} ms`)), timeout)
      this.#entries.set(id, { settle, reject, timer })
    })
  }

  /** Gives `message` to the request that it answers. False if it answers none. */
  settle(message: ServerMessage): boolean {
    const id = idOf(message)
    const entry = id === undefined ? undefined : this.#remove(id)
    entry?.settle(message)
    return entry !== undefined
  }

  cancel(id: RequestId, error: WeftError): void {
    this.#remove(id)?.reject(error)
  }

  rejectAll(error: WeftError): void {
    for (const id of [...this.#entries.keys()]) this.cancel(id, error)
  }

  #remove(id: RequestId): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    this.#entries.delete(id)
    clearTimeout(entry.timer)
    return entry
  }
}
