/** Closed loop of request and reply: echo, and presence, which is an echo whose answer is a list of members. */
import { performance } from "node:perf_hooks"
import type { Connection } from "../Connection.ts"
import type { Counter, Kind, Seat } from "../Dialect.ts"
import { record } from "../Latency.ts"
import type { ClientHandler } from "../LoadClient.ts"
import { type Run, LoadFailure } from "../Run.ts"
import type { EchoSpec, PresenceSpec } from "../Spec.ts"

/** With more requests under way than this, one in `sparse` is timed, so that the clock does not weigh. */
const dense = 256
const sparse = 16

/** `table[n]` holds `n` requests, ready to be written at once. */
type Table = ReadonlyArray<Uint8Array>

class Echoer implements ClientHandler {
  readonly #run: Run
  readonly #kind: Kind
  readonly #connection: Connection
  readonly #table: Table
  readonly #count: Counter
  readonly #stride: number
  #arrived = 0
  #sent = 0
  #received = 0
  /** Replies come in order: the request numbered `#timed` went out at `#since`. */
  #timed = 0
  #since = 0
  stopped = false

  constructor(run: Run, kind: Kind, connection: Connection, table: Table, stride: number) {
    this.#run = run
    this.#kind = kind
    this.#connection = connection
    this.#table = table
    this.#count = connection.dialect.counter(kind)
    this.#stride = stride
    connection.client.handler = this
  }

  start(): void {
    this.stopped = false
    this.#send(this.#table.length - 1)
  }

  onMessage(buffer: Uint8Array, start: number, end: number): void {
    const count = this.#count(buffer, start, end)
    if (count >= 0) this.#arrived += count
    else this.#look(buffer, start, end)
  }

  onFlush(): void {
    const count = this.#arrived
    if (count === 0) return
    this.#arrived = 0
    this.#received += count
    this.#run.tally.received += count
    if (this.#since !== 0 && this.#received >= this.#timed) {
      record(this.#run.tally.latency, performance.now() - this.#since)
      this.#since = 0
    }
    if (!this.stopped) this.#send(Math.min(count, this.#table.length - 1))
  }

  #send(count: number): void {
    this.#sent += count
    if (this.#since === 0 && this.#sent >= this.#timed + this.#stride) {
      this.#timed = this.#sent
      this.#since = performance.now()
    }
    this.#run.tally.sent += count
    this.#run.tally.expected += count
    this.#connection.client.send(this.#table[count]!)
  }

  #look(buffer: Uint8Array, start: number, end: number): void {
    const { count, notices, reply } = this.#connection.dialect.look([this.#kind], buffer, start, end)
    this.#arrived += count
    for (const notice of notices ?? []) this.#run.tally.count(this.#run.tally.notices, notice)
    if (reply !== undefined) this.#connection.client.send(reply)
  }
}

const requests = (connection: Connection, kind: Kind, count: number, text: string): Uint8Array => {
  if (kind === "echo") return connection.dialect.echo(connection.seat, count, text)
  if (connection.dialect.presence === undefined) throw new LoadFailure("this server has no presence to ask for")
  return connection.dialect.presence(connection.seat, count)
}

/** `inflight` requests under way on each of `seats`, in a closed loop. */
export const requestLoop = async (run: Run, kind: Kind, seats: ReadonlyArray<Seat>, inflight: number, size: number): Promise<void> => {
  const connections = await run.openAll(seats.map((seat) => ({ seat, turn: seat.index })))
  if (run.over) return
  const text = "x".repeat(size)
  const tables = new Map<unknown, Table>()
  const tableOf = (connection: Connection): Table => {
    const key = connection.dialect.perSeat || kind === "presence" ? connection : connection.dialect
    const known = tables.get(key)
    if (known !== undefined) return known
    const table = Array.from({ length: inflight + 1 }, (_, n) => (n === 0 ? new Uint8Array(0) : requests(connection, kind, n, text)))
    tables.set(key, table)
    return table
  }
  const stride = connections.length * inflight > dense ? sparse : 1
  const echoers = connections.map((connection) => new Echoer(run, kind, connection, tableOf(connection), stride))
  await run.underLoad(
    () => {
      for (const echoer of echoers) echoer.start()
    },
    () => {
      for (const echoer of echoers) echoer.stopped = true
    }
  )
}

/** This thread's of `count` connections. */
export const mine = (run: Run, count: number, seat: (index: number) => Seat): ReadonlyArray<Seat> =>
  Array.from({ length: count }, (_, index) => index)
    .filter((index) => index % run.threads === run.thread)
    .map(seat)

export const runEcho = (run: Run, spec: EchoSpec): Promise<void> =>
  requestLoop(
    run,
    "echo",
    mine(run, spec.connections, (index) => ({ index, role: "echo", room: "" })),
    spec.inflight,
    spec.size
  )

export const runPresence = (run: Run, spec: PresenceSpec): Promise<void> =>
  requestLoop(
    run,
    "presence",
    mine(run, spec.connections, (index) => ({ index, role: "subscriber", room: `bench-${Math.floor(index / spec.members)}` })),
    spec.inflight,
    0
  )
