import { describe, expect, it } from "vitest"
import { goingAway } from "../../../src/gateway/link/LinkState.ts"
import { trialTime } from "../../../src/gateway/link/Recovery.ts"
import { circuitBreaker } from "../proxyRoute.ts"
import { expectOver, type FakeBackend, pingInterval, world, type World } from "./world.ts"

const numbers = (from: number, to: number): ReadonlyArray<string> => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)

const send = ({ client }: World, from: number, to: number): void => numbers(from, to).forEach((text) => client(text))

/** Ends the turn and lets the backend read and answer until nothing more comes of it. */
const settle = (w: World, backend: FakeBackend): void => {
  for (let n = 0; n < 10; n++) {
    w.turn()
    backend.reads()
  }
}

const found = (w: World, index: number): FakeBackend => {
  const backend = w.found(index)
  if (backend === undefined) throw new Error("nothing was found")
  return backend
}

describe("what a client sends", () => {
  it("is acknowledged by the pong to a ping that follows it, one ping at a time", () => {
    const w = world()
    send(w, 1, 3)
    expect(w.first.pings).toBe(0)
    w.turn()
    expect(w.first.pings).toBe(1)
    send(w, 4, 6)
    w.turn()
    w.turn()
    expect(w.first.pings).toBe(1)
    expect(w.link.keptBytes).toBeGreaterThan(0)
    // The three messages and the ping behind them: three others wait, and a ping is owed to them.
    w.first.reads(4)
    expect(w.first.texts()).toEqual(numbers(1, 3))
    w.turn()
    expect(w.first.pings).toBe(2)
    settle(w, w.first)
    expect(w.link.keptBytes).toBe(0)
    expect(w.first.pings).toBe(2)
    expect(w.first.texts()).toEqual(numbers(1, 6))
  })

  it("is not acknowledged by pongs that nobody asked for", () => {
    const w = world()
    send(w, 1, 3)
    w.turn()
    for (const payload of ["", "3", "1700000000000", "Infinity", "weft:", "weft:99", "weft:2"]) w.first.pong(payload)
    const kept = w.link.keptBytes
    expect(kept).toBeGreaterThan(0)
    settle(w, w.first)
    expect(w.link.keptBytes).toBe(0)
    w.first.pong("weft:3")
    expect(w.link.keptBytes).toBe(0)
  })

  it("goes to the next backend when the one before it may not have read it, in order, and only then", () => {
    const w = world()
    send(w, 1, 3)
    settle(w, w.first)
    send(w, 4, 6)
    w.turn()
    // It has read one more; nobody knows.
    w.first.reads(1)
    w.first.ends(1006)
    expect(w.searches[0]?.options.from).toBe(w.target(0))
    expect(w.searches[0]?.options.extra).toEqual([["x-weft-connection", "link"]])
    send(w, 7, 8)
    const second = found(w, 1)
    send(w, 9, 9)
    settle(w, second)
    expect(second.texts()).toEqual(numbers(4, 9))
    expect(w.link.keptBytes).toBe(0)
    expect(w.socket.ended).toBeUndefined()
    expect(w.links.of(w.target(0))).toEqual([])
    expect(w.links.of(w.target(1))).toEqual([w.link])
    expect(w.leases()).toBe(1)
  })

  it("keeps its kind, and its bytes although they were lent", () => {
    const w = world()
    w.client("text", false)
    w.client("binary", true)
    w.first.ends(1006)
    const second = found(w, 1)
    settle(w, second)
    expect(second.read).toEqual([
      { text: "text", binary: false },
      { text: "binary", binary: true }
    ])
  })

  it("is preceded by the first messages of the connection, at every new backend", () => {
    const w = world({ failover: { preamble: 2 } })
    send(w, 1, 5)
    settle(w, w.first)
    send(w, 6, 6)
    w.first.ends(1006)
    const second = found(w, 1)
    settle(w, second)
    expect(second.texts()).toEqual(["1", "2", "6"])
    second.ends(1006)
    const third = found(w, 0)
    settle(w, third)
    expect(third.texts()).toEqual(["1", "2"])
  })

  it("is sent again to each backend until one has read it", () => {
    const w = world()
    send(w, 1, 2)
    w.turn()
    w.first.ends(1006)
    for (let n = 0; n < 4; n++) found(w, n).ends(1006)
    const last = found(w, 1)
    settle(w, last)
    expect(last.texts()).toEqual(["1", "2"])
    expect(w.link.keptBytes).toBe(0)
    expect(w.leases()).toBe(1)
  })

  it("closes the client with 1013 when more of it is kept for an open backend than all buffers and one message", () => {
    const w = world({ failover: { buffer: 1_000 }, route: { buffer: 2_000, max_message: 500 } })
    let count = 0
    for (; count < 100 && w.socket.ended === undefined; count++) {
      w.client("x".repeat(100))
      expect(w.link.keptBytes).toBeLessThanOrEqual(3_500)
    }
    // Each costs a little more than its bytes.
    expect(count - 1).toBe(Math.floor(3_500 / 164))
    expect(w.socket.ended).toMatchObject({ code: 1013 })
    expect(w.first.closed).toMatchObject({ code: 1001 })
    expectOver(w)
  })

  it("closes the client with 4503 when more of it waits for a backend that is sought than may, beside what was on its way", () => {
    const w = world({ failover: { buffer: 1_000 } })
    for (let n = 0; n < 20; n++) w.client("x".repeat(100))
    w.first.ends(1006)
    let count = 0
    for (; count < 20 && w.socket.ended === undefined; count++) w.client("x".repeat(100))
    expect(count - 1).toBe(Math.floor(1_000 / 164))
    expect(w.socket.ended).toMatchObject({ code: 4503 })
    expect(w.searches[0]?.state).toBe("interrupted")
    expectOver(w)
  })

  it("closes the client with 1013 when the backend's socket holds more than the buffer and one message", () => {
    const w = world({ failover: { mode: "close" }, route: { buffer: 1_000, max_message: 500 } })
    w.first.backlog = 1_500
    w.client("fits")
    expect(w.socket.ended).toBeUndefined()
    w.first.backlog = 1_501
    w.client("does not")
    expect(w.socket.ended).toMatchObject({ code: 1013 })
    expectOver(w)
  })

  it("may wait in the backend's socket as far as it is kept, for it may all have been sent again", () => {
    const w = world({ route: { buffer: 1_000, max_message: 500 }, failover: { buffer: 5_000 } })
    w.first.backlog = 6_500
    w.client("again")
    expect(w.socket.ended).toBeUndefined()
    w.first.backlog = 6_501
    w.client("too much")
    expect(w.socket.ended).toMatchObject({ code: 1013 })
  })

  it("closes both sides with 1009 when it is too large", () => {
    const w = world({ route: { max_message: 10 } })
    w.client("x".repeat(10))
    expect(w.socket.ended).toBeUndefined()
    w.client("x".repeat(11))
    expect(w.socket.ended).toMatchObject({ code: 1009 })
    expect(w.first.closed).toMatchObject({ code: 1009 })
    expectOver(w)
  })
})

