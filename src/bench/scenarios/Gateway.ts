/** Messages that come back from behind a proxy: closed loop (what does one cost) or open loop (how late is it at this rate). */
import { performance } from "node:perf_hooks"
import type { Connection } from "../Connection.ts"
import type { Counter } from "../Dialect.ts"
import { record } from "../Latency.ts"
import type { ClientHandler } from "../LoadClient.ts"
import { Pacer } from "../Pacer.ts"
import type { Run } from "../Run.ts"
import type { GatewaySpec } from "../Spec.ts"
import { mine, requestLoop } from "./Echo.ts"

/**
 * One connection of the open loop. Latency counts from the moment at which a message left: sends do not wait for echoes, so
 * that a proxy that stalls is seen all the same, and what the load's own timers are late is told beside it.
 */
class Speaker implements ClientHandler {
  readonly #run: Run
  readonly #connection: Connection
  readonly #message: Uint8Array
  readonly #count: Counter
  /** When the messages under way left, the oldest first: echoes come in order. */
  readonly #sent: Array<number> = []

  constructor(run: Run, connection: Connection, size: number) {
    this.#run = run
    this.#connection = connection
    this.#message = connection.dialect.echo(connection.seat, 1, "x".repeat(size))
    this.#count = connection.dialect.counter("echo")
    connection.client.handler = this
  }

  speak(due: number): void {
    const { tally } = this.#run
    const now = performance.now()
    this.#sent.push(now)
    tally.sent++
    tally.expected++
    record(tally.lateness, now - due)
    this.#connection.client.send(this.#message)
  }

  onMessage(buffer: Uint8Array, start: number, end: number): void {
    const { tally } = this.#run
    if (this.#count(buffer, start, end) < 0) {
      const { notices } = this.#connection.dialect.look(["echo"], buffer, start, end)
      for (const notice of notices ?? []) tally.count(tally.notices, notice)
      return
    }
    const sent = this.#sent.shift()
    tally.received++
    if (sent !== undefined) record(tally.latency, performance.now() - sent)
  }

  onFlush(): void {}
}

const openLoop = async (run: Run, spec: GatewaySpec, connections: ReadonlyArray<Connection>, rate: number): Promise<void> => {
  const speakers = connections.map((connection) => new Speaker(run, connection, spec.size))
  const gap = (1000 * run.threads) / rate
  let turn = 0
  const pacer = new Pacer(
    () => gap,
    gap,
    (due) => speakers[turn++ % speakers.length]!.speak(due),
    run.polled
  )
  await run.underLoad(
    () => {
      if (speakers.length > 0) pacer.start()
    },
    () => pacer.stop()
  )
}

export const runGateway = async (run: Run, spec: GatewaySpec): Promise<void> => {
  const busy = mine(run, spec.connections, (index) => ({ index, role: "echo", room: "" }))
  const idle = mine(run, spec.idle, (index) => ({ index: spec.connections + index, role: "idle", room: "" }))
  await run.openAll(idle.map((seat) => ({ seat, turn: seat.index })))
  if (run.over) return
  if (spec.rate === undefined) return requestLoop(run, "echo", busy, spec.inflight, spec.size)
  const connections = await run.openAll(busy.map((seat) => ({ seat, turn: seat.index })))
  if (!run.over) await openLoop(run, spec, connections, spec.rate)
}
