/** A chat-like load: users in rooms who think, write, echo and ask who is there; guests who come and go. */
import { performance } from "node:perf_hooks"
import type { Connection } from "../Connection.ts"
import { record } from "../Latency.ts"
import { Pacer } from "../Pacer.ts"
import { LoadFailure, type Run } from "../Run.ts"
import type { MixedSpec } from "../Spec.ts"
import { stamp } from "../Stamp.ts"
import { Listener, openRooms, type Room, stampReader } from "./Rooms.ts"

/** Out of 100 actions. */
const writes = 85
const echoes = 10

const requestKinds = ["echo", "presence"] as const

/** Seconds that a guest stays. */
const stay = 2

interface User {
  readonly connection: Connection
  readonly room: Room
  /** When the requests under way were due, the oldest first: replies come in order. */
  readonly asked: Array<number>
}

/** Milliseconds to the next of events that come `rate` times a second, independent of each other. */
const exponential = (rate: number): number => (-Math.log(1 - Math.random()) * 1000) / rate

const act = (run: Run, user: User, due: number, size: number): void => {
  const { client, dialect, seat } = user.connection
  const dice = Math.random() * 100
  record(run.tally.lateness, performance.now() - due)
  run.tally.sent++
  if (dice < writes) {
    run.tally.expected += user.room.members.length
    return client.send(dialect.publish(seat, 1, stamp(due, size)))
  }
  run.tally.expected++
  user.asked.push(due)
  const echo = dice < writes + echoes || dialect.presence === undefined
  client.send(echo ? dialect.echo(seat, 1, "x".repeat(size)) : dialect.presence!(seat, 1))
}

const listen = (run: Run, user: User, reader: (buffer: Uint8Array, start: number, end: number) => void): void => {
  new Listener(
    run,
    user.connection,
    () => {},
    reader,
    requestKinds,
    (count) => {
      const now = performance.now()
      run.tally.received += count
      for (const due of user.asked.splice(0, count)) record(run.tally.requests, now - due)
    }
  )
}

/** One guest: in, a while there, and out in one way or the other. */
const visit = async (run: Run, index: number, room: number): Promise<void> => {
  try {
    const guest = await run.open(run.plan({ index, role: "subscriber", room: `bench-${room}` }, index))
    await run.sleep(stay * Math.random() * 2)
    if (index % 2 === 0) guest.leave()
    else guest.drop()
  } catch (error) {
    if (!(error instanceof LoadFailure)) throw error
    if (run.over) return
    run.tally.count(run.tally.endings, error.message)
    run.fail(`a guest was not let in: ${error.message}`)
  }
}

export const runMixed = async (run: Run, spec: MixedSpec): Promise<void> => {
  const count = Math.max(1, Math.floor(spec.users / spec.members))
  const rooms = await openRooms(run, count, 0, Math.min(spec.users, spec.members))
  if (rooms === undefined) return
  const users = rooms.flatMap((room) => room.members.map((connection): User => ({ connection, room, asked: [] })))
  const rate = users.length / spec.think
  const reader = stampReader(run, rate * spec.members)
  for (const user of users) listen(run, user, reader(user.connection))

  const gap = () => exponential(rate)
  const speak = new Pacer(gap, 1000 / rate, (due) => act(run, users[Math.floor(Math.random() * users.length)]!, due, spec.size), run.polled)
  const churn = spec.churn / run.threads
  let guests = spec.users + run.thread
  const visits = new Pacer(
    () => exponential(churn),
    0,
    () => {
      const index = (guests += run.threads)
      void visit(run, index, index % count)
    }
  )
  const ticker = setInterval(() => run.sampleMemory(), 1000)
  await run.underLoad(
    () => {
      speak.start()
      if (churn > 0) visits.start()
    },
    () => {
      speak.stop()
      visits.stop()
    }
  )
  clearInterval(ticker)
}