describe("what a backend sends", () => {
  it("reaches the client in order, what came together in one write", () => {
    const w = world()
    w.first.says("1")
    w.first.says("2", "3", "4")
    expect(w.socket.received).toEqual(["1", "2", "3", "4"])
    expect(w.socket.corks).toBe(1)
  })

  it("is not read while the client is behind", () => {
    const w = world({ route: { buffer: 100 } })
    w.socket.stuck = true
    w.first.says("x".repeat(50))
    expect(w.first.paused).toBe(false)
    w.first.says("x")
    expect(w.first.paused).toBe(true)
    w.socket.backlog = 26
    w.link.offerReply({ type: "drained" })
    expect(w.first.paused).toBe(true)
    w.socket.backlog = 25
    w.link.offerReply({ type: "drained" })
    expect(w.first.paused).toBe(false)
  })

  it("closes the client with 4413 when it is dropped", () => {
    const w = world()
    w.socket.full = true
    w.first.says("lost")
    expect(w.socket.ended).toMatchObject({ code: 4413 })
    expectOver(w)
  })

  it("comes from the present backend alone", () => {
    const w = world()
    w.first.ends(1006)
    const second = found(w, 1)
    w.first.says("late")
    w.first.pong("weft:0")
    w.first.ends(4001)
    second.says("present")
    expect(w.socket.received).toEqual(["present"])
    expect(w.socket.ended).toBeUndefined()
    expect(w.searches).toHaveLength(1)
  })
})

