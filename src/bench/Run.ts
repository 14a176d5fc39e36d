/** One thread's part in a run: its counts, its connections, and the waiting that ends early when the run is called off. */
import { performance } from "node:perf_hooks"
import { Connection, describeEnding, type Plan } from "./Connection.ts"
import type { Dialect, MakeDialect, Seat } from "./Dialect.ts"
import { record } from "./Latency.ts"
import { type Address, addressOf, type Ending } from "./LoadClient.ts"
import { residentMemory, startMeter } from "./Meter.ts"
import { calledOff, type Result, Tally, type Window } from "./Result.ts"
import type { Spec } from "./Spec.ts"

/** What a run tells while it goes. */
export interface Progress {
  readonly phase: string
  readonly opened: number
  readonly sent: number
  readonly received: number
}

/** The thread's link to who started it. */
export interface Control {
  /** Resolves when all threads have come as far. */
  readonly together: (phase: string) => Promise<void>
  readonly progress: (progress: Progress) => void
  readonly signal: AbortSignal
  /** Gets what one window has shown, and resolves when another one is to be measured with the same connections. Absent: one is all. */
  readonly again?: (result: Result) => Promise<void>
}

/** The run can not go on as specified. The message is for people. */
export class LoadFailure extends Error {}

/** Seconds of warm-up before a window that is not the first: the server has run before, and only the load has to get going. */
const rewarm = 0.5

export class Run {
  readonly spec: Spec
  readonly thread: number
  readonly threads: number
  /** A new one for each window. */
  tally = new Tally()
  readonly connections = new Set<Connection>()
  readonly #control: Control
  readonly #address: Address
  readonly #dialects: ReadonlyArray<Dialect>
  readonly #over = new AbortController()
  #phase = "starting"
  #active = 0
  #window: Window = { seconds: 0, sent: 0, received: 0, bytes: 0 }
  #use: ReturnType<ReturnType<typeof startMeter>> = { load: { seconds: 0, cpu: 0, utilization: 0, polled: 0 } }

