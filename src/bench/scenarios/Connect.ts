/** Connections up to a number, as fast as the server takes them, then held: rate, handshake times, and memory when held. */
import { performance } from "node:perf_hooks"
import { type Connection } from "../Connection.ts"
import type { Seat } from "../Dialect.ts"
import { LoadFailure, type Run } from "../Run.ts"
import type { ConnectSpec } from "../Spec.ts"

/** Refusals in a row, with nothing opened yet, after which there is no point in going on. */
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

export const runConnect = async (run: Run, spec: ConnectSpec): Promise<void> => {
  const { tally } = run
  const seatOf = (index: number): Seat => ({
    index,
    role: "idle",
    room: spec.members === 0 ? "" : `bench-${Math.floor(index / spec.members)}`
  })
  let next = run.thread
  let refused = 0
  const worker = async (): Promise<void> => {
    while (next < spec.connections && !run.over) {
      const index = next
      next += run.threads
      tally.sent++
      tally.expected++
      try {
        idle(run, await run.open(seatOf(index), index))
        tally.received++
      } catch (error) {
        if (!(error instanceof LoadFailure)) throw error
        tally.count(tally.endings, error.message)
        tally.partial ??= `a connection was not opened: ${error.message}`
        if (++refused >= hopeless && tally.opened === 0) run.fail(error.message)
      }
    }
  }
  await run.together("connected")
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