describe("time", () => {
  it("asks a quiet backend whether it is there, and leaves it when it does not answer", () => {
    const w = world()
    w.advance(pingInterval - 100)
    expect(w.first.pings).toBe(0)
    w.advance(200)
    expect(w.first.pings).toBe(1)
    w.advance(4_800)
    expect(w.searches).toHaveLength(0)
    w.advance(400)
    expect(w.first.closed).toBe("terminated")
    expect(w.searches).toHaveLength(1)
    expect(w.target(0).websocket.errors.lost).toBe(1)
  })

  it("goes on asking a quiet backend that answers", () => {
    const w = world({ route: { timeout: 3_600 } })
    for (let n = 1; n <= 5; n++) {
      w.advance(pingInterval + 100)
      expect(w.first.pings).toBe(n)
      w.first.reads()
    }
    w.advance(10_000)
    expect(w.searches).toHaveLength(0)
  })

  it("closes the client with 4503 when the backend is silent and none is to be sought", () => {
    const w = world({ failover: { mode: "close" } })
    w.advance(pingInterval + 100)
    w.advance(5_100)
    expect(w.socket.ended).toMatchObject({ code: 4503 })
    expectOver(w)
  })

  it("finds a backend silent soon when a message waits for its acknowledgement", () => {
    const w = world({ failover: { ping_timeout: 1 } })
    w.client("1")
    w.turn()
    w.advance(900)
    expect(w.searches).toHaveLength(0)
    w.advance(300)
    expect(w.searches).toHaveLength(1)
  })

  it("does not hold a backend for silent that reads what stands before the ping", () => {
    const w = world({ failover: { ping_timeout: 1 } })
    w.first.backlog = 5_000
    w.client("1")
    w.turn()
    for (const backlog of [3_000, 1_000]) {
      w.first.backlog = backlog
      w.advance(1_000)
      w.advance(200)
      expect(w.searches).toHaveLength(0)
    }
    w.advance(1_200)
    expect(w.first.closed).toBe("terminated")
    expect(w.searches).toHaveLength(1)
  })

  it("takes whatever a backend sends for a sign of life, and does not look more often for that", () => {
    const w = world({ failover: { ping_timeout: 1 } })
    w.client("1")
    w.turn()
    for (let n = 0; n < 10; n++) {
      w.advance(500)
      w.first.says("here")
    }
    w.advance(100)
    expect(w.searches).toHaveLength(0)
    expect(w.link.due).toBeGreaterThan(w.clock.now + 200)
    w.advance(1_200)
    expect(w.searches).toHaveLength(1)
  })

  it("does not hold a backend that is not read for silent, and asks again once it is", () => {
    const w = world({ route: { buffer: 100 }, failover: { ping_timeout: 1 } })
    w.client("1")
    w.turn()
    w.socket.stuck = true
    w.first.says("x".repeat(60))
    expect(w.first.paused).toBe(true)
    w.advance(20_000)
    expect(w.searches).toHaveLength(0)
    w.socket.backlog = 0
    w.link.offerReply({ type: "drained" })
    w.advance(800)
    expect(w.searches).toHaveLength(0)
    w.advance(400)
    expect(w.searches).toHaveLength(1)
  })

  it("reads the next backend although the client was behind, and asks it", () => {
    const w = world({ route: { buffer: 100 } })
    w.socket.stuck = true
    w.first.says("x".repeat(60))
    w.first.ends(1006)
    const second = found(w, 1)
    expect(second.paused).toBe(false)
    w.advance(pingInterval + 100)
    expect(second.pings).toBe(1)
    second.says("x")
    expect(second.paused).toBe(true)
  })

  it("closes the client with 4408 when no message passes for the route's timeout", () => {
    for (const sign of ["none", "client", "backend", "client's ping", "backend's ping"]) {
      const w = world({ route: { timeout: 10 } })
      w.advance(9_000)
      if (sign === "client") w.client("1")
      else if (sign === "backend") w.first.says("1")
      else if (sign === "client's ping") w.link.offer({ type: "alive" })
      else if (sign === "backend's ping") w.first.handler?.onPing()
      settle(w, w.first)
      w.advance(2_000)
      if (sign === "none") {
        expect(w.socket.ended).toMatchObject({ code: 4408 })
        expectOver(w)
      } else expect(w.socket.ended, sign).toBeUndefined()
      w.advance(9_000)
      expect(w.socket.ended).toMatchObject({ code: 4408 })
    }
  })

  it("does not wait for ever for a client to read its close frame", () => {
    const w = world({ closesAtOnce: false })
    w.first.ends(1000)
    expect(w.socket.ended).toMatchObject({ code: 1000 })
    expect(w.leases()).toBe(0)
    expect(w.links.size).toBe(1)
    w.advance(4_900)
    expect(w.socket.ended).toMatchObject({ code: 1000 })
    w.advance(200)
    expect(w.socket.ended).toBe("terminated")
    w.socket.onClose(1006, "")
    expectOver(w)
  })

  it("waits for a client that still reads what came before its close frame", () => {
    const w = world({ closesAtOnce: false })
    w.socket.stuck = true
    w.first.says("x".repeat(1_000))
    w.first.ends(1000)
    for (const unread of [800, 300, 100]) {
      w.socket.backlog = unread
      w.advance(5_100)
      expect(w.socket.ended).toMatchObject({ code: 1000 })
    }
    w.advance(5_100)
    expect(w.socket.ended).toBe("terminated")
    w.socket.onClose(1006, "")
    expectOver(w)
  })
})

