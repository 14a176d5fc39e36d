/** Connections up to a number, as fast as the server takes them, then held: rate, handshake times, and memory when held. */
import { performance } from "node:perf_hooks"
import { type Connection } from "../Connection.ts"
import type { Seat } from "../Dialect.ts"
import { LoadFailure, type Run } from "../Run.ts"
import type { ConnectSpec } from "../Spec.ts"

/** Connections tried, with none opened, after which there is no point in going on. */
const hopeless = 20

/** Answers what the server asks of an idle client. */
const idle = (run: Run, connection: Connection): void => {
  connection.client.handler = {
    onMessage: (buffer, start, end) => {
      const { notices, reply } = connection.dialect.look([], buffer, start, end)
      for (const notice of notices ?? []) run.tally.count(run.tally.notices, notice)
      if (reply !== undefined) connection.client.send(reply)
    },
    onFlush: () => {}
  }
}

/** Connections that come and go. */
const prime = async (run: Run, count: number, seatOf: (index: number) => Seat): Promise<void> => {
  const seats = Array.from({ length: count }, (_, index) => ({ seat: seatOf(index), turn: index }))
  for (const connection of await run.openAll(seats)) connection.drop()
  await run.until(() => run.connections.size === 0)
  run.tally.forgetHandshakes()
}

export const runConnect = async (run: Run, spec: ConnectSpec): Promise<void> => {
  const { tally } = run
  const seatOf = (index: number): Seat => ({
    index,
    role: "idle",
    room: spec.members === 0 ? "" : `bench-${Math.floor(index / spec.members)}`
  })
  const own = Array.from({ length: spec.connections }, (_, index) => index).filter((index) => index % run.threads === run.thread)
  await prime(run, Math.ceil(spec.prime / run.threads), seatOf)
  // Tokens are minted before the clock runs.
  const plans = own.map((index) => run.plan(seatOf(index), index))
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < plans.length && !run.over) {
      const plan = plans[next++]!
      tally.sent++
      tally.expected++
      try {
        idle(run, await run.open(plan))
        tally.received++
      } catch (error) {
        if (!(error instanceof LoadFailure)) throw error
        if (run.over) return
        tally.count(tally.endings, error.message)
        tally.partial ??= `a connection was not opened: ${error.message}`
        if (tally.opened === 0 && tally.sent >= hopeless) run.fail(error.message)
      }
    }
  }
  await run.together("connected")
  if (run.over) return
  run.phase("connecting")
  await run.measured(async () => {
    const since = performance.now()
    await Promise.all(Array.from({ length: run.spec.ramp }, worker))
    tally.ramp = (performance.now() - since) / 1000
    if (spec.hold > 0) {
      run.phase("holding")
      await run.sleep(spec.hold)
    }
  })
}
