/** Publishers to the subscribers of their rooms: closed loop (how fast can it be) or open loop (how late is it at this rate). */
import { performance } from "node:perf_hooks"
import type { Connection } from "../Connection.ts"
import { record } from "../Latency.ts"
import { Pacer } from "../Pacer.ts"
import type { Run } from "../Run.ts"
import type { FanoutSpec } from "../Spec.ts"
import { stamp } from "../Stamp.ts"
import { Listener, openRooms, type Room, stampReader } from "./Rooms.ts"

/** Keeps `outstanding` publishes under way in one room. */
class ClosedLoop {
  stopped = false
  readonly #run: Run
  readonly #room: Room
  readonly #outstanding: number
  /** Per publisher: `n` publishes in one write. */
  readonly #tables: ReadonlyArray<ReadonlyArray<Uint8Array>>
  /** Of the publishes under way, by their number modulo `outstanding`: members that have it, and when it was sent. */
  readonly #reached: Array<number>
  readonly #sentAt: Array<number>
  #published = 0
  #complete = 0

  constructor(run: Run, room: Room, outstanding: number, text: string) {
    this.#run = run
    this.#room = room
    this.#outstanding = outstanding
    this.#reached = Array.from({ length: outstanding }, () => 0)
    this.#sentAt = Array.from({ length: outstanding }, () => 0)
    this.#tables = room.publishers.map(({ dialect, seat }) =>
      Array.from({ length: outstanding + 1 }, (_, n) => (n === 0 ? new Uint8Array(0) : dialect.publish(seat, n, text)))
    )
    for (const member of room.members) this.#listen(member)
    for (const publisher of room.publishers) if (!room.members.includes(publisher)) new Listener(run, publisher, () => {})
  }

  start(): void {
    this.stopped = false
    this.#publish(this.#outstanding)
  }

  #listen(member: Connection): void {
    let seen = 0
    new Listener(this.#run, member, (count) => {
      const before = this.#complete
      for (let n = 0; n < count; n++) this.#reach(seen++ % this.#outstanding)
      const complete = this.#complete - before
      if (complete > 0 && !this.stopped) this.#publish(complete)
    })
  }

  #reach(slot: number): void {
    if (++this.#reached[slot]! < this.#room.members.length) return
    this.#reached[slot] = 0
    this.#complete++
    record(this.#run.tally.latency, performance.now() - this.#sentAt[slot]!)
  }

  #publish(count: number): void {
    const now = performance.now()
    const turn = this.#published % this.#tables.length
    for (let n = 0; n < count; n++) this.#sentAt[this.#published++ % this.#outstanding] = now
    this.#run.tally.sent += count
    this.#run.tally.expected += count * this.#room.members.length
    this.#room.publishers[turn]!.client.send(this.#tables[turn]![count]!)
  }
}

const closedLoop = async (run: Run, spec: FanoutSpec, rooms: ReadonlyArray<Room>): Promise<void> => {
  const loops = rooms.map((room) => new ClosedLoop(run, room, spec.outstanding, "x".repeat(spec.size)))
  await run.underLoad(
    () => {
      for (const loop of loops) loop.start()
    },
    () => {
      for (const loop of loops) loop.stopped = true
    }
  )
}

const openLoop = async (run: Run, spec: FanoutSpec, rooms: ReadonlyArray<Room>, rate: number): Promise<void> => {
  const reader = stampReader(run, (rate / run.threads) * (spec.subscribers + spec.publishers))
  for (const { publishers, members } of rooms) {
    for (const member of members) new Listener(run, member, () => {}, reader(member))
    for (const publisher of publishers) if (!members.includes(publisher)) new Listener(run, publisher, () => {})
  }
  const gap = (1000 * run.threads) / rate
  let turn = 0
  const pacer = new Pacer(
    () => gap,
    gap,
    (due) => {
      const { publishers, members } = rooms[turn % rooms.length]!
      const publisher = publishers[Math.floor(turn / rooms.length) % publishers.length]!
      turn++
      run.tally.sent++
      run.tally.expected += members.length
      record(run.tally.lateness, performance.now() - due)
      publisher.client.send(publisher.dialect.publish(publisher.seat, 1, stamp(due, spec.size)))
    },
    run.polled
  )
  await run.underLoad(
    () => pacer.start(),
    () => pacer.stop()
  )
}

export const runFanout = async (run: Run, spec: FanoutSpec): Promise<void> => {
  const rooms = await openRooms(run, spec.rooms, spec.publishers, spec.subscribers)
  if (rooms === undefined) return
  return spec.rate === undefined ? closedLoop(run, spec, rooms) : openLoop(run, spec, rooms, spec.rate)
}