describe("a backend that ends", () => {
  it("takes the client with it when it says so", () => {
    for (const code of [1000, 1005, 1008, 1011, 1013, 4001]) {
      const w = world()
      w.first.ends(code, "its words")
      expect(w.socket.ended).toEqual({ code, reason: "its words" })
      expectOver(w)
    }
  })

  it("is replaced when it goes away, is restarted or is gone", () => {
    for (const code of [1001, 1006, 1012]) {
      const w = world()
      w.first.ends(code)
      expect(w.socket.ended).toBeUndefined()
      expect(w.searches).toHaveLength(1)
    }
  })

  it("is told to the client in close mode, whatever its words, or as lost", () => {
    for (const [code, told] of [
      [1000, 1000],
      [1001, 1001],
      [1012, 1012],
      [4001, 4001],
      [1006, 4503]
    ]) {
      const w = world({ failover: { mode: "close" } })
      w.first.ends(code ?? 0)
      expect(w.socket.ended).toMatchObject({ code: told })
      expectOver(w)
    }
  })

  it("is sought a successor once, however often it ends", () => {
    const w = world()
    w.first.ends(1006)
    w.first.ends(1006)
    w.first.ends(1000)
    expect(w.searches).toHaveLength(1)
    expect(w.socket.ended).toBeUndefined()
  })

  it("closes the client with 4503 when no other is found in time", () => {
    const w = world()
    w.first.ends(1006)
    w.found(undefined)
    expect(w.socket.ended).toMatchObject({ code: 4503 })
    expectOver(w)
  })
})

