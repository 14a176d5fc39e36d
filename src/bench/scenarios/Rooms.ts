/** Seats in rooms, each room whole in one thread, and the counting of what is delivered in them. */
import { performance } from "node:perf_hooks"
import type { Connection } from "../Connection.ts"
import type { Counter, Kind, Seat } from "../Dialect.ts"
import { record } from "../Latency.ts"
import type { ClientHandler } from "../LoadClient.ts"
import type { Run } from "../Run.ts"
import { readStamp } from "../Stamp.ts"

export interface Room {
  readonly publishers: ReadonlyArray<Connection>
  /** Everyone who gets what is published: the subscribers, and the publishers if the server lets them hear themselves. */
  readonly members: ReadonlyArray<Connection>
}

/** Connects and joins this thread's share of `rooms`; the publishers come first in each. Undefined when that failed. */
export const openRooms = async (
  run: Run,
  rooms: number,
  publishers: number,
  subscribers: number
): Promise<ReadonlyArray<Room> | undefined> => {
  const size = publishers + subscribers
  const own = Array.from({ length: rooms }, (_, room) => room).filter((room) => room % run.threads === run.thread)
  const seats = own.flatMap((room) =>
    Array.from({ length: size }, (_, place) => {
      const role: Seat["role"] = place < publishers ? "publisher" : "subscriber"
      // The turn moves with the room, so that publishers too take the encodings in turn.
      return { seat: { index: room * size + place, role, room: `bench-${room}` }, turn: room + place }
    })
  )
  const connections = await run.openAll(seats)
  if (run.over) return undefined
  return own.map((_, at) => {
    const all = connections.slice(at * size, (at + 1) * size)
    return {
      publishers: all.slice(0, publishers),
      members: all.filter((connection) => connection.seat.role === "subscriber" || connection.dialect.hearsItself)
    }
  })
}

/** Counts the deliveries to one connection; `onDelivered` gets how many came with one read. */
export class Listener implements ClientHandler {
  readonly #run: Run
  readonly #connection: Connection
  readonly #count: Counter
  readonly #kinds: ReadonlyArray<Kind>
  readonly #onDelivered: (count: number) => void
  readonly #onFrame: ((buffer: Uint8Array, start: number, end: number) => void) | undefined
  #arrived = 0

  /** `kinds`: what else than messages counts, told to `onOther`. `onFrame` sees each frame with messages. */
  constructor(
    run: Run,
    connection: Connection,
    onDelivered: (count: number) => void,
    onFrame?: (buffer: Uint8Array, start: number, end: number) => void,
    kinds: ReadonlyArray<Kind> = [],
    onOther: (count: number) => void = () => {}
  ) {
    this.#run = run
    this.#connection = connection
    this.#count = connection.dialect.counter("message")
    this.#onDelivered = onDelivered
    this.#onFrame = onFrame
    this.#kinds = kinds
    this.#onOther = onOther
    connection.client.handler = this
  }
  readonly #onOther: (count: number) => void

  onMessage(buffer: Uint8Array, start: number, end: number): void {
    const count = this.#count(buffer, start, end)
    if (count > 0) {
      this.#arrived += count
      this.#onFrame?.(buffer, start, end)
    } else if (count < 0) this.#look(buffer, start, end)
  }

  onFlush(): void {
    const count = this.#arrived
    if (count === 0) return
    this.#arrived = 0
    this.#run.tally.received += count
    this.#onDelivered(count)
  }

  #look(buffer: Uint8Array, start: number, end: number): void {
    const { dialect, client } = this.#connection
    const { count, notices, reply } = dialect.look(["message"], buffer, start, end)
    this.#arrived += count
    if (count > 0) this.#onFrame?.(buffer, start, end)
    if (this.#kinds.length > 0) this.#onOther(dialect.look(this.#kinds, buffer, start, end).count)
    for (const notice of notices ?? []) this.#run.tally.count(this.#run.tally.notices, notice)
    if (reply !== undefined) client.send(reply)
  }
}

/** Decodes no more than about this many deliveries a second, so that the load stays light. */
const decodesPerSecond = 50_000

/** A frame reader that records how long stamped messages took, for one in so many that `rate` deliveries a second allow. */
export const stampReader = (
  run: Run,
  rate: number
): ((connection: Connection) => (buffer: Uint8Array, start: number, end: number) => void) => {
  const stride = Math.max(1, Math.ceil(rate / decodesPerSecond))
  let turn = 0
  return (connection) => (buffer, start, end) => {
    if (++turn % stride !== 0) return
    const now = performance.now()
    for (const text of connection.dialect.texts(buffer, start, end)) {
      const due = readStamp(text)
      if (due !== undefined) record(run.tally.latency, now - due)
    }
  }
}
