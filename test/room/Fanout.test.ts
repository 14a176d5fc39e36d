import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Counters } from "../../src/observe/Counters.ts"
import { Fanout, type Receiver } from "../../src/room/Fanout.ts"
import { roomTopics } from "../../src/room/Topics.ts"
import type { ClientSocket } from "../../src/transport/Transport.ts"
import { TurnEnd } from "../../src/transport/TurnEnd.ts"
import { maxBatch } from "../../src/wire/Batch.ts"
import type { Encoding } from "../../src/wire/Codec.ts"
import { jsonCodec, msgpackCodec } from "../../src/wire/index.ts"

type Frame = string | Uint8Array

const codecs = { json: jsonCodec(), msgpack: msgpackCodec() }
const bytesOf = (frame: Frame): Uint8Array => (typeof frame === "string" ? new TextEncoder().encode(frame) : frame.slice())

/** Topics as the transport has them: what is published reaches who is subscribed at that moment. */
class Exchange {
  readonly subscribed = new Map<string, Set<Client>>()
  readonly publish = (topic: string, frame: Frame, binary: boolean, except?: Client): void => {
    for (const client of this.subscribed.get(topic) ?? []) if (client !== except) client.take(frame, binary)
  }
}

class Client implements Receiver {
  readonly frames: Array<unknown> = []
  readonly encoding: Encoding
  readonly batch: boolean
  readonly socket: ClientSocket
  closed = false

  constructor(exchange: Exchange, encoding: Encoding, batch: boolean) {
    this.encoding = encoding
    this.batch = batch
    const topic = (name: string): Set<Client> => {
      const known = exchange.subscribed.get(name) ?? new Set()
      exchange.subscribed.set(name, known)
      return known
    }
    this.socket = {
      cork: () => true,
      send: () => "sent",
      sendBytes: () => "sent",
      subscribe: (name) => void topic(name).add(this),
      unsubscribe: (name) => void topic(name).delete(this),
      publish: (name, frame, binary) => {
        if (!this.closed) exchange.publish(name, frame, binary, this)
        return !this.closed
      },
      buffered: () => 0,
      end: () => undefined,
      terminate: () => undefined
    }
  }

  take(frame: Frame, binary: boolean): void {
    expect(binary).toBe(this.encoding === "msgpack")
    this.frames.push(codecs[this.encoding].decode(bytesOf(frame)))
  }

  /** The numbers of the messages that came. */
  get numbers(): ReadonlyArray<unknown> {
    const messages = this.frames.flat() as ReadonlyArray<{ readonly data: unknown }>
    return messages.map(({ data }) => data)
  }
}

const make = () => {
  const exchange = new Exchange()
  const counters = new Counters()
  const turns: Array<() => void> = []
  const turnEnd = new TurnEnd()
  const afterRooms = (flush: () => void): void => void turns.push(flush)
  const endTurn = (): void => turns.splice(0).forEach((flush) => flush())
  const fanout = new Fanout(
    { publisher: exchange, ...codecs, counters, turnEnd: Object.assign(turnEnd, { afterRooms }) },
    roomTopics("orders")
  )
  const join = (encoding: Encoding, batch = false): Client => {
    const client = new Client(exchange, encoding, batch)
    fanout.add(client)
    return client
  }
  return { exchange, counters, fanout, join, endTurn }
}

const message = (data: number) => ({ type: "message", room: "orders", data, time: 1 }) as const

describe("fan-out", () => {
  it("gives every receiver what was sent while it was one, in order and once, whatever form it takes", () => {
    const clients = 8
    const who = fc.nat(clients - 1)
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant("broadcast" as const), except: fc.option(who, { nil: undefined }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), who }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("flood" as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("turn" as const) }) }
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { exchange, counters, fanout, endTurn } = make()
        const all = Array.from({ length: clients }, (_, i) => new Client(exchange, i % 2 === 0 ? "json" : "msgpack", i % 4 > 1))
        const present = new Set<Client>()
        const expected = new Map(all.map((client) => [client, new Array<number>()]))
        let sent = 0
        let deliveries = 0
        const broadcast = (except: Client | undefined): void => {
          const number = sent++
          for (const client of present) {
            if (client === except) continue
            expected.get(client)!.push(number)
            deliveries++
          }
          fanout.broadcast(message(number), except)
        }
        for (const taken of steps) {
          if (taken.do === "turn") endTurn()
          else if (taken.do === "flood") for (let n = 0; n <= maxBatch; n++) broadcast(undefined)
          else if (taken.do === "broadcast") {
            const except = taken.except === undefined ? undefined : all[taken.except]
            broadcast(except !== undefined && present.has(except) ? except : undefined)
          } else {
            const client = all[taken.who]!
            if (present.delete(client)) fanout.remove(client)
            else {
              present.add(client)
              fanout.add(client)
            }
          }
        }
        endTurn()
        for (const client of all) expect(client.numbers).toEqual(expected.get(client))
        expect(fanout.size).toBe(present.size)
        expect(counters.deliveries).toBe(deliveries)
        expect(counters.broadcastSeconds.count).toBe(sent)
      })
    )
  })

  it("goes out when the turn ends, in one frame to those with batches, and each by itself to the others", () => {
    const { fanout, join, endTurn } = make()
    const [single, batch] = [join("json"), join("msgpack", true)]
    for (const number of [1, 2, 3]) fanout.broadcast(message(number))
    expect([single.frames, batch.frames]).toEqual([[], []])
    endTurn()
    expect(single.frames).toEqual([message(1), message(2), message(3)])
    expect(batch.frames).toEqual([[message(1), message(2), message(3)]])
  })

  it("does not let more than a batch wait for the turn to end", () => {
    const { fanout, join } = make()
    const single = join("json")
    for (let number = 0; number < maxBatch + 1; number++) fanout.broadcast(message(number))
    expect(single.numbers).toHaveLength(maxBatch)
  })

  it("reaches the others when the one that must not get it has closed in the meantime", () => {
    const { fanout, join, endTurn } = make()
    const [from, other] = [join("json"), join("json")]
    fanout.broadcast(message(1), from)
    from.closed = true
    endTurn()
    expect(other.numbers).toEqual([1])
  })

  it("tells who could not be encoded for before anything waits", () => {
    const { fanout, join, endTurn } = make()
    const single = join("json")
    expect(() => fanout.broadcast({ ...message(1), data: 1n })).toThrow(TypeError)
    fanout.broadcast(message(2))
    endTurn()
    expect(single.numbers).toEqual([2])
  })

  it("tells who asked for it of the next publish once, when that goes out, and nobody who has left", () => {
    const { fanout, join, endTurn } = make()
    const [asking, leaving, other] = [join("json"), join("msgpack"), join("json", true)]
    const told: Array<[string, number]> = []
    fanout.awaitPublish(asking, () => told.push(["asking", other.frames.length]))
    fanout.awaitPublish(asking, () => told.push(["asking again", other.frames.length]))
    fanout.awaitPublish(leaving, () => told.push(["leaving", other.frames.length]))
    endTurn()
    fanout.remove(leaving)
    fanout.broadcast(message(1))
    expect(told).toEqual([])
    endTurn()
    expect(told).toEqual([["asking again", 1]])
    fanout.broadcast(message(2))
    endTurn()
    expect(told).toHaveLength(1)
  })

  it("does not count events as broadcasts", () => {
    const { counters, fanout, join, endTurn } = make()
    join("json")
    fanout.notify({ type: "member_left", room: "orders", member: { connection: "c", since: 1 } })
    endTurn()
    expect([counters.deliveries, counters.broadcastSeconds.count]).toEqual([0, 0])
  })
})