describe("a backend that takes a link from another one", () => {
  const lost = ({ target }: World, index: number): number => target(index).websocket.errors.lost

  it("has to answer and to keep it for a while, or the search goes on where it was", () => {
    for (const code of [1001, 1006, 1012]) {
      const w = world()
      w.advance(trialTime)
      w.first.ends(1001)
      expect(w.searches[0]?.options).toMatchObject({ round: 0, left: 30_000 })
      expect(lost(w, 0)).toBe(0)
      const second = found(w, 1)
      settle(w, second)
      w.advance(1_000)
      second.ends(code)
      expect(lost(w, 1)).toBe(1)
      expect(w.searches[1]?.options).toMatchObject({ round: 1, left: 29_000 })
      const third = found(w, 0)
      // It does not answer.
      w.advance(trialTime + 100)
      third.ends(code)
      expect(lost(w, 0)).toBe(1)
      expect(w.searches[2]?.options).toMatchObject({ round: 2, left: 29_000 - trialTime - 100 })
      expect(w.socket.ended).toBeUndefined()
    }
  })

  it("is asked at once, although there is nothing to send again", () => {
    const w = world()
    w.first.ends(1006)
    const second = found(w, 1)
    w.turn()
    expect(second.pings).toBe(1)
  })

  it("that has answered and kept it is left without a pause, and without a fault when it says goodbye", () => {
    for (const late of [false, true]) {
      const w = world()
      w.first.ends(1006)
      const second = found(w, 1)
      if (!late) settle(w, second)
      w.advance(trialTime)
      settle(w, second)
      second.ends(1012)
      expect(lost(w, 1)).toBe(0)
      expect(w.searches[1]?.options).toMatchObject({ round: 0, left: 30_000 })
    }
  })

  it("counts as a success for its circuit once it has proved itself, and not before", () => {
    const w = world({ route: { circuit_breaker: circuitBreaker } })
    const failures = (): number => w.target(1).breaker.view(w.clock.now).failures
    w.first.ends(1001)
    found(w, 1).ends(1001)
    const third = found(w, 1)
    expect(failures()).toBe(1)
    settle(w, third)
    w.advance(trialTime - 100)
    expect(failures()).toBe(1)
    w.advance(200)
    expect(failures()).toBe(0)
  })

  it("is not held on trial by a client that does not read", () => {
    const w = world({ route: { buffer: 100, circuit_breaker: circuitBreaker } })
    w.first.ends(1001)
    found(w, 1).ends(1001)
    const third = found(w, 1)
    w.turn()
    w.socket.stuck = true
    third.says("x".repeat(60))
    expect(third.paused).toBe(true)
    w.advance(trialTime - 100)
    expect(w.target(1).breaker.view(w.clock.now).failures).toBe(1)
    w.advance(200)
    expect(w.target(1).breaker.view(w.clock.now).failures).toBe(0)
  })

  it("is the last one when the deadline has passed since the first was lost", () => {
    const w = world()
    w.first.ends(1006)
    for (let n = 1; n < 30; n++) {
      const next = found(w, n)
      settle(w, next)
      w.advance(1_100)
      if (w.clock.now - w.link.since >= 30_000) break
      next.ends(1001)
    }
    expect(w.socket.ended).toBeUndefined()
    const searches = w.searches.length
    w.backends.at(-1)?.ends(1001)
    expect(w.searches).toHaveLength(searches)
    expect(w.socket.ended).toMatchObject({ code: 4503 })
    expectOver(w)
  })

  it("after a move that nobody was lost for has the whole deadline behind it", () => {
    const w = world()
    w.link.offerReply({ type: "move", goodbye: goingAway })
    const second = found(w, 1)
    w.advance(1_000)
    second.ends(1006)
    expect(w.searches[1]?.options).toMatchObject({ round: 1, left: 30_000 })
  })
})

describe("a first backend", () => {
  it("that drops the client as soon as it has taken it is at fault, and left without a pause", () => {
    const w = world()
    w.first.ends(1001)
    expect(w.target(0).websocket.errors.lost).toBe(1)
    expect(w.searches[0]?.options).toMatchObject({ round: 0, left: 30_000 })
  })
})

