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

const message = (data: unknown) => ({ type: "message", room: "orders", data, time: 1 }) as const

/** Long enough for the next broadcast to be taken for one by itself. */
const aWhile = 1000

const make = () => {
  const exchange = new Exchange()
  const counters = new Counters()
  const turns: Array<() => void> = []
  const turnEnd = new TurnEnd()
  const afterRooms = (flush: () => void): void => void turns.push(flush)
  const endTurn = (): void => turns.splice(0).forEach((flush) => flush())
  let now = 0
  const pass = (milliseconds: number): void => void (now += milliseconds)
  const fanout = new Fanout(
    { publisher: exchange, ...codecs, counters, turnEnd: Object.assign(turnEnd, { afterRooms }), elapsed: () => now },
    roomTopics("orders")
  )
  /** As a room does it: the publisher is sent its own message where it has to be. */
  const broadcast = (
    data: unknown,
    about: { readonly except?: Client | undefined; readonly publisher?: Client | undefined } = {}
  ): void => {
    const own = fanout.broadcast({ message: message(data), ...about })
    if (own !== undefined) about.publisher?.take(own, typeof own !== "string")
  }
  const join = (encoding: Encoding, batch = false): Client => {
    const client = new Client(exchange, encoding, batch)
    fanout.add(client)
    return client
  }
  return { exchange, counters, fanout, broadcast, join, endTurn, pass }
}

describe("fan-out", () => {
  it("gives every receiver what was sent while it was one, in order and once, whatever form it takes", () => {
    const clients = 8
    const who = fc.nat(clients - 1)
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant("broadcast" as const),
          publisher: fc.option(who, { nil: undefined }),
          excluded: fc.boolean()
        })
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), who }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("flood" as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const) }) }
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, batches) => {
        const { exchange, counters, fanout, broadcast, endTurn, pass } = make()
        const all = Array.from({ length: clients }, (_, i) => new Client(exchange, i % 2 === 0 ? "json" : "msgpack", batches && i % 4 > 1))
        const present = new Set<Client>()
        const expected = new Map(all.map((client) => [client, new Array<number>()]))
        let sent = 0
        let deliveries = 0
        const publish = (publisher: Client | undefined, excluded: boolean): void => {
          const number = sent++
          const from = publisher !== undefined && present.has(publisher) ? publisher : undefined
          for (const client of present) {
            if (excluded && client === from) continue
            expected.get(client)!.push(number)
            deliveries++
          }
          broadcast(number, { publisher: from, except: excluded ? from : undefined })
        }
        for (const taken of steps) {
          if (taken.do === "turn") endTurn()
          else if (taken.do === "pass") pass(aWhile)
          else if (taken.do === "flood") for (let n = 0; n <= maxBatch; n++) publish(undefined, false)
          else if (taken.do === "broadcast") publish(taken.publisher === undefined ? undefined : all[taken.publisher], taken.excluded)
          else {
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

  it("goes out at once, and is left to its publisher to be sent what others get by their topics", () => {
    for (const encoding of ["json", "msgpack"] as const) {
      const { fanout, join } = make()
      const [publisher, other, third] = [join(encoding), join(encoding), join("json")]
      const own = fanout.broadcast({ message: message(1), publisher })
      expect([publisher.numbers, other.numbers, third.numbers]).toEqual([[], [1], [1]])
      expect(own).toEqual(codecs[encoding].encode(message(1)))
    }
  })

  it("goes out at once also where one publishes much, or one after the other", () => {
    const { broadcast, join, pass } = make()
    const [publisher, other, third] = [join("json"), join("msgpack"), join("json")]
    for (let number = 0; number < 20; number++) broadcast(number, { publisher })
    expect(third.numbers).toHaveLength(20)
    for (let number = 20; number < 40; number++) {
      pass(aWhile)
      broadcast(number, { publisher: number % 2 === 0 ? publisher : other })
    }
    expect(third.numbers).toHaveLength(40)
  })

  it("goes out when the turn ends where many publish closely after each other, to publishers too", () => {
    const { fanout, broadcast, join, endTurn, pass } = make()
    const all = Array.from({ length: 10 }, () => join("json"))
    for (const [number, publisher] of all.entries()) broadcast(number, { publisher })
    const before = all[0]!.numbers.length
    expect(before).toBeLessThan(all.length)
    expect(fanout.broadcast({ message: message(all.length), publisher: all[0] })).toBeUndefined()
    expect(all.map(({ numbers }) => numbers.length)).toEqual(all.map(() => before))
    endTurn()
    expect(all[0]!.numbers).toEqual(Array.from({ length: all.length + 1 }, (_, n) => n))
    pass(aWhile)
    expect(fanout.broadcast({ message: message(99), publisher: all[0] })).toBeDefined()
  })

  it("does not overtake what waits for the turn to end", () => {
    const { fanout, broadcast, join } = make()
    const single = join("json")
    fanout.notify(message(1))
    broadcast(2)
    expect(single.numbers).toEqual([1, 2])
  })

  it("goes out when the turn ends, in one frame to those with batches, and each by itself to the others", () => {
    const { broadcast, join, endTurn } = make()
    const [single, batch] = [join("json"), join("msgpack", true)]
    for (const number of [1, 2, 3]) broadcast(number)
    expect([single.frames, batch.frames]).toEqual([[], []])
    endTurn()
    expect(single.frames).toEqual([message(1), message(2), message(3)])
    expect(batch.frames).toEqual([[message(1), message(2), message(3)]])
  })

  it("does not let more than a batch wait for the turn to end", () => {
    const { broadcast, join } = make()
    const [single, batch] = [join("json"), join("json", true)]
    for (let number = 0; number < maxBatch + 1; number++) broadcast(number)
    expect([single.numbers.length, batch.numbers.length]).toEqual([maxBatch, maxBatch])
  })

  it("reaches the others when the one that must not get it has closed in the meantime", () => {
    const { broadcast, join, endTurn } = make()
    const [from, other] = [join("json"), join("json")]
    // With it everything waits for the end of the turn.
    join("json", true)
    broadcast(1, { except: from })
    from.closed = true
    endTurn()
    expect(other.numbers).toEqual([1])
  })

  it("tells who could not be encoded for before anything waits", () => {
    const { broadcast, join, endTurn } = make()
    const single = join("json")
    for (const number of [0, 2]) {
      expect(() => broadcast(1n)).toThrow(TypeError)
      broadcast(number)
    }
    endTurn()
    expect(single.numbers).toEqual([0, 2])
  })

  it("tells who asked for it of the next publish once, when that goes out, and nobody who has left", () => {
    const { fanout, broadcast, join, endTurn } = make()
    const [asking, leaving, other] = [join("json"), join("msgpack"), join("json", true)]
    const told: Array<[string, number]> = []
    fanout.awaitPublish(asking, () => told.push(["asking", other.frames.length]))
    fanout.awaitPublish(asking, () => told.push(["asking again", other.frames.length]))
    fanout.awaitPublish(leaving, () => told.push(["leaving", other.frames.length]))
    endTurn()
    fanout.remove(leaving)
    broadcast(1)
    expect(told).toEqual([])
    endTurn()
    expect(told).toEqual([["asking again", 1]])
    broadcast(2)
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