  constructor(spec: Spec, thread: number, threads: number, makeDialect: MakeDialect, control: Control) {
    this.spec = spec
    this.thread = thread
    this.threads = threads
    this.#control = control
    this.#address = addressOf(spec.target.url)
    const url = new URL(spec.target.url)
    const { encodings, batch, token, secret } = spec.target
    this.#dialects = encodings.map((encoding) =>
      makeDialect({
        path: url.pathname + url.search,
        encoding,
        batch,
        ...(token === undefined ? {} : { token }),
        ...(secret === undefined ? {} : { secret })
      })
    )
    if (control.signal.aborted) this.fail(calledOff)
    control.signal.addEventListener("abort", () => this.fail(calledOff), { once: true })
  }

  /** Whether the run was called off; loops stop then. */
  get over(): boolean {
    return this.#over.signal.aborted
  }

  /** Calls the run off. The first reason is the one that is reported. */
  fail(reason: string): void {
    this.tally.partial ??= reason
    this.#over.abort()
  }

  /** The encodings in turn. */
  dialect(turn: number): Dialect {
    return this.#dialects[turn % this.#dialects.length]!
  }

  /** What the connection of `seat` will ask for; `turn` chooses the encoding. */
  plan(seat: Seat, turn: number): Plan {
    const dialect = this.dialect(turn)
    return { seat, dialect, upgrade: dialect.upgrade(seat) }
  }

  /** Connects, waits for a usable session and joins; a refusal rejects with `LoadFailure`. */
  async open(plan: Plan): Promise<Connection> {
    const connection = new Connection(this.#address, plan, this.spec.patience * 1000, (ending) => this.#ended(connection, ending))
    const since = performance.now()
    const refused = await connection.usable
    if (refused !== undefined) throw new LoadFailure(refused)
    if (this.over) {
      connection.drop()
      throw new LoadFailure("the run was over")
    }
    this.connections.add(connection)
    this.tally.opened++
    record(this.tally.handshakes, performance.now() - since)
    return connection
  }

  #ended(connection: Connection, ending: Ending): void {
    this.tally.bytes += connection.client.bytes
    if (!this.connections.delete(connection) || connection.leaving) return
    const text = describeEnding(ending)
    this.tally.count(this.tally.endings, text)
    this.fail(`the server ended a connection in the middle: ${text}`)
  }

  /** Opens every seat, at most `ramp` at a time. The first refusal calls the run off. Results in the order of the seats. */
  async openAll(seats: ReadonlyArray<{ readonly seat: Seat; readonly turn: number }>): Promise<ReadonlyArray<Connection>> {
    this.phase("connecting")
    const since = performance.now()
    const connections: Array<Connection> = []
    let next = 0
    const worker = async () => {
      while (next < seats.length && !this.over) {
        const at = next++
        connections[at] = await this.open(this.plan(seats[at]!.seat, seats[at]!.turn))
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(this.spec.ramp, seats.length) }, worker))
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error
      this.tally.count(this.tally.endings, error.message)
      this.fail(error.message)
    }
    this.tally.ramp = (performance.now() - since) / 1000
    return connections
  }

  phase(name: string): void {
    this.#phase = name
    this.report()
  }

  report(): void {
    const { opened, sent, received } = this.tally
    this.#control.progress({ phase: this.#phase, opened, sent, received })
  }

  /** Waits for the other threads. */
  async together(phase: string): Promise<void> {
    if (!this.over) await this.#control.together(phase)
  }

  /** Until the time is over or the run is. */
  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.over) return resolve()
      const done = () => {
        clearTimeout(timer)
        this.#over.signal.removeEventListener("abort", done)
        resolve()
      }
      const timer = setTimeout(done, seconds * 1000)
      this.#over.signal.addEventListener("abort", done)
    })
  }

  /** Until `condition` holds, at most `spec.patience`. */
  async until(condition: () => boolean): Promise<void> {
    const end = performance.now() + this.spec.patience * 1000
    while (!condition() && !this.over && performance.now() < end) await this.sleep(0.005)
  }

  /** Measures what happens while `body` runs. */
  async measured(body: () => Promise<void>): Promise<void> {
    const { tally } = this
    const stop = startMeter(this.thread === 0 ? this.spec.target.pids : [], () => tally.polled)
    const bytes = this.#bytes()
    const { sent, received } = tally
    tally.startWindow()
    await body()
    this.#use = stop()
    const seconds = this.#use.load.seconds
    this.#window = { seconds, sent: tally.sent - sent, received: tally.received - received, bytes: this.#bytes() - bytes }
  }

  /**
   * Warm-up, measured window, and the end of sending (`stop`); then waits for what is outstanding. All that once, or as often as
   * it is asked for.
   */
  async underLoad(start: () => void, stop: () => void): Promise<void> {
    await this.together("connected")
    for (let { warmup } = this.spec; !this.over; warmup = Math.min(warmup, rewarm)) {
      await this.#oneWindow(warmup, start, stop)
      if (this.over || this.#control.again === undefined) return
      const result = this.result()
      this.tally = new Tally()
      this.phase("waiting for the next window")
      await this.#control.again(result)
    }
  }

  async #oneWindow(warmup: number, start: () => void, stop: () => void): Promise<void> {
    start()
    this.phase("warming up")
    await this.sleep(warmup)
    await this.together("warm")
    this.phase("measuring")
    await this.measured(() => this.sleep(this.spec.seconds))
    stop()
    this.phase("waiting for the last")
    await this.until(() => this.tally.received >= this.tally.expected)
  }

  #bytes(): number {
    let bytes = this.tally.bytes
    for (const connection of this.connections) bytes += connection.client.bytes
    return bytes
  }

  /** Counts a poll, if nothing was sent or received since the one before. */
  readonly polled = (milliseconds: number): void => {
    const active = this.tally.sent + this.tally.received
    if (active === this.#active) this.tally.polled += milliseconds
    this.#active = active
  }

  /** One memory sample of the server. */
  sampleMemory(): void {
    const bytes = this.thread === 0 ? residentMemory(this.spec.target.pids) : undefined
    if (bytes !== undefined) this.tally.memory.push(bytes)
  }

  /** Ends what still waits, and closes all connections: politely for a moment, then in any way. */
  async leave(): Promise<void> {
    this.#over.abort()
    this.phase("leaving")
    for (const connection of this.connections) connection.leave()
    const end = performance.now() + 2000
    while (this.connections.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    for (const connection of this.connections) connection.client.destroy()
  }

  result(): Result {
    return this.tally.result(this.#window, this.#use.load, this.#use.server)
  }
}