describe("a move", () => {
  it("goes from a backend that serves until the next one is there", () => {
    const w = world()
    send(w, 1, 2)
    settle(w, w.first)
    w.link.offerReply({ type: "move", goodbye: goingAway })
    w.link.offerReply({ type: "move", goodbye: goingAway })
    expect(w.searches).toHaveLength(1)
    send(w, 3, 4)
    w.first.says("still here")
    w.turn()
    w.first.reads(1)
    const second = found(w, 1)
    expect(w.first.closed).toEqual({ code: 1001, reason: "moved" })
    // What it had not read yet it may read still; the other one gets it all the same.
    w.first.reads()
    w.first.says("too late")
    w.first.ends(1001)
    settle(w, second)
    expect(second.texts()).toEqual(["3", "4"])
    expect(w.socket.received).toEqual(["still here"])
    expect(w.socket.ended).toBeUndefined()
    expect(w.leases()).toBe(1)
    expect(w.links.of(w.target(1))).toEqual([w.link])
  })

  it("that finds nothing leaves the client where it is", () => {
    const w = world()
    w.link.offerReply({ type: "move", goodbye: goingAway })
    w.found(undefined)
    send(w, 1, 1)
    settle(w, w.first)
    expect(w.first.texts()).toEqual(["1"])
    expect(w.socket.ended).toBeUndefined()
    w.link.offerReply({ type: "move", goodbye: goingAway })
    found(w, 1)
    expect(w.links.of(w.target(1))).toEqual([w.link])
  })

  it("whose backend is lost on the way has the whole deadline from there", () => {
    const w = world()
    w.link.offerReply({ type: "move", goodbye: goingAway })
    w.first.ends(1006)
    expect(w.searches).toHaveLength(1)
    w.found(undefined)
    expect(w.socket.ended).toBeUndefined()
    expect(w.searches).toHaveLength(2)
    w.found(undefined)
    expect(w.socket.ended).toMatchObject({ code: 4503 })
    expectOver(w)
  })

  it("ends a link that may not move, with the words that were given", () => {
    const w = world({ failover: { mode: "close" } })
    w.link.offerReply({ type: "move", goodbye: goingAway })
    expect(w.socket.ended).toEqual(goingAway)
    expect(w.first.closed).toMatchObject({ code: 1001 })
    expectOver(w)
  })
})

describe("the end of a client", () => {
  it("is told to the backend with code and reason, after what was sent", () => {
    const w = world()
    send(w, 1, 2)
    w.socket.onClose(4000, "bye")
    expect(w.first.closed).toEqual({ code: 4000, reason: "bye" })
    w.first.reads()
    expect(w.first.texts()).toEqual(["1", "2"])
    expectOver(w)
  })

  it("without a close frame leaves the backend without one", () => {
    const w = world()
    w.socket.onClose(1006, "")
    expect(w.first.closed).toBe("terminated")
    expectOver(w)
  })

  it("ends the search for a backend", () => {
    const w = world()
    w.first.ends(1006)
    w.socket.onClose(1001, "")
    expect(w.searches[0]?.state).toBe("interrupted")
    expectOver(w)
  })

  it("gives back a backend that was found too late", () => {
    for (const closesAtOnce of [true, false]) {
      const w = world({ closesAtOnce })
      w.first.ends(1006)
      w.link.offerReply({ type: "close", goodbye: goingAway })
      w.searches[0]?.force(w.connected(1))
      if (!closesAtOnce) w.socket.onClose(1001, "")
      expectOver(w)
    }
  })

  it("gives back a backend that was found in the very moment", () => {
    const w = world()
    w.first.ends(1006)
    // Both wait while the link is busy with the move.
    w.socket.end = (code, reason) => {
      w.socket.onClose(code, reason)
      w.searches[0]?.force(w.connected(1))
    }
    w.link.offerReply({ type: "close", goodbye: goingAway })
    expectOver(w)
  })

  it("that has to be at once does not wait for a close frame to be read", () => {
    const w = world({ closesAtOnce: false })
    w.link.offerReply({ type: "close", goodbye: goingAway, abrupt: true })
    expect(w.socket.ended).toBe("terminated")
    w.socket.onClose(1006, "")
    expectOver(w)
  })
})

describe("a defect", () => {
  it("closes one client with 4500 and gives everything back", () => {
    for (const seeking of [false, true]) {
      const w = world()
      if (seeking) w.link.offerReply({ type: "move", goodbye: goingAway })
      w.first.defect = new Error("broken")
      w.client("1")
      expect(w.defects).toHaveLength(1)
      expect(w.socket.ended).toMatchObject({ code: 4500 })
      expectOver(w)
    }
  })
})
